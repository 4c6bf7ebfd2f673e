#include "registrar/desired.hpp"

#include <algorithm>
#include <set>

#include "registrar/checks.hpp"
#include "registrar/configured.hpp"
#include "registrar/ip_text.hpp"
#include "registrar/limits.hpp"
#include "registrar/names.hpp"
#include "registrar/sources.hpp"

namespace bevmesh::registrar {
namespace {

bool is_present(docker::run_state state) {
    return state == docker::run_state::running || state == docker::run_state::paused ||
           state == docker::run_state::restarting;
}

std::string suspension(docker::run_state state) {
    if (state == docker::run_state::paused) return "container is paused";
    if (state == docker::run_state::restarting) return "container is restarting";
    return {};
}

std::string id_host(context const& where) {
    auto const& host = where.config->registrar.compat.hostname;
    if (!host.empty()) return host;
    return where.engine_host.empty() ? where.node : where.engine_host;
}

/// Who a registration is of: a container, or with a null one the node.
struct bearer {
    docker::container const* container = nullptr;
    std::string who;  // for notes
};

class assembler {
public:
    assembler(context const& where, bearer of, origin source, desired& out)
        : where_(where), of_(std::move(of)), source_(source), out_(out) {}

    void add(draft d, std::string id, endpoint at) {
        if (!is_valid(d, id, at)) return;
        id = unique(std::move(id), d);
        if (id.empty()) return;
        registration r;
        r.service.id = id;
        r.service.name = d.name;
        r.service.tags = std::move(d.tags);
        r.service.meta = std::move(d.meta);
        r.service.address = std::move(at.address);
        r.service.port = at.port;
        r.service.tagged_addresses = std::move(at.tagged);
        r.service.enable_tag_override = d.enable_tag_override;
        keep_to_limits(r.service, of_.who, out_.notes);
        r.checks = checks_of(d, r.service);
        r.source = source_;
        r.announce_wait = where_.config->registrar.announce_wait;
        if (of_.container) fill(r, *of_.container);
        out_.services.push_back(std::move(r));
    }

private:
    void tell(note::severity level, std::string code, std::string const& what) {
        out_.notes.push_back({level, std::move(code), of_.who + ": " + what});
    }

    static void fill(registration& r, docker::container const& c) {
        r.container_id = c.id;
        r.container_name = display_name(c);
        r.health = c.health;
        r.suspended = suspension(c.state);
        r.started_at = c.started_at;
    }

    bool is_valid(draft const& d, std::string const& id, endpoint const& at) {
        auto const refuse = [&](std::string code, std::string const& why) {
            tell(note::severity::warning, std::move(code), why + "; it is not announced");
            return false;
        };
        if (d.name.empty()) return refuse("no-name", "there is no name for its service");
        if (!is_plain_text(d.name) || d.name.size() > longest_name)
            return refuse("bad-name", "\"" + excerpt(d.name) + "\" cannot be a service's name");
        if (!is_plain_text(id) || id.size() > longest_name)
            return refuse("bad-id", "\"" + excerpt(id) + "\" cannot be a service's ID");
        // Consul refuses addresses that stand for any (agent/structs: "invalid service address").
        if (is_wildcard(at.address) || !is_plain_text(at.address))
            return refuse("no-address", "service " + d.name + " has no address");
        if (!is_dns_label(d.name))
            tell(note::severity::info, "name-not-dns",
                 "service \"" + excerpt(d.name) + "\" cannot be asked for by DNS under RFC 1123: " +
                     "letters, digits and -, at most 63");
        return true;
    }

    // Two services of one port share registrator's ID; a second one gets its name added. One that
    // was given its ID by the user keeps it or is none.
    std::string unique(std::string id, draft const& d) {
        if (ids_.insert(id).second) return id;
        if (d.id.empty() && ids_.insert(id + ":" + d.name).second) return id + ":" + d.name;
        tell(note::severity::warning, "duplicate-id",
             "service " + d.name + " has the ID " + excerpt(id) +
                 " of another one; it is not announced");
        return {};
    }

    std::vector<wanted_check> checks_of(draft const& d, consul::service_definition const& service) {
        check_target target;
        target.service_id = service.id;
        target.service_name = service.name;
        target.address = service.address;
        target.port = service.port;
        target.protocol = d.port.inner.protocol;
        target.ports = d.check_ports;
        check_wishes wishes;
        wishes.named = d.checks;
        wishes.tcp_by_default = d.tcp_by_default;
        wishes.registrator = d.registrator_check;
        if (of_.container) {
            target.container = display_name(*of_.container);
            target.container_id = of_.container->id;
            wishes.mirror_docker = d.mirror_health && of_.container->health != docker::health::none;
        }
        return wanted_checks(wishes, target, out_.notes);
    }

    static constexpr std::size_t longest_name = 512;

    context const& where_;
    bearer of_;
    origin source_;
    desired& out_;
    std::set<std::string> ids_;
};

// The same sentence about two ports is one note; nothing may depend on who was asked first.
void sort_all(desired& d) {
    std::ranges::sort(d.services, {}, [](registration const& r) { return r.service.id; });
    auto const key = [](note const& n) { return std::tie(n.code, n.text, n.level); };
    std::ranges::sort(d.notes, {}, key);
    auto const doubles = std::ranges::unique(d.notes);
    d.notes.erase(doubles.begin(), doubles.end());
}

// What it joined may not have been seen yet, or may be gone for good.
void await_network(docker::container const& container, desired& out) {
    out.incomplete = true;
    out.notes.push_back({note::severity::info, "network-holder-unknown",
                         "container " + display_name(container) + " is in the network of " +
                             excerpt(container.network_mode) +
                             ", which is not known; it is not announced yet"});
}

void assemble(subject const& s, desired& out) {
    auto found = find_services(s, out);
    assembler made(s.where, {&s.container, "container " + display_name(s.container)}, found.source,
                   out);
    for (auto& d : found.drafts) {
        auto at = endpoint_of(d.port, s.place, d.at, s.where, s.container, out);
        if (!at) continue;
        auto id = d.id.empty() ? service_id(id_host(s.where), s.container, d.port.inner) : d.id;
        made.add(std::move(d), std::move(id), std::move(*at));
    }
}

}  // namespace

desired services_of(docker::container const& container, context const& where) {
    desired out;
    if (!is_present(container.state)) return out;
    auto const name = display_name(container);
    auto const labels = read_labels(container.labels, name, out.notes);
    if (labels.enable && !*labels.enable) {
        out.notes.push_back({note::severity::info, "excluded",
                             "container " + name + " is not announced: bevmesh.enable=false"});
    } else {
        subject const s{container, where, labels, place_of(container, where)};
        if (s.place.is == network_place::kind::unknown) await_network(container, out);
        assemble(s, out);
    }
    sort_all(out);
    return out;
}

desired host_services(context const& where) {
    desired out;
    assembler made(where, {nullptr, "node " + where.node}, origin::configured, out);
    for (auto& d : host_drafts(where)) {
        endpoint at{d.at.address, d.port.inner.port, {}};
        auto id = d.id;
        d.id.clear();  // made by us, so that a second one can be told apart
        made.add(std::move(d), std::move(id), std::move(at));
    }
    sort_all(out);
    return out;
}

}  // namespace bevmesh::registrar
