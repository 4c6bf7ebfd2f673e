// What of a renewal survives a restart, as JSON: SERVICE.json in the state directory. Pure.
#pragma once

#include <string>
#include <string_view>

#include "certs/renewal.hpp"

namespace bevmesh::certs {

[[nodiscard]] std::string encode_kept(renewal_state const& state);
/// The rest of the state is as at the beginning.
[[nodiscard]] result<renewal_state> decode_kept(std::string_view document);

}  // namespace bevmesh::certs
