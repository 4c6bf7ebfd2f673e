#include "registrar/compat_check.hpp"

#include <nlohmann/json.hpp>

#include "registrar/command_line.hpp"
#include "registrar/go_duration.hpp"
#include "registrar/limits.hpp"
#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

using nlohmann::json;

class builder {
public:
    builder(port_settings const& settings, docker::port_key const& port,
            docker::container const& container, std::vector<note>& notes)
        : settings_(settings), port_(port), container_(container), notes_(notes) {}

    std::optional<check_config> build() {
        if (!choose()) return {};
        check_.tls_skip_verify = has("check_tls_skip_verify");
        take_duration("check_interval", check_.interval);
        take_duration("check_timeout", check_.timeout);
        take_duration("check_deregister_after", check_.deregister_after);
        take_deregister();
        take_status();
        take_headers();
        check_.body = settings_.get("check_body");
        return std::move(check_);
    }

private:
    bool choose() {
        if (has("check_http")) return http("check_http", check_kind::http);
        if (has("check_https")) return http("check_https", check_kind::https);
        if (has("check_cmd")) return cmd();
        if (has("check_script")) return script();
        if (has("check_ttl")) return ttl();
        if (has("check_tcp")) return kind(check_kind::tcp);
        if (has("check_grpc")) return grpc();
        if (has("check_docker")) return in_container();
        return false;
    }

    bool has(std::string_view key) const { return !settings_.get(key).empty(); }

    bool kind(check_kind k) {
        check_.kind = k;
        return true;
    }

    bool http(std::string const& key, check_kind k) {
        check_.path = settings_.get(key);
        if (has(key + "_method")) check_.method = settings_.get(key + "_method");
        return kind(k);
    }

    // Only the image progrium/consul has this program; Consul runs what it is told.
    bool cmd() {
        check_.command = {"check-cmd", container_.id.substr(0, 12), std::to_string(port_.port),
                          settings_.get("check_cmd")};
        return kind(check_kind::script);
    }

    bool script() {
        auto words = split_command(settings_.get("check_script"));
        if (!words || words->empty()) return complain("check_script", "a command");
        check_.command = std::move(*words);
        return kind(check_kind::script);
    }

    bool ttl() {
        take_duration("check_ttl", check_.ttl);
        return check_.ttl && kind(check_kind::ttl);
    }

    bool grpc() {
        check_.tls = has("check_grpc_use_tls");
        return kind(check_kind::grpc);
    }

    bool in_container() {
        auto const& command = settings_.get("check_docker");
        if (has("check_shell")) {
            check_.command = {settings_.get("check_shell"), "-c", command};
            return kind(check_kind::docker);
        }
        auto words = split_command(command);
        if (!words || words->empty()) return complain("check_docker", "a command");
        check_.command = std::move(*words);
        return kind(check_kind::docker);
    }

    void take_duration(std::string const& key, std::optional<milliseconds>& into) {
        if (!has(key)) return;
        auto const d = parse_go_duration(settings_.get(key));
        if (d && d->count() > 0)
            into = d;
        else
            complain(key, "a duration such as 15s");
    }

    // metabrainz has a switch here and its own time; a duration is what Consul needs.
    void take_deregister() {
        if (!check_.deregister_after) take_duration("check_deregister", check_.deregister_after);
    }

    void take_status() {
        auto const status = to_lower(settings_.get("check_initial_status"));
        if (status.empty()) return;
        if (status == "passing" || status == "warning" || status == "critical")
            check_.initial_status = status;
        else
            complain("check_initial_status", "passing, warning or critical");
    }

    void take_headers() {
        if (!has("check_header")) return;
        auto const parsed = json::parse(settings_.get("check_header"), nullptr, false);
        if (!parsed.is_object()) {
            complain("check_header", "a JSON object of lists");
            return;
        }
        for (auto const& [name, values] : parsed.items()) {
            auto const list = values.is_array() ? values : json::array({values});
            for (auto const& value : list)
                if (value.is_string())
                    check_.headers[name].push_back(value.get<std::string>());
                else
                    complain("check_header", "strings as values");
        }
    }

    bool complain(std::string const& key, std::string const& expected) {
        // Headers carry tokens: a value is only shown where it cannot be one.
        auto const value = key == "check_header" ? "" : "=" + excerpt(settings_.get(key));
        notes_.push_back({note::severity::warning, "bad-label",
                          "container " + display_name(container_) + ", port " +
                              std::to_string(port_.port) + ": SERVICE_" + upper(key) + value +
                              " is not understood; expected " + expected});
        return false;
    }

    static std::string upper(std::string text) {
        for (char& c : text)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        return text;
    }

    port_settings const& settings_;
    docker::port_key const& port_;
    docker::container const& container_;
    std::vector<note>& notes_;
    check_config check_;
};

}  // namespace

std::optional<check_config> compat_check(port_settings const& settings,
                                         docker::port_key const& port,
                                         docker::container const& container,
                                         std::vector<note>& notes) {
    return builder(settings, port, container, notes).build();
}

}  // namespace bevmesh::registrar
