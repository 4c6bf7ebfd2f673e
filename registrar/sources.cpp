#include "registrar/sources.hpp"

#include <algorithm>

#include "registrar/compat.hpp"
#include "registrar/configured.hpp"
#include "registrar/limits.hpp"
#include "registrar/names.hpp"
#include "registrar/ports.hpp"

namespace bevmesh::registrar {
namespace {

std::string const& label(docker::container const& c, char const* key) {
    static std::string const absent;
    auto const at = c.labels.find(key);
    return at == c.labels.end() ? absent : at->second;
}

std::string const& compose_service(docker::container const& c) {
    return label(c, "com.docker.compose.service");
}

std::string const& swarm_service(docker::container const& c) {
    return label(c, "com.docker.swarm.service.name");
}

bool is_one_off(docker::container const& c) {
    return to_lower(label(c, "com.docker.compose.oneoff")) == "true";
}

// The first that has anything of a name.
std::string name_of(std::vector<std::string> const& candidates) {
    for (auto const& candidate : candidates)
        if (auto name = to_dns_label(candidate); !name.empty()) return name;
    return {};
}

named_services automatic(subject const& s, desired& out) {
    auto const& registrar = s.where.config->registrar;
    auto const& c = s.container;
    if (is_one_off(c)) return {origin::compose, {}};
    if (registrar.compose && !compose_service(c).empty())
        return {origin::compose,
                drafts_by_port(s, name_of({compose_service(c), image_base(c.image), c.name}))};
    if (!swarm_service(c).empty()) {
        auto drafts = drafts_by_port(s, name_of({swarm_service(c), image_base(c.image), c.name}));
        if (drafts.empty())
            out.notes.push_back({note::severity::info, "no-port",
                                 "task " + display_name(c) +
                                     " publishes no port in host mode; it is not announced"});
        return {origin::swarm, std::move(drafts)};
    }
    if (registrar.compat.enabled && !registrar.compat.explicit_only)
        return {origin::compat, compat_drafts(s, compat_keys(docker::container{}), out)};
    return {origin::compat, {}};
}

named_services choose(subject const& s, desired& out) {
    if (auto drafts = configured_drafts(s, out)) return {origin::configured, std::move(*drafts)};
    if (s.labels.name_services()) {
        auto const& c = s.container;
        return {origin::labels,
                label_drafts(s,
                             name_of({s.labels.name, compose_service(c), swarm_service(c),
                                      image_base(c.image), display_name(c)}),
                             out)};
    }
    if (s.where.config->registrar.compat.enabled)
        if (compat_keys const keys(s.container); !keys.empty())
            return {origin::compat, compat_drafts(s, keys, out)};
    return automatic(s, out);
}

bool refines(own_labels const& l) {
    return !l.network.empty() || l.mode || !l.address.empty() || l.mirror_health ||
           !l.checks.empty();
}

void warn_unused(named_services const& found, subject const& s, desired& out) {
    auto const tell = [&](std::string const& what) {
        out.notes.push_back({note::severity::warning, "label-unused",
                             "container " + display_name(s.container) + ": " + what});
    };
    if (found.source == origin::configured) {
        if (s.labels.name_services() || refines(s.labels))
            tell(
                "its service is in the configuration; of its labels bevmesh.* only tags and meta "
                "are used");
        return;
    }
    for (auto const& [port, checks] : s.labels.checks)
        if (port.port != 0 && std::ranges::none_of(found.drafts, [&](draft const& d) {
                return port.means(d.port.inner);
            }))
            tell("the checks of bevmesh." + std::to_string(port.port) +
                 ".check.* are for a port that is not announced");
}

}  // namespace

named_services find_services(subject const& s, desired& out) {
    auto found = choose(s, out);
    if (found.source != origin::configured) {
        auto const main =
            std::ranges::find_if(found.drafts, [](auto const& d) { return d.is_main; });
        // registrator knows no main port: of its services the first one has that role.
        if (main == found.drafts.end() && found.source == origin::compat && !found.drafts.empty())
            found.drafts.front().is_main = true;
        for (auto& d : found.drafts)
            refine(d, s);
    } else {
        for (auto& d : found.drafts)
            add_label_facts(d, s.labels);
    }
    warn_unused(found, s, out);
    return found;
}

std::vector<std::string> protocol_tags(docker::port_key const& port) {
    if (port.protocol == "udp") return {"udp"};
    return {};
}

void add_label_facts(draft& d, own_labels const& labels) {
    d.tags.insert(d.tags.end(), labels.tags.begin(), labels.tags.end());
    d.meta.insert(labels.meta.begin(), labels.meta.end());
}

void refine(draft& d, subject const& s) {
    auto const& labels = s.labels;
    add_label_facts(d, labels);
    // Traefik's label says the same thing about the same container.
    d.at.network =
        labels.network.empty() ? label(s.container, "traefik.docker.network") : labels.network;
    if (!labels.address.empty()) d.at.address = labels.address;
    if (labels.mode) d.at.mode = *labels.mode;
    if (labels.mirror_health) d.mirror_health = *labels.mirror_health;
    for (auto const& [port, checks] : labels.checks) {
        if (port.port == 0 ? !d.is_main : !port.means(d.port.inner)) continue;
        if (!d.checks) d.checks.emplace();
        d.checks->insert(d.checks->end(), checks.begin(), checks.end());
    }
}

}  // namespace bevmesh::registrar
