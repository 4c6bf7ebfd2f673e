#include "registrar/dns/recognise.hpp"

#include <algorithm>

#include "registrar/ip_text.hpp"

namespace bevmesh::registrar::dns {
namespace {

resolver_kind kind_of(program p) {
    switch (p) {
        case program::resolved:
            return resolver_kind::resolved;
        case program::dnsmasq:
            return resolver_kind::dnsmasq;
        case program::unbound:
            return resolver_kind::unbound;
        case program::none:
            return resolver_kind::none;
        case program::other:
            break;
    }
    return resolver_kind::unknown;
}

}  // namespace

listener const* owner_of(std::string const& address, std::vector<listener> const& listeners) {
    auto const at = [&](std::string const& wanted) {
        auto const found = std::ranges::find(listeners, wanted, &listener::address);
        return found == listeners.end() ? nullptr : &*found;
    };
    if (auto const* own = at(address)) return own;
    bool const is_v6 = address.find(':') != std::string::npos;
    if (auto const* all = at(is_v6 ? "::" : "0.0.0.0")) return all;
    return is_v6 ? nullptr : at("::");  // a socket for both families
}

resolver recognise(resolv_conf const& conf, std::vector<listener> const& listeners) {
    resolver found;
    found.address = conf.nameservers.empty() ? "127.0.0.1" : conf.nameservers.front();
    auto const is_here = [&](std::string const& address) {
        return is_loopback(address) ||
               std::ranges::find(listeners, address, &listener::address) != listeners.end();
    };
    if (!is_here(found.address)) {
        found.kind = resolver_kind::plain;
        found.servers = conf.nameservers;
        return found;
    }
    if (auto const* owner = owner_of(found.address, listeners)) {
        found.kind = kind_of(owner->kind);
        found.command = owner->command;
        found.pid = owner->pid;
    }
    return found;
}

std::string_view name(resolver_kind kind) noexcept {
    switch (kind) {
        case resolver_kind::resolved:
            return "systemd-resolved";
        case resolver_kind::dnsmasq:
            return "dnsmasq";
        case resolver_kind::unbound:
            return "unbound";
        case resolver_kind::plain:
            return "plain";
        case resolver_kind::none:
            return "none";
        case resolver_kind::unknown:
            break;
    }
    return "unknown";
}

std::string_view name(network_kind kind) noexcept {
    switch (kind) {
        case network_kind::default_bridge:
            return "default bridge";
        case network_kind::user_defined:
            return "user-defined";
        case network_kind::internal:
            return "internal";
        case network_kind::host:
            return "host";
        case network_kind::other:
            break;
    }
    return "other";
}

std::string describe(resolver const& r) {
    if (r.kind == resolver_kind::none) return "nobody answers at " + r.address;
    if (r.kind == resolver_kind::plain) {
        std::string all;
        for (auto const& server : r.servers)
            all += (all.empty() ? "" : ", ") + server;
        return "the servers of /etc/resolv.conf: " + all;
    }
    return r.command + " (pid " + std::to_string(r.pid) + ") at " + r.address;
}

}  // namespace bevmesh::registrar::dns
