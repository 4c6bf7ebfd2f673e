// How `bevmesh certs` shows what the daemons keep, whom it trusts, and which of it a rotation
// means. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

struct certs_filter {
    std::vector<std::string> services;  // empty: all
    std::string node;                   // empty: every
};

/// The answer with the certificates alone that the filter lets through.
[[nodiscard]] nlohmann::json select_certificates(nlohmann::json const& answer,
                                                 certs_filter const& by);
[[nodiscard]] std::string draw_certificates(nlohmann::json const& answer, page const& on);
/// One, with all that is known of it.
[[nodiscard]] std::string draw_certificate(nlohmann::json const& one);

/// Of the same answer: what each service trusts, beside the bundle that its node sees in Vault.
[[nodiscard]] nlohmann::json trust_of(nlohmann::json const& answer);
[[nodiscard]] std::string draw_trust(nlohmann::json const& trust, page const& on);
/// A service trusts other CAs than its node sees, nodes see different ones, or one does not answer.
[[nodiscard]] bool trust_is_degraded(nlohmann::json const& trust);

/// As the daemons write serials, of at least 8 digits; empty: it is none.
[[nodiscard]] std::string plain_serial(std::string const& text);

/// The last certificate was seen at the wire, none is on its way, and nothing is wrong.
[[nodiscard]] bool is_settled(nlohmann::json const& one);
/// Not all are settled, or a node does not answer.
[[nodiscard]] bool certificates_are_degraded(nlohmann::json const& answer);
/// The same service's on the same node in a later answer; null: gone.
[[nodiscard]] nlohmann::json find_certificate(nlohmann::json const& answer,
                                              nlohmann::json const& like);
/// Those of the service `what`, or whose serial begins with it (hexadecimal, of eight digits at
/// least, colons as you like); `node` empty: on every. errc::not_found: there is none.
[[nodiscard]] result<nlohmann::json> select_revoked(nlohmann::json const& answer,
                                                    std::string const& what,
                                                    std::string const& node);
/// Every name of the filter has a certificate, else a sentence about the first that has none.
[[nodiscard]] result<void> all_are_there(nlohmann::json const& selected, certs_filter const& by);

}  // namespace bevmesh::cli
