#include "registrar/configured.hpp"

#include <algorithm>

#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

std::string const* find_label(docker::container const& c, std::string const& key) {
    auto const at = c.labels.find(key);
    return at == c.labels.end() ? nullptr : &at->second;
}

bool compose_fits(std::string const& wanted, docker::container const& c) {
    auto const* service = find_label(c, "com.docker.compose.service");
    auto const* project = find_label(c, "com.docker.compose.project");
    if (!service) return false;
    return wanted == *service || (project && wanted == *project + "/" + *service);
}

bool label_fits(std::string const& wanted, docker::container const& c) {
    auto const equals = wanted.find('=');
    auto const* value = find_label(c, wanted.substr(0, equals));
    return value && (equals == std::string::npos || wanted.substr(equals + 1) == *value);
}

struct image_reference {
    std::string_view repository;
    std::string_view tag;
    std::string_view digest;
};

image_reference parse_image(std::string_view text) {
    image_reference image;
    if (auto const at = text.find('@'); at != std::string_view::npos) {
        image.digest = text.substr(at + 1);
        text = text.substr(0, at);
    }
    // A colon before the last slash is that of the registry's port.
    auto const colon = text.rfind(':');
    auto const slash = text.rfind('/');
    if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
        image.tag = text.substr(colon + 1);
        text = text.substr(0, colon);
    }
    for (std::string_view const implied : {"index.docker.io/", "docker.io/", "library/"})
        if (text.starts_with(implied)) text.remove_prefix(implied.size());
    image.repository = text;
    return image;
}

bool image_fits(std::string const& wanted, docker::container const& c) {
    auto const want = parse_image(wanted);
    auto const have = parse_image(c.image);
    if (want.repository != have.repository) return false;
    if (!want.digest.empty()) return want.digest == have.digest;
    if (want.tag.empty()) return true;
    return want.tag == (have.tag.empty() && have.digest.empty() ? "latest" : have.tag);
}

bool is_here(instance_config const& instance, context const& where) {
    return std::ranges::find(instance.nodes, where.node) != instance.nodes.end();
}

draft common_draft(service_config const& service, std::string name) {
    draft d;
    d.name = std::move(name);
    d.tags = service.tags;
    d.meta = service.meta;
    d.enable_tag_override = service.enable_tag_override;
    d.mirror_health = service.mirror_health;
    d.at.mode = service.mode;
    d.at.network = service.network;
    return d;
}

draft main_draft(service_config const& service, instance_config const& instance) {
    auto d = common_draft(service, service.name);
    d.is_main = true;
    d.at.address = instance.address;
    d.checks = service.checks;
    d.check_ports = instance.ports;
    return d;
}

draft further_draft(service_config const& service, instance_config const& instance,
                    std::string const& key) {
    auto d = common_draft(service, service.name + "-" + key);
    d.at.address = instance.address;
    if (!service.checks) return d;
    std::vector<check_config> own;
    for (auto check : *service.checks)
        if (check.port == key) {
            check.port.clear();
            own.push_back(std::move(check));
        }
    // Checks of other ports say nothing about this one; an empty list says that none is wanted.
    if (!own.empty() || service.checks->empty()) d.checks = std::move(own);
    return d;
}

// Docker's publishing, seen from the port that others connect to.
class port_finder {
public:
    port_finder(subject const& s, service_config const& service, instance_config const& instance,
                desired& out)
        : s_(s), service_(service), instance_(instance), out_(out) {}

    std::optional<open_port> main() {
        if (instance_.port != 0) return find(instance_.port, {instance_.protocol});
        auto ports = ports_of(s_.container, s_.place, service_.mode);
        std::erase_if(ports, [&](auto const& p) { return p.inner.protocol != instance_.protocol; });
        if (ports.size() == 1) return ports.front();
        return open_port{};
    }

    std::optional<open_port> further(std::uint16_t number) { return find(number, {"tcp", "udp"}); }

private:
    using kind = network_place::kind;

    std::optional<open_port> find(std::uint16_t number, std::vector<std::string> const& protocols) {
        docker::port_key const as_said{number, protocols.front()};
        if (s_.place.is == kind::unknown) return {};
        if (s_.place.is == kind::host || service_.mode == address_mode::container)
            return open_port{as_said, {}, false};
        auto const ports = published_ports(s_.place);
        for (auto const& protocol : protocols)
            for (auto const& p : ports)
                if (auto found = published_as(p, number, protocol)) return found;
        // An explicit address has its own way to the port; a routing mesh listens on every node and
        // does not show in the task.
        if (!instance_.address.empty() || find_label(s_.container, "com.docker.swarm.task.id"))
            return open_port{as_said, {{"", number}}, false};
        if (is_awaited(ports, number))
            out_.incomplete = true;
        else
            warn(number, protocols.front(), ports);
        return {};
    }

    static std::optional<open_port> published_as(open_port p, std::uint16_t number,
                                                 std::string const& protocol) {
        if (p.inner.protocol != protocol) return {};
        std::erase_if(p.bindings, [&](auto const& b) { return b.host_port != number; });
        if (p.bindings.empty()) return {};
        return p;
    }

    bool is_awaited(std::vector<open_port> const& ports, std::uint16_t number) const {
        return std::ranges::any_of(ports, [&](open_port const& p) {
            auto const wanted = s_.place.holder->wanted_ports.find(p.inner);
            return p.waiting && wanted != s_.place.holder->wanted_ports.end() &&
                   std::ranges::find(wanted->second, number, &docker::port_binding::host_port) !=
                       wanted->second.end();
        });
    }

    void warn(std::uint16_t number, std::string const& protocol,
              std::vector<open_port> const& ports) {
        std::string published;
        for (auto const& p : ports)
            for (auto const& b : p.bindings)
                published += (published.empty() ? "" : ", ") + std::to_string(b.host_port) + "->" +
                             std::to_string(p.inner.port) + "/" + p.inner.protocol;
        out_.notes.push_back({note::severity::warning, "no-port",
                              "service " + service_.name + ": container " +
                                  display_name(s_.container) + " does not publish port " +
                                  std::to_string(number) + "/" + protocol + " (it publishes " +
                                  (published.empty() ? "none" : published) +
                                  "); it is not announced"});
    }

    subject const& s_;
    service_config const& service_;
    instance_config const& instance_;
    desired& out_;
};

void add_instance(std::vector<draft>& drafts, subject const& s, service_config const& service,
                  instance_config const& instance, desired& out) {
    port_finder finder(s, service, instance, out);
    auto const add = [&](draft d, std::optional<open_port> port) {
        if (!port) return;
        d.port = std::move(*port);
        drafts.push_back(std::move(d));
    };
    add(main_draft(service, instance), finder.main());
    for (auto const& [key, number] : instance.ports)
        add(further_draft(service, instance, key), finder.further(number));
}

}  // namespace

bool matches(match_config const& match, docker::container const& c) {
    if (match == match_config{}) return false;
    return (match.container.empty() || match.container == c.name) &&
           (match.compose.empty() || compose_fits(match.compose, c)) &&
           (match.label.empty() || label_fits(match.label, c)) &&
           (match.image.empty() || image_fits(match.image, c));
}

std::optional<std::vector<draft>> configured_drafts(subject const& s, desired& out) {
    std::optional<std::vector<draft>> drafts;
    for (auto const& service : s.where.config->services)
        for (auto const& instance : service.instances) {
            if (instance.host || !is_here(instance, s.where) ||
                !matches(instance.match, s.container))
                continue;
            if (!drafts) drafts.emplace();
            add_instance(*drafts, s, service, instance, out);
        }
    return drafts;
}

std::vector<draft> host_drafts(context const& where) {
    std::vector<draft> drafts;
    auto const add = [&](draft d, std::uint16_t port, std::string const& protocol) {
        d.port.inner = {port, protocol};
        d.mirror_health = false;
        d.id = where.node + ":host:" + d.name + ":" + std::to_string(port);
        if (protocol != "tcp") d.id += ":" + protocol;
        if (d.at.address.empty()) d.at.address = node_address(where);
        drafts.push_back(std::move(d));
    };
    for (auto const& service : where.config->services)
        for (auto const& instance : service.instances) {
            if (!instance.host || !is_here(instance, where)) continue;
            add(main_draft(service, instance), instance.port, instance.protocol);
            for (auto const& [key, number] : instance.ports)
                add(further_draft(service, instance, key), number, "tcp");
        }
    return drafts;
}

}  // namespace bevmesh::registrar
