// The rules for services: names, ports, instances.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/findings.hpp"
#include "config/format.hpp"
#include "config/validate.hpp"

namespace bevmesh::config {
namespace {

std::string path_of(service_config const& service) {
    return join("services", service.name);
}

// The instance's keys stand in the service itself where it has only one.
std::string path_of(service_config const& service, std::size_t instance, locations const& where) {
    auto const listed = join(path_of(service), "instances");
    bool const inside = service.instances.size() == 1 && !where.contains(listed);
    return inside ? path_of(service) : join(listed, instance);
}

class service_rules {
public:
    service_rules(mesh_config const& config, findings& found) : config_(config), found_(found) {
        for (auto const& service : config_.services)
            names_.emplace(service.name, &service);
    }

    void check(service_config const& service) {
        auto const base = path_of(service);
        check_tags(service, base);
        if (service.meta.size() > most_meta_pairs)
            found_.report(join(base, "meta"),
                          "has " + std::to_string(service.meta.size()) + " pairs",
                          "56 at most (Consul takes 64, the others are bevmesh's marks)");
        for (std::size_t i = 0; i < service.instances.size(); ++i)
            check(service, service.instances[i], path_of(service, i, found_.where()));
        check_service_tls(service, base, config_, found_);
        if (!service.checks) return;
        for (std::size_t i = 0; i < service.checks->size(); ++i)
            check_check((*service.checks)[i], service, join(join(base, "checks"), i), config_,
                        found_);
    }

private:
    void check_tags(service_config const& service, std::string const& base) {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < service.tags.size(); ++i)
            if (!seen.insert(service.tags[i]).second)
                found_.report(join(join(base, "tags"), i),
                              in_quotes(service.tags[i]) + " is there twice", "each tag once");
    }

    void check(service_config const& service, instance_config const& instance,
               std::string const& base) {
        check_identity(service, instance, base);
        std::set<std::string> nodes;
        for (std::size_t i = 0; i < instance.nodes.size(); ++i) {
            auto const path = join(join(base, "nodes"), i);
            check_node_name(instance.nodes[i], path, config_, found_);
            if (!nodes.insert(instance.nodes[i]).second)
                found_.report(path, in_quotes(instance.nodes[i]) + " is there twice",
                              "each node once");
        }
        check_port_names(service, instance, base);
        check_ports(service, instance, base, nodes);
    }

    void check_identity(service_config const& service, instance_config const& instance,
                        std::string const& base) {
        bool const has_match = instance.match != match_config{};
        if (!has_match && !instance.host && !found_.where().damaged_below(base))
            found_.report(base, "does not say which container it is",
                          "`match` with container, compose, label or image, or `host: true`");
        if (!instance.host) return;
        if (has_match)
            found_.report(join(base, "match"), "stands beside `host: true`",
                          "one of both: a container, or a process of the node");
        if (instance.port == 0 && !found_.where().damaged_below(base))
            found_.report(join(base, "port"), "is missing", "the port of the process (host: true)");
        if (service.mode == address_mode::container)
            found_.report(join(path_of(service), "mode"),
                          "is container, and the service is none (host: true)", "host");
    }

    // NAME-KEY is a service's name too, so it must be a DNS label and nobody else's.
    void check_port_names(service_config const& service, instance_config const& instance,
                          std::string const& base) {
        if (!formats::label.accepts(service.name)) return;
        for (auto const& [key, port] : instance.ports) {
            if (!formats::label.accepts(key)) continue;
            auto const path = join(join(base, "ports"), key);
            auto const name = service.name + "-" + key;
            if (!formats::label.accepts(name))
                found_.report(path, in_quotes(name) + " would be the service's name",
                              std::string(formats::label.expected));
            else if (names_.contains(name))
                found_.report(path, in_quotes(name) + " is a service of its own",
                              "another key, as the service of this port is called NAME-KEY");
        }
    }

    void check_ports(service_config const& service, instance_config const& instance,
                     std::string const& base, std::set<std::string> const& nodes) {
        // A container's own address is nobody else's.
        if (service.mode == address_mode::container) {
            check_own_ports(instance, base);
            return;
        }
        for (auto const& node : nodes) {
            take(instance, node, instance.protocol, instance.port, join(base, "port"));
            for (auto const& [key, port] : instance.ports)
                take(instance, node, "tcp", port, join(join(base, "ports"), key));
        }
    }

    void check_own_ports(instance_config const& instance, std::string const& base) {
        std::set<std::uint16_t> seen;
        if (instance.protocol == "tcp") seen.insert(instance.port);
        for (auto const& [key, port] : instance.ports)
            if (port != 0 && !seen.insert(port).second)
                found_.report(join(join(base, "ports"), key),
                              std::to_string(port) + " is there twice", "each port once");
    }

    void take(instance_config const& instance, std::string const& node, std::string const& protocol,
              std::uint16_t port, std::string const& path) {
        if (port == 0) return;
        auto const [it, is_new] =
            taken_.try_emplace(std::tuple(node, instance.address, protocol, port), path);
        // Once for each pair of keys, however many nodes they share.
        if (is_new || !pairs_.emplace(it->second, path).second) return;
        auto const line = found_.where().of(it->second).line;
        found_.report(path,
                      std::to_string(port) + "/" + protocol + " on " + join("", node) +
                          " is taken by " + it->second +
                          (line > 0 ? " (line " + std::to_string(line) + ")" : ""),
                      "each port once on a node");
    }

    mesh_config const& config_;
    findings& found_;
    std::map<std::string, service_config const*> names_;
    std::map<std::tuple<std::string, std::string, std::string, std::uint16_t>, std::string> taken_;
    std::set<std::pair<std::string, std::string>> pairs_;
};

}  // namespace

void check_services(mesh_config const& config, findings& found) {
    service_rules rules(config, found);
    for (auto const& service : config.services)
        rules.check(service);
}

}  // namespace bevmesh::config
