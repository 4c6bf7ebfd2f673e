// What a session asks for next, from its state alone. Pure; internal to session.cpp.
#pragma once

#include "mesh/vault/session.hpp"

namespace bevmesh::vault {

/// One's own disk first, then a login, then the care of token and secret ID; nothing: it waits.
[[nodiscard]] std::optional<session_request> next_request(session_state const& s, instant now);

}  // namespace bevmesh::vault
