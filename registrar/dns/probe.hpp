// Asks: one server, or what libc would ask and libc itself, here where this process runs.
//
// Blocking. Each server is asked alone, since musl asks all at once and takes the first answer,
// while glibc and Docker's resolver go on to the next only when one fails.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"
#include "registrar/dns/report.hpp"

namespace bevmesh::registrar::dns {

struct question_list {
    std::vector<std::string> names;
    std::string missing;  // a name that nobody has
    milliseconds timeout{2'000};
};

/// `server`: ADDRESS[:PORT].
[[nodiscard]] result<server_report> ask_server(std::string const& server,
                                               question_list const& questions);

/// By /etc/resolv.conf, and by getaddrinfo: set RES_OPTIONS to bound the latter.
[[nodiscard]] view_report ask_here(question_list const& questions);

}  // namespace bevmesh::registrar::dns
