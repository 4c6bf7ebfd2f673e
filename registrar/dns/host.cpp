#include "registrar/dns/host.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <map>
#include <memory>
#include <sstream>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "registrar/dns/command.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/recognise.hpp"
#include "registrar/dns/resolv_conf.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr std::uint16_t dns_port = 53;
constexpr auto resolv_file = "/etc/resolv.conf";
constexpr auto daemon_file = "/etc/docker/daemon.json";
constexpr milliseconds ask_limit{5'000};

std::string text_or_nothing(std::string const& path) {
    auto text = read_text(path);
    return text ? std::move(*text).value_or("") : std::string();
}

std::vector<int> processes() {
    std::vector<int> all;
    std::unique_ptr<DIR, int (*)(DIR*)> const folder(::opendir("/proc"), ::closedir);
    while (folder != nullptr) {
        auto const* const entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        int const pid = std::atoi(entry->d_name);
        if (pid > 0) all.push_back(pid);
    }
    return all;
}

/// The inodes of a process's sockets that are among `wanted`.
template <class Use>
void for_each_socket(int pid, Use use) {
    auto const path = "/proc/" + std::to_string(pid) + "/fd";
    std::unique_ptr<DIR, int (*)(DIR*)> const folder(::opendir(path.c_str()), ::closedir);
    while (folder != nullptr) {
        auto const* const entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        std::array<char, 64> target{};
        auto const n =
            ::readlink((path + "/" + entry->d_name).c_str(), target.data(), target.size() - 1);
        std::string const name(target.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
        if (name.starts_with("socket:[")) use(std::strtoull(name.c_str() + 8, nullptr, 10));
    }
}

bool is_forwarder(int pid, std::optional<journal> const& ours) {
    if (!ours || ours->forward.config.empty()) return false;
    for (auto const& word : command_line_of(pid))
        if (word.ends_with(ours->forward.config)) return true;
    return false;
}

std::string command_of(int pid) {
    auto name = text_or_nothing("/proc/" + std::to_string(pid) + "/comm");
    return name.substr(0, name.find('\n'));
}

std::vector<listener> read_listeners(std::optional<journal> const& ours) {
    std::multimap<std::uint64_t, std::string> wanted;
    for (auto const* path : {"/proc/self/net/udp", "/proc/self/net/udp6"})
        for (auto const& socket : parse_proc_udp(text_or_nothing(path)))
            if (socket.port == dns_port) wanted.emplace(socket.inode, socket.address);
    std::vector<listener> all;
    if (wanted.empty()) return all;
    for (int const pid : processes())
        for_each_socket(pid, [&](std::uint64_t inode) {
            auto const found = wanted.find(inode);
            if (found == wanted.end()) return;
            auto const command = command_of(pid);
            if (!is_forwarder(pid, ours))
                all.push_back({found->second, pid, command, program_of(command)});
            wanted.erase(found);
        });
    for (auto const& [inode, address] : wanted)
        all.push_back({address, 0, "a process that only root can see", program::other});
    std::ranges::sort(all, {}, [](auto const& l) { return std::pair(l.address, l.pid); });
    return all;
}

/// As it was before us: a file that we replaced is kept beside ours.
resolv_conf read_resolv_conf(std::optional<journal> const& ours) {
    std::string path = resolv_file;
    auto const* const written = ours ? ours->find(resolv_file) : nullptr;
    if (written != nullptr && is_as_written(*written)) {
        if (written->kept.empty()) return {};
        path = written->kept;
    }
    auto const text = read_text(path);
    if (!text || !text->has_value()) return {};
    return parse_resolv_conf(**text);
}

unsigned number_after(std::string const& text, std::string const& word) {
    auto const at = text.find(word);
    return at == std::string::npos
               ? 0
               : static_cast<unsigned>(std::strtoul(text.c_str() + at + word.size(), nullptr, 10));
}

std::vector<std::string> words_of(std::string const& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;)
        all.push_back(word);
    return all;
}

/// `resolvectl dns` prints "Global: ADDRESS..." and "Link 2 (eth0): ADDRESS...".
resolved_facts read_resolved(consul_facts const& consul) {
    resolved_facts facts;
    if (auto const said = run_command({"resolvectl", "--version"}, ask_limit))
        facts.version = number_after(said->out, "systemd ");
    bool any = false;
    if (auto const said = run_command({"resolvectl", "--no-pager", "dns"}, ask_limit)) {
        std::istringstream lines(said->out);
        for (std::string line; std::getline(lines, line);) {
            auto const colon = line.find(": ");
            if (colon == std::string::npos) continue;
            for (auto const& server : words_of(line.substr(colon + 2))) {
                if (server == consul.dns_address) continue;
                any = true;
                if (line.starts_with("Global")) facts.global.push_back(server);
            }
        }
    }
    if (auto const said = run_command({"resolvectl", "--no-pager", "status"}, ask_limit))
        facts.fallback_only = !any && said->out.find("Fallback DNS Servers:") != std::string::npos;
    return facts;
}

std::string installed(std::string const& program) {
    for (auto const* folder : {"/usr/sbin/", "/usr/local/sbin/", "/usr/bin/", "/sbin/"})
        if (::access((folder + program).c_str(), X_OK) == 0) return folder + program;
    return {};
}

/// "-7 DIR,…", "-7DIR", "--conf-dir=DIR,…", or conf-dir= in the file that it reads.
std::string dnsmasq_folder(int pid) {
    auto const before_comma = [](std::string const& s) {
        auto folder = s.substr(0, s.find(','));
        while (folder.size() > 1 && folder.ends_with('/'))
            folder.pop_back();
        return folder;
    };
    auto const words = command_line_of(pid);
    std::string file = "/etc/dnsmasq.conf";
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto const& w = words[i];
        auto const value = [&](std::string const& brief, std::string const& whole) -> std::string {
            if (w.starts_with(whole + "=")) return w.substr(whole.size() + 1);
            if ((w == brief || w == whole) && i + 1 < words.size()) return words[i + 1];
            if (w.starts_with(brief) && !w.starts_with("--") && w.size() > 2) return w.substr(2);
            return {};
        };
        if (auto folder = value("-7", "--conf-dir"); !folder.empty()) return before_comma(folder);
        if (auto other = value("-C", "--conf-file"); !other.empty()) file = other;
    }
    std::istringstream lines(text_or_nothing(file));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("conf-dir=")) return before_comma(line.substr(9));
    return {};
}

std::string unbound_folder(int pid) {
    auto const words = command_line_of(pid);
    std::string file = "/etc/unbound/unbound.conf";
    for (std::size_t i = 1; i + 1 < words.size(); ++i)
        if (words[i] == "-c") file = words[i + 1];
    std::istringstream lines(text_or_nothing(file));
    for (std::string line; std::getline(lines, line);) {
        auto const word = line.find("include");
        auto const from = line.find('"');
        auto const to = line.find("/*.conf\"");
        if (word != std::string::npos && line.find('#') > word && from < to &&
            to != std::string::npos)
            return line.substr(from + 1, to - from - 1);
    }
    return {};
}

std::string unit_of(int pid) {
    std::istringstream lines(text_or_nothing("/proc/" + std::to_string(pid) + "/cgroup"));
    for (std::string line; std::getline(lines, line);) {
        auto const last = line.substr(line.rfind('/') + 1);
        if (last.ends_with(".service")) return last;
    }
    return {};
}

bool is_systemd() {
    return ::access("/run/systemd/system", F_OK) == 0;
}

}  // namespace

std::vector<std::string> command_line_of(int pid) {
    auto const text = text_or_nothing("/proc/" + std::to_string(pid) + "/cmdline");
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\0', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

std::vector<std::string> restart_of(int pid, std::string const& service) {
    if (is_systemd()) {
        auto const unit = pid > 0 ? unit_of(pid) : service + ".service";
        if (unit.empty()) return {};
        auto const loaded =
            run_command({"systemctl", "show", "--property=LoadState", "--value", unit}, ask_limit);
        if (loaded && loaded->out == "loaded\n") return {"systemctl", "restart", unit};
        return {};
    }
    auto const script = "/etc/init.d/" + service;
    if (::access(script.c_str(), X_OK) == 0) return {script, "restart"};
    return {};
}

void read_daemon_json(std::optional<journal> const& ours, engine_facts& into) {
    auto const text = read_text(daemon_file);
    if (!text || !text->has_value()) return;
    auto const document = nlohmann::json::parse(**text, nullptr, false);
    if (document.is_object() && document.contains("dns") && document["dns"].is_array())
        for (auto const& one : document["dns"])
            if (one.is_string()) into.daemon_dns.push_back(one.get<std::string>());
    auto const* const written = ours ? ours->find(daemon_file) : nullptr;
    into.daemon_file = written == nullptr || !is_as_written(*written);
}

std::vector<std::string> local_addresses() {
    std::vector<std::string> all;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return all;
    for (auto const* at = first; at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr) continue;
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (at->ifa_addr->sa_family == AF_INET) {
            auto const* const in = reinterpret_cast<sockaddr_in const*>(at->ifa_addr);
            ::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            auto const* const in = reinterpret_cast<sockaddr_in6 const*>(at->ifa_addr);
            ::inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
        } else {
            continue;
        }
        all.emplace_back(text.data());
    }
    ::freeifaddrs(first);
    return all;
}

result<host_facts> read_host(std::optional<journal> const& ours, consul_facts const& consul) {
    host_facts facts;
    facts.conf = read_resolv_conf(ours);
    facts.listeners = read_listeners(ours);
    facts.systemd = is_systemd();
    facts.dnsmasq_path = installed("dnsmasq");
    facts.unbound_path = installed("unbound");
    auto const r = recognise(facts.conf, facts.listeners);
    switch (r.kind) {
        case resolver_kind::resolved:
            facts.resolved = read_resolved(consul);
            facts.restart = restart_of(r.pid, "systemd-resolved");
            break;
        case resolver_kind::dnsmasq:
            facts.dnsmasq_folder = dnsmasq_folder(r.pid);
            facts.restart = restart_of(r.pid, "dnsmasq");
            break;
        case resolver_kind::unbound:
            facts.unbound_folder = unbound_folder(r.pid);
            facts.restart = restart_of(r.pid, "unbound");
            break;
        case resolver_kind::plain:
        case resolver_kind::none:
        case resolver_kind::unknown:
            break;
    }
    return facts;
}

}  // namespace bevmesh::registrar::dns
