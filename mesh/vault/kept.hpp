// What a session keeps over a restart, as the JSON of its file. Pure.
#pragma once

#include <string_view>

#include "mesh/vault/session.hpp"

namespace bevmesh::vault {

[[nodiscard]] secret encode_kept(session_kept const& kept);
/// Fields that are not there are empty.
[[nodiscard]] result<session_kept> decode_kept(std::string_view document);

}  // namespace bevmesh::vault
