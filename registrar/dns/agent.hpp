// Reads what Consul's agent says about its DNS, and asks that DNS itself.
#pragma once

#include "mesh/base/config.hpp"
#include "registrar/dns/facts.hpp"
#include "registrar/dns/probe.hpp"

namespace bevmesh::registrar::dns {

/// With the token of consul.token_file; what cannot be read is told in `problem`, and is no
/// failure: DNS works without the API.
[[nodiscard]] consul_facts read_agent(mesh_config const& config);

/// "consul", and the service that is registered: names whose right answer the agent knows.
[[nodiscard]] question_list questions_for(consul_facts const& consul, std::string const& wanted);

}  // namespace bevmesh::registrar::dns
