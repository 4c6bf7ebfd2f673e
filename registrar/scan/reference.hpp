// An address that a file refers to somebody by, with all that the file says about whom. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registrar/scan/mentions.hpp"
#include "registrar/scan/readers.hpp"
#include "registrar/scan/words.hpp"

namespace bevmesh::registrar::scan {

struct reference {
    mention what;
    kind in = kind::yaml;
    std::string key;                    // the innermost key or option that it stands under
    std::vector<std::string> path;      // of the value
    std::vector<words> hints;           // what may name the service, the nearest first
    std::optional<std::uint16_t> port;  // with the address, or of a key beside it
    std::string port_key;               // where it was found, if not with the address
};

/// Why it is none of the scan's business, if so.
struct exemption {
    std::string reason;
    bool say = false;  // worth a line of its own: a name would be wanted, and is not allowed there
};

/// Subnets, binds, versions, access lists, loopback, documentation ranges, public DNS ...: what is
/// no reference to somebody's service. `known`: the mesh has this address.
[[nodiscard]] std::optional<exemption> exempt(reference const& ref, bool known);

}  // namespace bevmesh::registrar::scan
