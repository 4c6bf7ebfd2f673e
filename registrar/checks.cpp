#include "registrar/checks.hpp"

#include <algorithm>
#include <set>

#include "registrar/check_kinds.hpp"
#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

struct keyed {
    std::string key;
    wanted_check check;
};

std::string key_of(check_config const& config) {
    if (auto named = to_dns_label(config.name); !named.empty()) return named;
    auto key = std::string(name(config.kind));
    if (auto const port = to_dns_label(config.port); !port.empty()) key += "-" + port;
    return key;
}

// FNV-1a over what makes two checks of one kind different; lengths keep neighbours apart.
std::string fingerprint(consul::check_definition const& d) {
    std::uint32_t hash = 0x811c9dc5U;
    auto const add = [&](std::string_view text) {
        for (char const c : std::to_string(text.size()) + ":" + std::string(text))
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
    };
    for (auto const* text : {&d.http, &d.method, &d.body, &d.tcp, &d.udp, &d.grpc, &d.h2ping,
                             &d.docker_container_id, &d.alias_service, &d.alias_node, &d.name})
        add(*text);
    for (auto const& word : d.args)
        add(word);
    for (auto const& [header, values] : d.header) {
        add(header);
        for (auto const& v : values)
            add(v);
    }
    std::string hex(8, '0');
    for (unsigned i = 0; i < 8; ++i)
        hex[i] = "0123456789abcdef"[(hash >> (28 - 4 * i)) & 0xfU];
    return hex;
}

// The keys that are taken twice get a hash, all of them: which one came first must not matter.
void tell_apart(std::vector<keyed>& checks) {
    std::map<std::string, int> uses;
    for (auto const& c : checks)
        ++uses[c.key];
    for (auto& c : checks)
        if (uses[c.key] > 1) c.key += "-" + fingerprint(c.check.definition);
}

class list_builder {
public:
    list_builder(check_target const& target, std::vector<note>& notes)
        : target_(target), notes_(notes) {}

    void add(check_config const& config) {
        auto made = make_check(config, target_, defaults::own, notes_);
        if (!made) return;
        auto const port = port_of(config);
        if (is_native_on_tcp(config.kind)) watched_.insert(port);
        if (made->by == reporter::daemon) beside_.insert({port, config.port});
        checks_.push_back({key_of(config), std::move(*made)});
    }

    void mirror() { checks_.push_back({"docker-health", docker_health_check(target_)}); }

    void note_native(check_kind kind) {
        if (is_native_on_tcp(kind)) watched_.insert(target_.port);
    }

    void want_beside_main() {
        if (target_.port != 0 && target_.protocol == "tcp") beside_.insert({target_.port, ""});
    }

    [[nodiscard]] bool watches_tcp() const { return !watched_.empty(); }

    void add_beside() {
        for (auto const& [port, key] : beside_) {
            if (watched_.contains(port)) continue;
            check_config tcp;
            tcp.port = key;
            add(tcp);
        }
    }

    std::vector<wanted_check> finish() {
        tell_apart(checks_);
        std::vector<wanted_check> list;
        std::set<std::string> seen;
        for (auto& [key, check] : checks_) {
            check.definition.id = "bevmesh:" + target_.service_id + ":" + key;
            if (seen.insert(check.definition.id).second)
                list.push_back(std::move(check));
            else
                notes_.push_back({note::severity::warning, "duplicate-check",
                                  "service " + target_.service_id + " has the check \"" +
                                      check.definition.name + "\" twice; one is left out"});
        }
        return list;
    }

private:
    std::uint16_t port_of(check_config const& config) const {
        auto const at = target_.ports.find(config.port);
        return config.port.empty() || at == target_.ports.end() ? target_.port : at->second;
    }

    check_target const& target_;
    std::vector<note>& notes_;
    std::vector<keyed> checks_;
    std::set<std::uint16_t> watched_;                         // by a native check of ours
    std::set<std::pair<std::uint16_t, std::string>> beside_;  // to be watched besides
};

}  // namespace

std::vector<wanted_check> wanted_checks(check_wishes const& wishes, check_target const& target,
                                        std::vector<note>& notes) {
    list_builder builder(target, notes);
    std::optional<wanted_check> registrator;
    if (wishes.registrator) {
        registrator = make_check(*wishes.registrator, target, defaults::registrator, notes);
        if (registrator) builder.note_native(wishes.registrator->kind);
    }
    if (wishes.named) {
        for (auto const& config : *wishes.named)
            builder.add(config);
    } else if (wishes.tcp_by_default && target.protocol == "tcp" && target.port != 0) {
        builder.add(check_config{});
    }
    bool const none_wanted = wishes.named && wishes.named->empty();
    if (wishes.mirror_docker) {
        builder.mirror();
        if (!none_wanted && !builder.watches_tcp()) builder.want_beside_main();
    }
    builder.add_beside();
    auto checks = builder.finish();
    if (registrator) {
        registrator->definition.id = "service:" + target.service_id;
        checks.insert(checks.begin(), std::move(*registrator));
    }
    std::ranges::sort(checks, {}, [](wanted_check const& c) { return c.definition.id; });
    return checks;
}

}  // namespace bevmesh::registrar
