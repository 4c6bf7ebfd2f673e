#include "registrar/ports.hpp"

#include <algorithm>

#include "registrar/names.hpp"

namespace bevmesh::registrar {
namespace {

using port_list = std::vector<open_port>;

port_list announceable(subject const& s) {
    return ports_of(s.container, s.place, s.labels.mode.value_or(address_mode::host));
}

// Lower is better.
int unfitness(open_port const& p, context const& where) {
    return (is_loopback_only(p, where) ? 2 : 0) + (p.inner.protocol == "tcp" ? 0 : 1);
}

open_port const* main_of(port_list const& ports, context const& where) {
    auto const best = std::ranges::min_element(
        ports, {}, [&](open_port const& p) { return unfitness(p, where); });
    return best == ports.end() ? nullptr : &*best;
}

draft draft_for(std::string name, open_port port, bool is_main) {
    draft d;
    d.name = std::move(name);
    d.is_main = is_main;
    d.tags = protocol_tags(port.inner);
    d.port = std::move(port);
    return d;
}

void add_all(std::vector<draft>& drafts, port_list const& ports, open_port const* main,
             std::string const& name) {
    for (auto const& p : ports) {
        // 53/tcp and 53/udp are two ports of one service.
        bool const same = main && p.inner.port == main->inner.port;
        drafts.push_back(draft_for(same ? name : name + "-" + std::to_string(p.inner.port), p,
                                   main && p.inner == main->inner));
    }
}

// Takes the ports that have names of their own out of `ports`.
std::vector<draft> take_named(port_list& ports, own_labels const& labels) {
    std::vector<draft> drafts;
    std::erase_if(ports, [&](open_port const& p) {
        for (auto const& [port, name] : labels.port_names) {
            if (!port.means(p.inner)) continue;
            drafts.push_back(draft_for(name, p, labels.port && labels.port->means(p.inner)));
            return true;
        }
        return false;
    });
    return drafts;
}

void warn_no_port(subject const& s, std::string const& what, desired& out) {
    out.notes.push_back({note::severity::warning, "no-port",
                         "container " + display_name(s.container) + ": " + what});
}

}  // namespace

std::vector<draft> drafts_by_port(subject const& s, std::string const& name) {
    std::vector<draft> drafts;
    auto const ports = announceable(s);
    if (!name.empty()) add_all(drafts, ports, main_of(ports, s.where), name);
    return drafts;
}

std::vector<draft> label_drafts(subject const& s, std::string const& name, desired& out) {
    auto ports = announceable(s);
    bool const has_ports = !ports.empty();
    for (auto const& [port, own_name] : s.labels.port_names)
        if (std::ranges::none_of(ports, [&](auto const& p) { return port.means(p.inner); }))
            warn_no_port(s,
                         "bevmesh." + std::to_string(port.port) +
                             ".name is for a port that is not published",
                         out);
    auto drafts = take_named(ports, s.labels);
    if (s.labels.port) {
        auto const at = std::ranges::find_if(
            ports, [&](auto const& p) { return s.labels.port->means(p.inner); });
        if (at != ports.end())
            drafts.push_back(draft_for(name, *at, true));
        else if (std::ranges::none_of(drafts, [](auto const& d) { return d.is_main; }))
            warn_no_port(s,
                         "bevmesh.port is " + std::to_string(s.labels.port->port) +
                             ", which is not published; it is not announced",
                         out);
        return drafts;
    }
    if (s.labels.name.empty() && !s.labels.enable.value_or(false)) return drafts;
    if (!has_ports && s.place.is != network_place::kind::unknown)
        drafts.push_back(draft_for(name, {}, true));
    add_all(drafts, ports, main_of(ports, s.where), name);
    return drafts;
}

}  // namespace bevmesh::registrar
