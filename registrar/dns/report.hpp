// What a probe found, where it ran: the answers of each server that libc would ask there, and
// libc's own. Pure, with its JSON: the probe runs on the host and inside containers, and prints it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"

namespace bevmesh::registrar::dns {

enum class outcome {
    found,    // with records
    empty,    // the name exists, without records of the type (NODATA)
    missing,  // NXDOMAIN; of libc: no such name
    silent,   // no answer in time
    refused,  // SERVFAIL, REFUSED, nobody listens, not DNS
};

struct reply {
    outcome is = outcome::silent;
    std::vector<std::string> values;  // addresses, or target:port; sorted

    friend bool operator==(reply const&, reply const&) = default;
};

/// One name, asked of one server.
struct name_report {
    std::string name;
    reply a;
    reply aaaa;
    reply srv;
    reply tcp;  // A once more, over TCP: what follows a truncated answer

    friend bool operator==(name_report const&, name_report const&) = default;
};

struct server_report {
    std::string server;
    std::vector<name_report> names;
    reply missing;  // A of a name that nobody has

    friend bool operator==(server_report const&, server_report const&) = default;
};

struct libc_report {
    std::string name;
    reply a;  // getaddrinfo, both families at once

    friend bool operator==(libc_report const&, libc_report const&) = default;
};

struct view_report {
    std::vector<server_report> servers;
    std::vector<libc_report> libc;
    reply libc_missing;

    friend bool operator==(view_report const&, view_report const&) = default;
};

[[nodiscard]] std::string_view name(outcome o) noexcept;
[[nodiscard]] nlohmann::json to_json(server_report const& r);
[[nodiscard]] nlohmann::json to_json(view_report const& r);
/// errc::bad_answer for what no probe printed.
[[nodiscard]] result<view_report> read_view(std::string_view document);

}  // namespace bevmesh::registrar::dns
