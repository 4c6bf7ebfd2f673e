// What a service's name resolves to, by DNS and by the daemon's API, laid side by side. Pure.
//
// Consul's DNS answers the instances that are passing or warning; the API knows all of them. They
// differ for a moment after each change (a follower learns of it with the next heartbeat, up to
// about 100 ms), and for longer when the resolver on this host is not the mesh's.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/exit_status.hpp"
#include "mesh/cli/table.hpp"

namespace bevmesh::cli {

/// A service's name, completed.
struct service_name {
    std::string dns;  // redis.service.consul, tag.redis.service.consul
    std::string api;  // redis, tag.redis
};

/// "redis", "tag.redis", "redis.service" and the full name, with or without a dot at the end,
/// become both. bad_input: what cannot be a name in DNS, and names of the domain that are no
/// service's.
[[nodiscard]] result<service_name> complete_name(std::string const& name,
                                                 std::string const& domain);

/// The text of a literal IPv4 or IPv6 address in its one canonical form; nothing for anything else.
[[nodiscard]] std::optional<std::string> canonical_address(std::string const& text);

using address_port = std::pair<std::string, std::uint16_t>;

struct dns_side {
    std::vector<std::string> servers;  // asked, or to be asked
    std::set<std::string> addresses;   // A and AAAA, canonical
    std::set<address_port> ports;      // SRV, its targets followed to addresses
    std::optional<failure> problem;    // an answer is missing; that the name does not exist is none
};

struct api_side {
    nlohmann::json const* instances = nullptr;  // of GET /v1/resolve; null: none
    std::optional<failure> problem;             // as above
};

struct resolution {
    enum class verdict { agree, differ, nothing, unknown };
    struct row {
        std::string address;
        std::uint16_t port = 0;  // 0: known from an A or AAAA record alone
        std::string node;        // empty: the API does not know it
        std::string id;
        std::string status;
        bool in_address_records = false;
        bool in_srv_records = false;
    };

    service_name name;
    std::vector<std::string> servers;
    std::vector<row> rows;                 // by address, then port
    std::vector<std::string> differences;  // a sentence each
    std::vector<failure> problems;
    verdict is = verdict::unknown;
};

[[nodiscard]] resolution compare(service_name name, dns_side const& dns, api_side const& api);

/// A missing answer decides (the API's before DNS's); else degraded unless the two agree.
[[nodiscard]] exit_status judge(resolution const& r);

[[nodiscard]] nlohmann::json to_json(resolution const& r);
[[nodiscard]] std::string draw(resolution const& r, page const& on);

}  // namespace bevmesh::cli
