// What one server's answer means for a call that several servers could answer. Pure.
//
// Whether a server is sealed, has lost its leader or lags behind is said by status and words; they
// are read here and nowhere else. Words are those of OpenBao 2.7 and Vault.
#pragma once

#include <string>
#include <string_view>

#include "mesh/base/result.hpp"

namespace bevmesh::vault {

enum class meaning {
    good,
    redirect,       // 307: another server is the leader, it says
    elsewhere,      // this one cannot now: sealed, without leader, not ready, overloaded, failed
    unknown_token,  // 403: the token is not known, or not yet
    denied,         // 403: the token's policies do not allow it
    absent,         // 404, and its like with other codes
    wrong,          // 400: asking again is in vain
    other,
};

struct verdict {
    meaning what = meaning::other;
    std::string reason;    // Vault's own words in one line; never empty unless good
    std::string location;  // of a redirect: the URL
};

[[nodiscard]] verdict judge(unsigned status, std::string_view location, std::string_view body);

/// "errors" of the document in one line, without Go's bullets; empty: none.
[[nodiscard]] std::string errors_of(std::string_view body);

/// `https://host:port` of a URL, as net::to_string() writes an endpoint; empty: it is none.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace bevmesh::vault
