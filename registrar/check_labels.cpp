#include "registrar/check_labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "registrar/command_line.hpp"
#include "registrar/go_duration.hpp"
#include "registrar/labels.hpp"

namespace bevmesh::registrar {
namespace {

constexpr std::array<std::pair<std::string_view, check_kind>, 12> kinds{{
    {"http", check_kind::http},
    {"https", check_kind::https},
    {"tcp", check_kind::tcp},
    {"udp", check_kind::udp},
    {"h2ping", check_kind::h2ping},
    {"redis", check_kind::redis},
    {"postgres", check_kind::postgres},
    {"grpc", check_kind::grpc},
    {"script", check_kind::script},
    {"docker", check_kind::docker},
    {"ttl", check_kind::ttl},
    {"alias", check_kind::alias},
}};

constexpr std::string_view a_duration = "a duration such as 30s or 1m30s";

// Each of these returns what was expected, or nothing when it took the value.
std::string take_duration(std::optional<milliseconds>& into, std::string const& value) {
    auto const d = parse_go_duration(value);
    if (!d || d->count() == 0) return std::string(a_duration);
    into = d;
    return {};
}

std::string take_count(unsigned& into, std::string const& value) {
    unsigned number = 0;
    auto const* end = value.data() + value.size();
    auto const parsed = std::from_chars(value.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number > 1000)
        return "a number up to 1000";
    into = number;
    return {};
}

std::string take_switch(bool& into, std::string const& value) {
    auto const flag = parse_switch(value);
    if (!flag) return "true or false";
    into = *flag;
    return {};
}

std::string take_header(check_config& c, std::string const& value) {
    auto const colon = value.find(':');
    if (colon == 0 || colon == std::string::npos) return "\"Name: value\"";
    auto const start = value.find_first_not_of(' ', colon + 1);
    c.headers[value.substr(0, colon)].push_back(start == std::string::npos ? std::string()
                                                                           : value.substr(start));
    return {};
}

std::string take_status(std::string& into, std::string const& value) {
    if (value != "passing" && value != "warning" && value != "critical")
        return "passing, warning or critical";
    into = value;
    return {};
}

std::string take_text(std::string& into, std::string const& value) {
    into = value;
    return {};
}

std::string take_command(check_config& c, std::string const& value) {
    auto words = split_command(value);
    if (!words || words->empty()) return "a command with its quotes closed";
    c.command = std::move(*words);
    return {};
}

std::string take_true(std::string const& value) {
    return parse_switch(value).value_or(false) ? "" : "true";
}

std::string take_kind(check_config& c, check_kind kind, std::string const& value) {
    c.kind = kind;
    if (value.empty()) return "a value";
    switch (kind) {
        case check_kind::http:
        case check_kind::https:
            return take_text(c.path, value);
        case check_kind::grpc:
            return parse_switch(value).value_or(false) ? "" : take_text(c.grpc_service, value);
        case check_kind::script:
        case check_kind::docker:
            return take_command(c, value);
        case check_kind::ttl:
            return take_duration(c.ttl, value);
        case check_kind::alias:
            return take_text(c.alias_service, value);
        case check_kind::tcp:
        case check_kind::udp:
        case check_kind::h2ping:
        case check_kind::redis:
        case check_kind::postgres:
            break;
    }
    return take_true(value);
}

std::string take_setting(check_config& c, std::string const& key, std::string const& value) {
    if (key == "name") return take_text(c.name, value);
    if (key == "interval") return take_duration(c.interval, value);
    if (key == "timeout") return take_duration(c.timeout, value);
    if (key == "start_period") return take_duration(c.start_period, value);
    if (key == "deregister_after") return take_duration(c.deregister_after, value);
    if (key == "header") return take_header(c, value);
    if (key.starts_with("header.")) return take_header(c, key.substr(7) + ":" + value);
    if (key == "method") return take_text(c.method, value);
    if (key == "body") return take_text(c.body, value);
    if (key == "tls") return take_switch(c.tls, value);
    if (key == "tls_skip_verify") return take_switch(c.tls_skip_verify, value);
    if (key == "tls_server_name") return take_text(c.tls_server_name, value);
    if (key == "user") return take_text(c.user, value);
    if (key == "database") return take_text(c.database, value);
    if (key == "alias_node") return take_text(c.alias_node, value);
    if (key == "initial_status") return take_status(c.initial_status, value);
    if (key == "success_before_passing") return take_count(c.success_before_passing, value);
    if (key == "failures_before_warning") return take_count(c.failures_before_warning, value);
    if (key == "failures_before_critical") return take_count(c.failures_before_critical, value);
    if (key == "password_file") return "no such label: it belongs into the configuration";
    return "a kind of check or one of its settings";
}

bool is_kind(std::string_view key) {
    return std::ranges::find(kinds, key, [](auto const& k) { return k.first; }) != kinds.end();
}

}  // namespace

std::optional<check_config> read_check(std::map<std::string, std::string> const& settings,
                                       std::vector<label_problem>& problems) {
    check_config check;
    std::string chosen;
    for (auto const& [name, kind] : kinds) {
        auto const at = settings.find(std::string(name));
        if (at == settings.end()) continue;
        if (!chosen.empty()) {
            problems.push_back({at->first, "one kind in a check; it is already " + chosen});
            continue;
        }
        auto expected = take_kind(check, kind, at->second);
        if (!expected.empty()) {
            problems.push_back({at->first, std::move(expected)});
            return {};
        }
        chosen = name;
    }
    for (auto const& [key, value] : settings) {
        if (is_kind(key)) continue;
        auto expected = take_setting(check, key, value);
        if (!expected.empty()) problems.push_back({key, std::move(expected)});
    }
    if (!chosen.empty()) return check;
    problems.push_back({"",
                        "a kind: http, https, tcp, udp, grpc, h2ping, script, docker, ttl, "
                        "alias, redis or postgres"});
    return {};
}

}  // namespace bevmesh::registrar
