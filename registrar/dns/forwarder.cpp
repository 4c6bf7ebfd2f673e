#include "registrar/dns/forwarder.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "mesh/net/clock.hpp"
#include "registrar/dns/command.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/host.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr milliseconds end_limit{10'000};

}  // namespace

result<void> stop_forwarder(forwarder const& f, bool systemd) {
    if (f.program.empty()) return {};
    if (systemd) {
        static_cast<void>(run_command({"systemctl", "stop", "bevmesh-dns.service"}, restart_limit));
        return {};
    }
    auto const text = read_text(f.pid_file);
    int const pid = text && text->has_value() ? std::atoi((*text)->c_str()) : 0;
    auto const is_it = [&] {
        auto const words = pid > 0 ? command_line_of(pid) : std::vector<std::string>();
        return std::ranges::any_of(words, [&](auto const& w) { return w.ends_with(f.config); });
    };
    if (is_it()) ::kill(pid, SIGTERM);
    auto const deadline = net::now() + end_limit;
    while (is_it() && net::now() < deadline)
        pause_for(milliseconds(10));
    if (is_it()) return failure{errc::local_error, f.program + " does not end"};
    return remove_file(f.pid_file);
}

result<void> start_forwarder(forwarder const& f, bool systemd) {
    if (f.program.empty()) return {};
    if (systemd) {
        if (auto const read = must_run({"systemctl", "daemon-reload"}, restart_limit); !read)
            return read;
        return must_run({"systemctl", "restart", "bevmesh-dns.service"}, restart_limit);
    }
    if (auto const stopped = stop_forwarder(f, systemd); !stopped) return stopped;
    bool const is_dnsmasq = f.program.ends_with("dnsmasq");
    std::vector<std::string> argv{f.program};
    if (is_dnsmasq)
        argv.push_back("--conf-file=" + f.config);
    else
        argv.insert(argv.end(), {"-c", f.config});
    return must_run(argv, restart_limit);
}

}  // namespace bevmesh::registrar::dns
