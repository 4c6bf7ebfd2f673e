// How `bevmesh certs revoke` shows what was revoked, and who refuses it from now on. Pure.
//
// Every verifier of every node is named: a product that reads no CRL takes a revoked certificate
// until it ends, and that is said, not left out. The words are those of mesh/daemon/revocation.hpp.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// The certificates of the answer of /v1/certs/kept/mesh, each once, as `certificates`.
/// errc::not_found: none; says what helps then, and which nodes were not asked.
[[nodiscard]] result<nlohmann::json> select_kept(nlohmann::json const& answer,
                                                 std::string const& what);

/// Of answers of /v1/certs/revoked/mesh, one for each certificate that was revoked: {"peers":
/// {"nodes", "refuse", "not_yet": [{"node", "why"}]}, "verifiers": [...]}. A verifier does what it
/// does with the one that it treats worst.
[[nodiscard]] nlohmann::json enforcement_of(nlohmann::json const& answers);

/// Whether somebody who refuses revoked certificates may not refuse these yet.
[[nodiscard]] bool is_awaited(nlohmann::json const& enforcement);

/// `until`: when the last of the certificates ends.
[[nodiscard]] std::string draw_enforcement(nlohmann::json const& enforcement,
                                           std::string const& until, page const& on);

/// What is about to be revoked, and not in use.
[[nodiscard]] std::string draw_kept(nlohmann::json const& certificates, page const& on);
/// Service, node, serial and dates of each.
[[nodiscard]] std::string draw_revoked(nlohmann::json const& revoked, page const& on);

}  // namespace bevmesh::cli
