// What comes with an answer of Consul, and how to wait for the next. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "mesh/base/time.hpp"

namespace bevmesh::consul {

/// An answer with what its headers say of it.
template <class T>
struct answer {
    T value{};
    std::uint64_t index = 0;       // X-Consul-Index; 0: the endpoint has none
    std::string content_hash;      // X-Consul-ContentHash of hash-blocking endpoints
    bool filtered = false;         // ACLs hid something: absence means nothing
    bool known_leader = true;      // X-Consul-KnownLeader
    milliseconds last_contact{0};  // X-Consul-LastContact
};

/// How to block: by index (catalog, health, KV) or by hash (agent). Without either: at once.
struct blocking {
    std::uint64_t index = 0;
    std::string hash;
    milliseconds wait{0};
    bool stale = false;
    bool consistent = false;  // the leader asks the others first whether it still is one
};

}  // namespace bevmesh::consul
