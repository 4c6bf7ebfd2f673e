// `bevmesh dns doctor|apply|remove`, without the command line: look, change, look again.
//
// Apply writes its journal first, then files, then restarts what reads them, then asks real
// questions from the host and from each network. If what should resolve does not, or something
// that did no longer does, all is taken back. An apply or remove that was interrupted is taken back
// by the next one, before anything else.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/base/result.hpp"
#include "registrar/dns/findings.hpp"
#include "registrar/dns/plan.hpp"

namespace bevmesh::registrar::dns {

struct dns_options {
    std::string service;  // to ask for, beside "consul"; empty: one that is registered
    bool restart_engine = false;
    std::function<void(std::string const&)> say;                 // progress
    std::function<bool(std::vector<std::string> const&)> agree;  // shows the lines and asks
};

[[nodiscard]] result<observations> look_around(mesh_config const& config,
                                               dns_options const& options);

struct applied {
    bool changed = false;
    dns::plan plan;
    observations after;
};

/// forbidden: not root; canceled: not agreed; remote_error: it did not help, all is as before.
[[nodiscard]] result<applied> apply(mesh_config const& config, dns_options const& options);

struct removed {
    std::vector<std::string> paths;     // taken away, or put back
    std::vector<std::string> problems;  // what could not be, and why
};
/// conflict: Docker would have to be restarted, and may not.
[[nodiscard]] result<removed> remove(mesh_config const& config, dns_options const& options);

}  // namespace bevmesh::registrar::dns
