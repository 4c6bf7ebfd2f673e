#include "registrar/scan/inventory.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace bevmesh::registrar::scan {
namespace {

using nlohmann::json;

std::string text_of(json const& object, char const* key) {
    auto const found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json const& list_of(json const& object, char const* key) {
    static json const none = json::array();
    auto const found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_array() ? *found : none;
}

std::uint16_t port_of(json const& object) {
    auto const found = object.is_object() ? object.find("port") : object.end();
    if (found == object.end() || !found->is_number_unsigned()) return 0;
    auto const port = found->get<std::uint64_t>();
    return port <= 65535 ? static_cast<std::uint16_t>(port) : std::uint16_t{0};
}

}  // namespace

std::string lower(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return made;
}

inventory::inventory(mesh_config const& mesh) : domain_(mesh.domain) {
    for (auto const& [node, is] : mesh.nodes) {
        nodes_.emplace(lower(node), is.address);
        addresses_.emplace(lower(is.address), node);
    }
    for (auto const& service : mesh.services) {
        for (auto const& instance : service.instances) {
            for (auto const& node : instance.nodes) {
                auto address = instance.address;
                auto const known = mesh.nodes.find(node);
                // A container's own address is known where it runs, and not here.
                if (address.empty() && service.mode == address_mode::host &&
                    known != mesh.nodes.end())
                    address = known->second.address;
                if (address.empty()) continue;
                if (instance.port != 0)
                    add({service.name, node, lower(address), instance.port, true, false});
                for (auto const& [key, port] : instance.ports)
                    add({service.name + "-" + key, node, lower(address), port, true, false});
            }
        }
    }
}

void inventory::add_catalog(json const& answer) {
    has_catalog_ = true;
    for (auto const& service : list_of(answer, "services")) {
        for (auto const& instance : list_of(service, "instances")) {
            endpoint one{text_of(service, "name"),
                         text_of(instance, "node"),
                         lower(text_of(instance, "address")),
                         port_of(instance),
                         false,
                         true};
            if (!one.service.empty() && !one.address.empty()) add(std::move(one));
        }
    }
}

void inventory::add(endpoint one) {
    auto const same = std::ranges::find_if(endpoints_, [&](endpoint const& e) {
        return e.service == one.service && e.address == one.address && e.port == one.port;
    });
    if (same == endpoints_.end()) {
        endpoints_.push_back(std::move(one));
    } else {
        same->configured = same->configured || one.configured;
        same->live = same->live || one.live;
    }
}

std::vector<endpoint const*> inventory::at(std::string_view address) const {
    std::vector<endpoint const*> found;
    auto const wanted = lower(address_of(address));
    for (auto const& e : endpoints_)
        if (e.address == wanted) found.push_back(&e);
    return found;
}

std::vector<endpoint const*> inventory::of(std::string_view service) const {
    std::vector<endpoint const*> found;
    for (auto const& e : endpoints_)
        if (e.service == service) found.push_back(&e);
    return found;
}

std::string inventory::node_of(std::string_view address_or_name) const {
    auto const found = addresses_.find(lower(address_of(address_or_name)));
    return found == addresses_.end() ? std::string() : found->second;
}

std::string inventory::address_of(std::string_view address_or_name) const {
    auto const found = nodes_.find(lower(address_or_name));
    return found == nodes_.end() ? std::string(address_or_name) : found->second;
}

std::vector<std::string> inventory::node_names() const {
    std::vector<std::string> names;
    for (auto const& [name, _] : nodes_)
        names.push_back(name);
    return names;
}

std::string inventory::name_of(std::string_view service) const {
    bool const label = !service.empty() && service.size() <= 63 && service.front() != '-' &&
                       service.back() != '-' && std::ranges::all_of(service, [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') || c == '-';
                       });
    return label ? std::string(service) + ".service." + domain_ : std::string();
}

}  // namespace bevmesh::registrar::scan
