// What Consul would refuse a whole registration for, taken out of it one by one.
//
// Consul validates Meta and rejects everything when one pair is wrong (agent/structs: 64 pairs,
// keys of [A-Za-z0-9_-] up to 128, values up to 512, keys that begin with "consul-" are its own); a
// bad label of one container must not make that container invisible.
#pragma once

#include <string_view>
#include <vector>

#include "mesh/consul/types.hpp"
#include "registrar/registration.hpp"

namespace bevmesh::registrar {

/// Of Consul's 64 pairs, those left for the user beside our marks of ownership.
inline constexpr std::size_t most_meta_pairs = 56;

/// Drops meta and tags that Consul would not take, that our own marks need, or that cannot be
/// written as JSON; equal tags are left once. `container` is for the notes.
void keep_to_limits(consul::service_definition& service, std::string_view container,
                    std::vector<note>& notes);

/// UTF-8 without control characters: what can be an ID or a name.
[[nodiscard]] bool is_plain_text(std::string_view text);

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates.
[[nodiscard]] bool is_utf8(std::string_view text);

/// For notes: at most 40 bytes of what a user wrote, what is not printable ASCII as '?'.
[[nodiscard]] std::string excerpt(std::string_view text);

}  // namespace bevmesh::registrar
