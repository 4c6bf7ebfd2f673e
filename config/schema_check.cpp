// An entry of `checks`: a kind, alone or with its settings.
//
//   - tcp                  the kind alone, where it needs nothing
//   - http: /health        its main setting alone
//   - http: {path: /health, interval: 10s}
#include <array>

#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;
using c = check_config;

/// What a check can do, as far as its settings go.
struct abilities {
    bool port = false;      // it has a port to choose
    bool polls = false;     // somebody asks in an interval
    bool consul = false;    // Consul asks, with its thresholds
    bool probed = false;    // the daemon asks before it announces
    bool reported = false;  // its status can be given at first
};

struct kind_entry {
    check_kind kind;
    std::string_view key;
    abilities can;
    fields<c> settings;
    std::optional<field<c>> main;  // what stands for the settings when it is no mapping
    bool needs_settings = false;
};

template <class... Rest>
std::vector<field<c>> joined(std::vector<field<c>> all, Rest const&... rest) {
    (all.insert(all.end(), rest.begin(), rest.end()), ...);
    return all;
}

std::vector<field<c>> common(abilities const& can) {
    std::vector<field<c>> all{
        key("name", &c::name, text(formats::line_of_text), "The check's name in Consul."),
    };
    if (can.port)
        all.push_back(key("port", &c::port, text(formats::label),
                          "The key under `ports` whose port is meant. Without it: the main one."));
    if (can.polls) {
        all.push_back(key("interval", &c::interval, optional(duration(1s, 24h)),
                          "The time from one test to the next. http: 30s, others: 10s."));
        all.push_back(key("timeout", &c::timeout, optional(duration(1ms, 10min)),
                          "How long a test may take. http: 10s, tcp: 2s."));
        all.push_back(key("failures_before_critical", &c::failures_before_critical, count(1, 100),
                          "How many failures in a row make it critical. http: 3, others: 1."));
    }
    if (can.consul) {
        all.push_back(key("success_before_passing", &c::success_before_passing, count(1, 100),
                          "How many successes in a row make it passing."));
        all.push_back(key("failures_before_warning", &c::failures_before_warning, count(1, 100),
                          "How many failures in a row make it warning."));
    }
    if (can.probed)
        all.push_back(
            key("start_period", &c::start_period, optional(duration(0ms, 24h)),
                "For so long after its start a service that does not answer yet is looked at "
                "every 250ms, then every few seconds, until it first does. http: 40s, "
                "others: 0s."));
    if (can.reported) {
        all.push_back(key("initial_status", &c::initial_status,
                          one_of({"passing", "warning", "critical"}),
                          "The status until the first result. Without it: by the daemon's own "
                          "test, else critical."));
        all.push_back(key("deregister_after", &c::deregister_after, optional(duration(1min, 720h)),
                          "Consul removes the service when it was critical for so long."));
    }
    return all;
}

std::vector<field<c>> tls(bool has_switch) {
    std::vector<field<c>> all{
        key("tls_skip_verify", &c::tls_skip_verify, boolean(),
            "Whether the certificate may be anyone's."),
        key("tls_server_name", &c::tls_server_name, text(formats::host),
            "The name in the certificate."),
    };
    if (has_switch)
        all.push_back(key("tls", &c::tls, boolean(), "Whether the service speaks TLS."));
    return all;
}

field<c> path() {
    return required("path", &c::path, text(formats::url_path), "What to ask for, such as /health.");
}

std::vector<field<c>> http_settings() {
    auto const values = list(text(formats::header_value), "a list of header values");
    return {
        path(),
        key("method", &c::method, text(formats::method), "The request's method."),
        key("headers", &c::headers,
            map(formats::header_name, values,
                "a mapping of headers, such as {Accept: [text/html]}"),
            "The request's headers, a list of values each."),
        key("body", &c::body, text(formats::line_of_text), "The request's body."),
    };
}

field<c> command() {
    return required("command", &c::command,
                    list(text(formats::line_of_text), "a program and its arguments in a list", 1),
                    "The program and its arguments; no shell reads it.");
}

std::vector<field<c>> user() {
    return {
        key("user", &c::user, text(formats::line_of_text), "Who the daemon logs in as."),
        key("password_file", &c::password_file, text(formats::absolute_path),
            "A file with the password."),
    };
}

field<c> database() {
    return key("database", &c::database, text(formats::line_of_text),
               "The database to connect to.");
}

field<c> ttl() {
    return required("ttl", &c::ttl, optional(duration(1s, 720h)),
                    "How long a report of the service itself holds.");
}

field<c> alias() {
    return required("service", &c::alias_service, text(formats::line_of_text),
                    "The ID of a service of this node, or a name where `node` is given.");
}

field<c> alias_node() {
    return key("node", &c::alias_node, text(formats::label), "The node of the service.");
}

field<c> grpc_service() {
    return key("service", &c::grpc_service, text(formats::line_of_text),
               "The service to ask grpc.health.v1 for. Without it: the whole server.");
}

kind_entry entry(check_kind kind, std::string_view name, abilities can,
                 std::vector<field<c>> const& own, std::optional<field<c>> main = {}) {
    bool const needs = main.has_value();
    return {kind, name, can, fields<c>(joined(own, common(can))), std::move(main), needs};
}

std::vector<kind_entry> const& kinds() {
    constexpr abilities native{true, true, true, false, true};
    constexpr abilities born_true{true, true, true, true, true};
    constexpr abilities daemons{true, true, false, true, true};
    constexpr abilities runs{false, true, true, false, true};
    constexpr abilities reported{false, false, false, false, true};
    using k = check_kind;
    static std::vector<kind_entry> const all{
        entry(k::tcp, "tcp", born_true, tls(true)),
        entry(k::http, "http", born_true, http_settings(), path()),
        entry(k::https, "https", born_true, joined(http_settings(), tls(false)), path()),
        entry(k::udp, "udp", native, {}),
        entry(k::grpc, "grpc", native, joined({grpc_service()}, tls(true))),
        entry(k::h2ping, "h2ping", native, tls(true)),
        entry(k::script, "script", runs, {command()}, command()),
        entry(k::docker, "docker", runs, {command()}, command()),
        entry(k::ttl, "ttl", reported, {ttl()}, ttl()),
        entry(k::alias, "alias", {}, {alias(), alias_node()}, alias()),
        entry(k::redis, "redis", daemons, user()),
        entry(k::postgres, "postgres", daemons, joined(user(), std::vector{database()})),
    };
    return all;
}

std::string names_of_kinds() {
    std::string all;
    for (auto const& k : kinds()) {
        if (!all.empty()) all += ", ";
        all += k.key;
    }
    return all;
}

class check_type final : public type<check_config> {
public:
    void read(node const& at, reader& in, check_config& out) const override {
        if (at.type == node::kind::scalar) return read_bare(at, in, out);
        if (at.type != node::kind::map || at.members.size() != 1) {
            in.report(at.at, at.type == node::kind::map ? several(at) : "is " + describe(at),
                      "one kind of check: " + names_of_kinds());
            return;
        }
        auto const& m = at.members.front();
        if (auto const* k = find(m.key, m.at, in)) read_kind(*k, m, in, out);
    }

    json show(check_config const& value) const override {
        for (auto const& k : kinds()) {
            if (k.kind != value.kind) continue;
            auto settings = json::object();
            k.settings.show(value, settings);
            return {{std::string(k.key), std::move(settings)}};
        }
        return {};
    }

    json schema() const override {
        auto bare = json::array();
        auto properties = json::object();
        for (auto const& k : kinds()) {
            if (!k.needs_settings) bare.push_back(k.key);
            properties[std::string(k.key)] = settings_schema(k);
        }
        json const mapping{{"type", "object"},
                           {"additionalProperties", false},
                           {"minProperties", 1},
                           {"maxProperties", 1},
                           {"properties", std::move(properties)}};
        return {{"anyOf", json::array({json{{"enum", std::move(bare)}}, mapping})}};
    }

private:
    static std::string several(node const& at) {
        if (at.members.empty()) return "names no kind";
        std::string keys;
        for (auto const& m : at.members)
            keys += (keys.empty() ? "" : ", ") + in_quotes(m.key);
        return "has several keys, " + keys;
    }

    static kind_entry const* find(std::string const& name, position at, reader& in) {
        std::vector<std::string> known;
        for (auto const& k : kinds()) {
            if (k.key == name) return &k;
            known.emplace_back(k.key);
        }
        in.report(at, in_quotes(name) + " is no kind of check" + did_you_mean(name, known),
                  "one of " + names_of_kinds());
        return nullptr;
    }

    static void read_bare(node const& at, reader& in, check_config& out) {
        auto const* k = find(at.text, at.at, in);
        if (k == nullptr) return;
        out.kind = k->kind;
        if (k->needs_settings)
            in.report(at.at, at.text + " alone does not say enough",
                      at.text + " with its " + k->main->key);
    }

    static void read_kind(kind_entry const& k, member const& m, reader& in, check_config& out) {
        auto const inside = in.enter(m.key, place_of(m));
        out.kind = k.kind;
        bool const is_mapping = m.value.type == node::kind::map || m.value.type == node::kind::null;
        if (!is_mapping && k.main) {
            auto const setting = in.enter(k.main->key, place_of(m));
            return k.main->read(m.value, in, out);
        }
        auto const* members = members_of(m.value, in, "a mapping of settings, such as {}");
        if (members == nullptr) return;
        for (auto const& setting : *members)
            if (!k.settings.take(setting, in, out))
                detail::report_unknown(setting, in, k.settings.keys());
        k.settings.report_missing(*members, place_of(m), in);
    }

    static json settings_schema(kind_entry const& k) {
        auto properties = json::object();
        auto required = json::array();
        k.settings.describe(properties, required);
        json mapping{{"type", k.needs_settings ? json("object") : json::array({"object", "null"})},
                     {"additionalProperties", false},
                     {"properties", std::move(properties)}};
        if (!required.empty()) mapping["required"] = std::move(required);
        if (!k.main) return mapping;
        return {{"anyOf", json::array({k.main->schema(), std::move(mapping)})}};
    }
};

}  // namespace

type_of<check_config> check_entry() {
    return std::make_shared<check_type>();
}

std::string_view key_of(check_kind kind) noexcept {
    for (auto const& k : kinds())
        if (k.kind == kind) return k.key;
    return "tcp";
}

}  // namespace bevmesh::config
