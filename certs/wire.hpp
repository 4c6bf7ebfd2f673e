// What a service shows at the wire: a TLS handshake with one of its addresses.
//
// A reload that says yes proves nothing: PostgreSQL answers true and keeps its old certificate,
// nginx reports success before it has loaded anything. Only a handshake on a new connection shows
// what peers get. Whom a server trusts is seen where it says so: PostgreSQL and nginx name the CAs
// whose clients they take, Redis names none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include "certs/greeting.hpp"
#include "certs/life.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"

namespace bevmesh::certs {

struct wire_address {
    std::string host;  // a literal address
    std::uint16_t port = 0;
    greeting first = greeting::none;

    friend bool operator==(wire_address const&, wire_address const&) = default;
};
[[nodiscard]] std::string to_string(wire_address const& a);

/// How we present ourselves, and whom we trust: by the very files that are being proven.
struct wire_identity {
    std::shared_ptr<boost::asio::ssl::context> context;
    std::string serial;                // what must be shown
    std::vector<std::string> issuers;  // serials of the chain that must come with it, in any order
    std::vector<std::string> roots;    // of the bundle: their names, DER
};
/// `certificate`: PEM, its chain behind it; `trusted`: the bundle.
[[nodiscard]] result<wire_identity> make_wire_identity(secret const& certificate, secret const& key,
                                                       secret const& trusted);

/// Within `limit`: a handshake in which the address shows the identity's certificate with its
/// chain, which the bundle accepts, and names no CAs at all or every root of the bundle. What it
/// shows instead is in the failure.
[[nodiscard]] boost::asio::awaitable<result<void>> look(wire_address where, wire_identity expected,
                                                        milliseconds limit);

}  // namespace bevmesh::certs
