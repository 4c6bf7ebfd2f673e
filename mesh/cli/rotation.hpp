// Other certificates for services on nodes, asked for and waited for; blocking.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {

/// What became of the `which`th: what its daemon says now, and how long it took.
using rotated =
    std::function<void(std::size_t which, nlohmann::json const& now, milliseconds took)>;

/// `before`: what the daemons say of each. Several at once, instances of one service and restarts
/// one after the other; `done` is called for each that every address of its service shows. After
/// the first failure no other is asked for, and those under way are waited for. The failure names
/// its certificate. errc::remote_error: what is wrong on that node, timed_out: it took longer than
/// `wait`.
[[nodiscard]] result<void> rotate_all(settings const& how,
                                      std::vector<nlohmann::json> const& before, milliseconds wait,
                                      rotated const& done);

/// One. What its daemon says of it afterwards; the failure does not name it.
[[nodiscard]] result<nlohmann::json> rotate_one(settings const& how, nlohmann::json const& before,
                                                milliseconds wait);

/// SERVICE on NODE, as messages name a certificate.
[[nodiscard]] std::string name_of_certificate(nlohmann::json const& one);

}  // namespace bevmesh::cli
