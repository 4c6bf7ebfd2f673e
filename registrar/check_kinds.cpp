#include "registrar/check_kinds.hpp"

#include <algorithm>
#include <array>

#include "registrar/ip_text.hpp"
#include "registrar/limits.hpp"

namespace bevmesh::registrar {
namespace {

constexpr milliseconds usual_interval{10'000};
constexpr milliseconds usual_timeout{5'000};
constexpr milliseconds tcp_timeout{2'000};
constexpr milliseconds http_interval{30'000};
constexpr milliseconds http_timeout{10'000};
constexpr milliseconds http_start{40'000};
constexpr unsigned http_failures = 3;
constexpr milliseconds application_ttl{30'000};

bool is_http(check_kind k) {
    return k == check_kind::http || k == check_kind::https;
}
bool is_daemons(check_kind k) {
    return k == check_kind::redis || k == check_kind::postgres;
}

// Consul connects to a port for these.
bool needs_port(check_kind k) {
    return is_native_on_tcp(k) || is_daemons(k) || k == check_kind::udp;
}

std::string upper(std::string_view text) {
    std::string raised(text);
    for (char& c : raised)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return raised;
}

// What would end or split the request line, in percent form; the rest is the user's.
std::string request_path(std::string_view path) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string safe = path.starts_with('/') ? "" : "/";
    for (char const c : path) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f) {
            safe += c;
            continue;
        }
        safe += '%';
        safe += digits[byte >> 4U];
        safe += digits[byte & 0xfU];
    }
    return safe;
}

bool is_token(std::string_view text) {
    constexpr std::string_view separators = "()<>@,;:\\\"/[]?={}";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return c > 0x20 && c < 0x7f && separators.find(c) == std::string_view::npos;
    });
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

class maker {
public:
    maker(check_config const& config, check_target const& target, defaults use,
          std::vector<note>& notes)
        : config_(config), target_(target), use_(use), notes_(notes) {}

    std::optional<wanted_check> make() {
        if (!find_port() || !is_possible()) return {};
        take_times();
        take_thresholds();
        take_status();
        take_kind();
        made_.definition.name = config_.name.empty() ? describe() : config_.name;
        made_.definition.tls_skip_verify = config_.tls_skip_verify;
        made_.definition.tls_server_name = config_.tls_server_name;
        made_.definition.deregister_after = config_.deregister_after;
        return std::move(made_);
    }

private:
    bool find_port() {
        port_ = target_.port;
        if (!config_.port.empty()) {
            auto const at = target_.ports.find(config_.port);
            if (at == target_.ports.end())
                return refuse("the service has no port \"" + excerpt(config_.port) + "\"");
            port_ = at->second;
        }
        if (needs_port(config_.kind) && port_ == 0) return refuse("the service has no port");
        return true;
    }

    bool is_possible() {
        bool const runs = config_.kind == check_kind::script || config_.kind == check_kind::docker;
        if (runs && config_.command.empty()) return refuse("it has no command");
        if (config_.kind == check_kind::docker && target_.container_id.empty())
            return refuse("the service is no container");
        if (config_.kind == check_kind::alias && config_.alias_service.empty() &&
            config_.alias_node.empty())
            return refuse("it does not say which service to follow");
        return true;
    }

    bool refuse(std::string const& why) {
        tell("check-dropped", "check " + std::string(name(config_.kind)) + " is left out: " + why);
        return false;
    }

    void tell(std::string code, std::string const& what) {
        notes_.push_back({note::severity::warning, std::move(code),
                          "service " + target_.service_id + ": " + what});
    }

    milliseconds default_interval() const {
        if (use_ == defaults::own && is_http(config_.kind)) return http_interval;
        return usual_interval;
    }

    std::optional<milliseconds> default_timeout() const {
        if (use_ == defaults::registrator) return {};
        if (is_http(config_.kind)) return http_timeout;
        return config_.kind == check_kind::tcp ? tcp_timeout : usual_timeout;
    }

    static std::optional<milliseconds> positive(std::optional<milliseconds> d) {
        return d && d->count() > 0 ? d : std::nullopt;
    }

    void take_times() {
        auto& d = made_.definition;
        auto const interval = positive(config_.interval).value_or(default_interval());
        auto const timeout = positive(config_.timeout) ? config_.timeout : default_timeout();
        made_.interval = interval;
        probe_.timeout = timeout.value_or(is_http(config_.kind) ? http_timeout : tcp_timeout);
        bool const own_http = use_ == defaults::own && is_http(config_.kind);
        made_.start_period = config_.start_period.value_or(own_http ? http_start : milliseconds{0});
        // Consul takes neither from a TTL or alias check.
        if (config_.kind == check_kind::ttl || config_.kind == check_kind::alias ||
            is_daemons(config_.kind))
            return;
        d.interval = interval;
        d.timeout = timeout;
    }

    void take_thresholds() {
        auto& d = made_.definition;
        d.success_before_passing = config_.success_before_passing;
        d.failures_before_critical = config_.failures_before_critical;
        if (d.failures_before_critical == 0 && use_ == defaults::own && is_http(config_.kind))
            d.failures_before_critical = http_failures;
        // Consul: "FailuresBeforeWarning can't be higher than FailuresBeforeCritical".
        if (config_.failures_before_warning <= d.failures_before_critical)
            d.failures_before_warning = config_.failures_before_warning;
        else
            tell("check-threshold",
                 "failures_before_warning is above failures_before_critical and "
                 "is left out");
    }

    void take_status() {
        auto const& status = config_.initial_status;
        if (status.empty() || status == "passing" || status == "warning" || status == "critical")
            made_.definition.initial_status = status;
        else
            tell("check-status", "initial status \"" + excerpt(status) + "\" is left out");
    }

    void take_kind() {
        auto& d = made_.definition;
        auto const where = host_port(target_.address, port_);
        switch (config_.kind) {
            case check_kind::tcp:
                d.tcp = where;
                d.tcp_use_tls = config_.tls;
                // A connection proves nothing about the handshake that Consul will make.
                if (!config_.tls) take_probe(probe_kind::tcp);
                return;
            case check_kind::http:
            case check_kind::https:
                return take_http(where);
            case check_kind::udp:
                d.udp = where;
                return;
            case check_kind::grpc:
                d.grpc = config_.grpc_service.empty() ? where : where + "/" + config_.grpc_service;
                d.grpc_use_tls = config_.tls;
                return;
            case check_kind::h2ping:
                d.h2ping = where;
                d.h2ping_use_tls = config_.tls;
                return;
            case check_kind::script:
                d.args = command();
                return;
            case check_kind::docker:
                d.docker_container_id = target_.container_id;
                d.args = command();
                return;
            case check_kind::ttl:
                made_.by = reporter::application;
                d.ttl = positive(config_.ttl).value_or(application_ttl);
                return;
            case check_kind::alias:
                d.alias_service = config_.alias_service;
                d.alias_node = config_.alias_node;
                return;
            case check_kind::redis:
                return take_daemons(probe_kind::redis);
            case check_kind::postgres:
                return take_daemons(probe_kind::postgres);
        }
    }

    void take_http(std::string const& where) {
        auto& d = made_.definition;
        probe_.path = request_path(config_.path);
        d.http = std::string(name(config_.kind)) + "://" + where + probe_.path;
        probe_.method = upper(config_.method);
        if (!is_token(probe_.method)) {
            tell("check-method", "method \"" + excerpt(config_.method) + "\" is none; GET is used");
            probe_.method = "GET";
        }
        d.method = probe_.method;
        for (auto const& [key, values] : config_.headers)
            if (is_token(key) && std::ranges::all_of(values, is_plain_text))
                probe_.headers.emplace(key, values);
            else
                tell("check-header",
                     "header \"" + excerpt(key) + "\" is left out: HTTP has no such");
        d.header = probe_.headers;
        d.body = probe_.body = config_.body;
        take_probe(config_.kind == check_kind::https ? probe_kind::https : probe_kind::http);
    }

    void take_daemons(probe_kind kind) {
        made_.by = reporter::daemon;
        made_.definition.ttl = reported_ttl;
        made_.definition.notes = "bevmesh asks and reports.";
        probe_.user = config_.user;
        probe_.database = config_.database;
        probe_.password_file = config_.password_file;
        take_probe(kind);
    }

    void take_probe(probe_kind kind) {
        probe_.kind = kind;
        probe_.host = target_.address;
        probe_.port = port_;
        probe_.tls_skip_verify = config_.tls_skip_verify;
        probe_.tls_server_name = config_.tls_server_name;
        made_.probe = probe_;
    }

    std::vector<std::string> command() const {
        auto words = config_.command;
        for (auto& word : words) {
            replace_all(word, "$SERVICE_IP", target_.address);
            replace_all(word, "$SERVICE_PORT", std::to_string(port_));
        }
        return words;
    }

    std::string describe() const {
        if (use_ == defaults::registrator) return "Service '" + target_.service_name + "' check";
        auto text = upper(name(config_.kind));
        if (is_http(config_.kind)) text += " " + request_path(config_.path);
        if (needs_port(config_.kind)) text += " on " + std::to_string(port_);
        return text;
    }

    check_config const& config_;
    check_target const& target_;
    defaults use_;
    std::vector<note>& notes_;
    std::uint16_t port_ = 0;
    probe probe_;
    wanted_check made_;
};

}  // namespace

std::optional<wanted_check> make_check(check_config const& config, check_target const& target,
                                       defaults use, std::vector<note>& notes) {
    return maker(config, target, use, notes).make();
}

wanted_check docker_health_check(check_target const& target) {
    wanted_check made;
    made.by = reporter::docker_health;
    made.definition.name = "Docker HEALTHCHECK of " + target.container;
    made.definition.notes = "bevmesh reports what Docker says of the container.";
    made.definition.ttl = reported_ttl;
    return made;
}

bool is_native_on_tcp(check_kind kind) noexcept {
    static constexpr std::array on_tcp{check_kind::tcp, check_kind::http, check_kind::https,
                                       check_kind::grpc, check_kind::h2ping};
    return std::ranges::find(on_tcp, kind) != on_tcp.end();
}

std::string_view name(check_kind kind) noexcept {
    switch (kind) {
        case check_kind::tcp:
            return "tcp";
        case check_kind::http:
            return "http";
        case check_kind::https:
            return "https";
        case check_kind::udp:
            return "udp";
        case check_kind::grpc:
            return "grpc";
        case check_kind::h2ping:
            return "h2ping";
        case check_kind::script:
            return "script";
        case check_kind::docker:
            return "docker";
        case check_kind::ttl:
            return "ttl";
        case check_kind::alias:
            return "alias";
        case check_kind::redis:
            return "redis";
        case check_kind::postgres:
            return "postgres";
    }
    return "unknown";
}

}  // namespace bevmesh::registrar
