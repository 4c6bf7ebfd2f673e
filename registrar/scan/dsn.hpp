// URLs and DSNs in a text: where their userinfo and their hosts are. Pure.
//
// More lenient than RFC 3986, as drivers are: a password may hold "#", "/" or "@" that should have
// been percent-encoded, there may be several hosts, and a shell's ${VARIABLE} anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar::scan {

struct dsn {
    std::string scheme;         // in lower case, of "jdbc:postgresql://" the last
    std::size_t begin = 0;      // of the scheme
    std::size_t userinfo = 0;   // behind "://"
    std::size_t authority = 0;  // behind the userinfo's "@"; the same where there is none
    std::size_t path = 0;       // behind the hosts
    std::size_t end = 0;
};

/// In order; one that is inside another (in its path or query) ends that one's. `suspicious`: in
/// doubt something is userinfo, so that nothing secret is shown.
[[nodiscard]] std::vector<dsn> find_dsns(std::string_view text, bool suspicious = false);

/// The text with "***" for what nobody should read: passwords in DSNs, and values under keys such
/// as DB_PASSWORD, api_key, token. Line by line the same text otherwise.
[[nodiscard]] std::string masked(std::string_view text);

}  // namespace bevmesh::registrar::scan
