// Who resolves names for this host's programs. Pure.
//
// libc asks the servers of /etc/resolv.conf; the first of them decides. An address of this host is
// whoever listens there; any other is a server elsewhere ("plain"). A resolver that runs here but
// that resolv.conf does not name answers nobody.
#pragma once

#include <string>
#include <vector>

#include "registrar/dns/facts.hpp"

namespace bevmesh::registrar::dns {

enum class resolver_kind {
    resolved,
    dnsmasq,
    unbound,
    plain,    // servers elsewhere
    none,     // nobody answers at the address
    unknown,  // a program that we do not know how to configure
};

struct resolver {
    resolver_kind kind = resolver_kind::none;
    std::string address;  // that libc asks first
    std::string command;  // of who listens there
    int pid = 0;
    std::vector<std::string> servers;  // plain: the servers
};

[[nodiscard]] resolver recognise(resolv_conf const& conf, std::vector<listener> const& listeners);

[[nodiscard]] std::string_view name(resolver_kind kind) noexcept;
[[nodiscard]] std::string_view name(network_kind kind) noexcept;
/// "dnsmasq (pid 12) at 127.0.0.1", "the servers of resolv.conf: 10.0.0.1".
[[nodiscard]] std::string describe(resolver const& r);

/// Who would be in the way of a server at `address`:53; null: nobody.
[[nodiscard]] listener const* owner_of(std::string const& address,
                                       std::vector<listener> const& listeners);

}  // namespace bevmesh::registrar::dns
