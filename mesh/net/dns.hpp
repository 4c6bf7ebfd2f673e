// Questions to a DNS server, for whoever wants to know what an application here would be told.
//
// Blocking, with a deadline: for the command line and not for the daemon's loop. Only the DNS is
// asked: no /etc/hosts, no search list, no cache. UDP with EDNS (RFC 6891), since Consul cuts
// answers to plain UDP questions to three records without saying so; TCP where an answer says it is
// cut.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::net {

enum class dns_type { a, aaaa, srv };

[[nodiscard]] std::string_view name(dns_type type) noexcept;

struct dns_question {
    std::string name;  // absolute, without the dot at the end
    dns_type type = dns_type::a;
};

struct dns_record {
    dns_type type = dns_type::a;
    std::string address;  // A, AAAA: as inet_ntop writes it
    std::string target;   // SRV: a name
    std::uint16_t port = 0;
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;

    friend bool operator==(dns_record const&, dns_record const&) = default;
};

/// The records of the type asked for, aliases followed; empty: the name exists and has none.
/// Failures: not_found (NXDOMAIN), timed_out, unreachable, remote_error (SERVFAIL, REFUSED),
/// bad_answer, bad_input (not a name).
using dns_answer = result<std::vector<dns_record>>;

class dns_resolver {
public:
    virtual ~dns_resolver() = default;

    /// All at once; the answers are in the order of the questions. Blocks until the last is there,
    /// at most for the timeout.
    virtual std::vector<dns_answer> ask(std::vector<dns_question> const& questions) = 0;

    /// "127.0.0.1:53", in the order in which they are tried.
    [[nodiscard]] virtual std::vector<std::string> servers() const = 0;
};

enum class dns_transport { udp, tcp };

/// `server`: ADDRESS[:PORT], IPv6 with a port in brackets; empty: those of /etc/resolv.conf (or
/// 127.0.0.1:53, as the resolver of libc has it). bad_input when it is not an address. Over `tcp`
/// from the first question on: what a cut answer leads to.
[[nodiscard]] result<std::unique_ptr<dns_resolver>> make_dns_resolver(
    std::string const& server, milliseconds timeout, dns_transport transport = dns_transport::udp);

}  // namespace bevmesh::net
