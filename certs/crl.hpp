// The CRLs of the bundle's CAs, as Vault has them, seen again and again.
//
// The newest good one of each CA counts: one that a CA of the bundle signed, and that is not dated
// into the future, which OpenSSL refuses as it refuses one that has ended. A server that lags
// behind, or that is away, takes nothing back: what was good before stays, also past its end.
//
// Servers that are given a file of CRLs (PostgreSQL, nginx) then want the CRL of every CA of a
// chain, the root's among them, and take nobody without it or past its end: problem() is why such a
// file would cut off their clients.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "certs/life.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::certs {

struct crl {
    std::string pem;
    std::string issuer;  // the common name of its CA
    wall_time made{};
    wall_time ends{};                  // the next one is due by then
    std::int64_t number = 0;           // grows with each; 0: it has none
    std::vector<std::string> revoked;  // serials, as leaf has them
};

/// One (PEM) that this CA (PEM) signed; bad_answer: it is no CRL, or not this CA's.
[[nodiscard]] result<crl> read_crl(std::string const& pem, std::string const& ca);

/// The CRLs of a text (PEM each), in its order.
[[nodiscard]] std::vector<std::string> split_crls(std::string_view text);

/// SHA-256 of a file of CRLs; empty for an empty one.
[[nodiscard]] std::string crl_hash(std::string_view text);

class crl_view {
public:
    /// `seen`: PEM one after the other, empty where nobody answered; `bundle`: the CAs, PEM each.
    void take(std::string_view seen, std::vector<std::string> const& bundle, wall_time now);

    /// The file: the same for the same CRLs. Empty: there are none.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::vector<crl> all() const;
    [[nodiscard]] bool lists(std::string_view serial) const;
    /// Empty: a server that checks whole chains takes every client that it took before.
    [[nodiscard]] std::string problem(wall_time now) const;

private:
    std::map<std::string, crl> of_ca_;  // by the CA's certificate
    std::vector<std::string> without_;  // the names of those that have none
};

}  // namespace bevmesh::certs
