// registrator's command line, understood: for admins who replace its binary and nothing else.
//
// Flags as gliderlabs/registrator v7 parses them (Go's flag package: one dash or two, -flag=value
// or -flag value, a flag that is true or false takes its value only behind "="), and its registry
// URI. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::cli {

/// What of the surroundings registrator looks at.
struct registrator_host {
    std::string name;     // the host's, which begins the IDs of its services
    std::string address;  // what the name resolves to; empty: only to loopback, or to nothing
    std::map<std::string, std::string> environment;
};

struct registrator_run {
    std::string node;                // the daemon's
    std::string document;            // a configuration that says the same
    std::vector<std::string> notes;  // flags that mean less here than they did, with the reason
};

/// bad_input names the flag and what was expected. The Consul token of the environment is no part
/// of the document, which may be printed.
[[nodiscard]] result<registrator_run> understand_registrator(std::vector<std::string> const& words,
                                                             registrator_host const& host);

}  // namespace bevmesh::cli
