// The names of a certificate.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/time.hpp"

namespace bevmesh::certs {

/// `uris` has the SPIFFE ID.
struct subject {
    std::string common_name;
    std::vector<std::string> dns;
    std::vector<std::string> ips;
    std::vector<std::string> uris;

    friend bool operator==(subject const&, subject const&) = default;
};

/// Sixteen hexadecimal digits, the same for the same names and life alone: whether a certificate
/// that is there is the one that is wanted now. No secret, and no proof against malice.
[[nodiscard]] std::string fingerprint(subject const& of, seconds life);

}  // namespace bevmesh::certs
