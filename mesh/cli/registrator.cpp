#include "mesh/cli/registrator.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace bevmesh::cli {
namespace {

using nlohmann::json;

enum class takes { truth, text, number };

struct flag {
    std::string_view name;
    takes value;
};

constexpr std::array flags{
    flag{"cleanup", takes::truth},
    flag{"deregister", takes::text},
    flag{"explicit", takes::truth},
    flag{"internal", takes::truth},
    flag{"ip", takes::text},
    flag{"resync", takes::number},
    flag{"retry-attempts", takes::number},
    flag{"retry-interval", takes::number},
    flag{"tags", takes::text},
    flag{"ttl", takes::number},
    flag{"ttl-refresh", takes::number},
    flag{"useIpFromLabel", takes::text},
};

struct said {
    std::map<std::string, std::string, std::less<>> flags;
    std::string uri;

    [[nodiscard]] std::string text(std::string_view name) const {
        auto const at = flags.find(name);
        return at == flags.end() ? std::string() : at->second;
    }
    [[nodiscard]] bool truth(std::string_view name) const { return text(name) == "true"; }
    [[nodiscard]] long number(std::string_view name, long otherwise) const {
        auto const written = text(name);
        long value = otherwise;
        std::from_chars(written.data(), written.data() + written.size(), value);
        return value;
    }
};

failure wrong(std::string what) {
    return {errc::bad_input, std::move(what)};
}

/// As Go's strconv.ParseBool.
std::optional<std::string> truth_of(std::string_view word) {
    static constexpr std::array yes{"1", "t", "T", "true", "TRUE", "True"};
    static constexpr std::array no{"0", "f", "F", "false", "FALSE", "False"};
    if (std::ranges::find(yes, word) != yes.end()) return "true";
    if (std::ranges::find(no, word) != no.end()) return "false";
    return {};
}

result<std::string> checked(flag const& f, std::string const& value) {
    auto const shown = "-" + std::string(f.name) + "=" + value;
    if (f.value == takes::truth) {
        auto const truth = truth_of(value);
        if (!truth) return wrong(shown + ": expected true or false");
        return *truth;
    }
    if (f.value == takes::number) {
        long parsed = 0;
        auto const* const end = value.data() + value.size();
        auto const [stopped, error] = std::from_chars(value.data(), end, parsed);
        if (error != std::errc() || stopped != end) return wrong(shown + ": expected a number");
    }
    return value;
}

result<said> split(std::vector<std::string> const& words) {
    said all;
    std::size_t i = 0;
    for (; i < words.size() && words[i].size() > 1 && words[i].front() == '-'; ++i) {
        if (words[i] == "--") {
            ++i;
            break;
        }
        auto const body = words[i].substr(words[i].starts_with("--") ? 2 : 1);
        auto const equals = body.find('=');
        auto const name = body.substr(0, equals);
        auto const known = std::ranges::find(flags, std::string_view(name), &flag::name);
        if (known == flags.end()) return wrong("registrator has no flag -" + name);
        std::string value = "true";
        if (equals != std::string::npos)
            value = body.substr(equals + 1);
        else if (known->value != takes::truth) {
            if (i + 1 == words.size()) return wrong("-" + name + ": its value is missing");
            value = words[++i];
        }
        auto taken = checked(*known, value);
        if (!taken) return taken.error();
        all.flags[name] = std::move(*taken);
    }
    if (i + 1 != words.size())
        return wrong("expected one registry URI behind the flags, such as consul://127.0.0.1:8500");
    all.uri = words[i];
    return all;
}

result<std::string> consul_address(std::string const& uri) {
    auto const colon = uri.find("://");
    auto const scheme = uri.substr(0, colon);
    auto rest = colon == std::string::npos ? std::string() : uri.substr(colon + 3);
    if (scheme == "consul-unix") return "unix://" + rest;
    if (scheme != "consul" && scheme != "consul-tls")
        return wrong(uri +
                     ": expected consul://, consul-tls:// or consul-unix://; bevmesh keeps "
                     "services in Consul alone");
    rest = rest.substr(0, rest.find('/'));
    if (rest.empty()) rest = "127.0.0.1:8500";
    if (rest.front() == ':') rest.insert(0, "127.0.0.1");
    return scheme == "consul-tls" ? "https://" + rest : rest;
}

json consul_section(std::string const& address, registrator_host const& host) {
    json section{{"address", address}};
    static constexpr std::array files{std::pair{"CONSUL_CACERT", "ca_file"},
                                      std::pair{"CONSUL_CLIENT_CERT", "cert_file"},
                                      std::pair{"CONSUL_CLIENT_KEY", "key_file"}};
    for (auto const& [variable, key] : files)
        if (auto const at = host.environment.find(variable); at != host.environment.end())
            section[key] = at->second;
    return section;
}

json registrar_section(said const& all, registrator_host const& host) {
    json compat{{"hostname", host.name}};
    if (all.truth("internal")) compat["internal"] = true;
    if (all.truth("explicit")) compat["explicit"] = true;
    for (auto const& [flag, key] : {std::pair{"ip", "ip"}, std::pair{"tags", "tags"},
                                    std::pair{"useIpFromLabel", "use_ip_from_label"}})
        if (auto value = all.text(flag); !value.empty()) compat[key] = std::move(value);
    json section{{"compose", false}, {"compat", std::move(compat)}};
    if (auto const resync = std::clamp(all.number("resync", 0), 0L, 3600L); resync > 0)
        section["resync"] = std::to_string(resync) + "s";
    return section;
}

/// A host name as a node's: one label in lower case.
std::string node_name(std::string const& host) {
    std::string name;
    for (char const c : host.substr(0, host.find('.'))) {
        auto const lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        bool const fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
        if (fits || (!name.empty() && name.back() != '-')) name += fits ? lower : '-';
    }
    while (!name.empty() && name.back() == '-')
        name.pop_back();
    return name.empty() ? "node" : name;
}

std::vector<std::string> notes_on(said const& all) {
    std::vector<std::string> notes;
    if (all.flags.contains("cleanup") && !all.truth("cleanup"))
        notes.emplace_back(
            "-cleanup=false: entries of containers that are gone are always removed; those of "
            "others never");
    if (all.number("ttl", 0) != 0 || all.number("ttl-refresh", 0) != 0)
        notes.emplace_back("-ttl, -ttl-refresh: registrator's Consul backend never used them");
    if (all.number("retry-attempts", 0) > 0)
        notes.emplace_back("-retry-attempts: bevmesh tries until Consul answers");
    return notes;
}

}  // namespace

result<registrator_run> understand_registrator(std::vector<std::string> const& words,
                                               registrator_host const& host) {
    auto const all = split(words);
    if (!all) return all.error();
    auto const consul = consul_address(all->uri);
    if (!consul) return consul.error();
    auto const deregister = all->text("deregister");
    if (deregister == "on-success")
        return wrong(
            "-deregister=on-success leaves the entries of containers that failed in Consul; "
            "bevmesh removes those of every container that has ended: expected always");
    if (!deregister.empty() && deregister != "always")
        return wrong("-deregister=" + deregister + ": expected always");
    if (all->number("ttl", 0) > 0 && all->number("ttl-refresh", 0) <= 0)
        return wrong("-ttl and -ttl-refresh must be given together, or none of them");

    auto const forced = all->text("ip");
    auto const address = forced.empty() ? host.address : forced;
    if (address.empty())
        return wrong("the name of this host, " + host.name +
                     ", leads to no address that others can reach: say which one with -ip");
    registrator_run run;
    run.node = node_name(host.name);
    run.notes = notes_on(*all);
    json document{{"mesh", {{"name", "registrator"}}},
                  {"consul", consul_section(*consul, host)},
                  {"registrar", registrar_section(*all, host)},
                  {"nodes", {{run.node, {{"address", address}}}}}};
    if (auto const engine = host.environment.find("DOCKER_HOST");
        engine != host.environment.end() && !engine->second.empty())
        document["docker"] = {{"address", engine->second}};
    run.document = document.dump(2) + "\n";
    return run;
}

}  // namespace bevmesh::cli
