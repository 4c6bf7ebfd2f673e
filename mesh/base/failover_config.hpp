// The configuration of failover groups as plain values; see mesh/base/config.hpp.
//
// What an absent key means is decided in failover/configured.hpp, where the policy is made of this.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/time.hpp"

namespace bevmesh {

/// Where one member's database is, where it differs from the others'.
struct failover_member_config {
    std::string container;
    std::string unit;
    std::string address;  // empty: the node's
    std::optional<std::uint16_t> port;
    std::optional<unsigned> priority;
    std::string data_dir;
    std::string quarantine_dir;

    friend bool operator==(failover_member_config const&, failover_member_config const&) = default;
};

/// Instead of a profile's durations; what is absent stays the profile's.
struct failover_timing_config {
    std::optional<milliseconds> renew;     // h
    std::optional<milliseconds> request;   // R
    std::optional<milliseconds> fence;     // F
    std::optional<milliseconds> lease;     // L
    std::optional<milliseconds> promise;   // p
    std::optional<milliseconds> kill;      // K
    std::optional<milliseconds> observer;  // O

    friend bool operator==(failover_timing_config const&, failover_timing_config const&) = default;
};

struct failover_hooks_config {
    std::vector<std::string> before;  // argv; one that fails is a veto
    std::vector<std::string> after;
    milliseconds timeout{10'000};

    friend bool operator==(failover_hooks_config const&, failover_hooks_config const&) = default;
};

struct failover_tls_config {
    bool enabled = false;
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    std::string server_name;

    friend bool operator==(failover_tls_config const&, failover_tls_config const&) = default;
};

struct failover_group_config {
    std::string name;
    std::string kind;                  // redis, postgres
    std::vector<std::string> members;  // nodes
    std::map<std::string, failover_member_config> on;
    std::string preferred;
    std::string profile = "tailnet";
    failover_timing_config timing;
    std::string synchronous = "on";  // off, on, strict
    std::string container;
    std::string unit;
    std::optional<std::uint16_t> port;
    std::string user;
    std::string database;  // PostgreSQL: where the write probe writes
    std::string password_file;
    failover_tls_config tls;
    milliseconds block{600'000};
    std::optional<milliseconds> failback_after;  // absent: by hand
    failover_hooks_config hooks;
    std::uint64_t lag_max = 16U << 20U;  // bytes
    milliseconds restart_term{0};        // a planned restart of the daemon; 0: none
    std::string data_dir;
    std::string quarantine_dir;

    friend bool operator==(failover_group_config const&, failover_group_config const&) = default;
};

}  // namespace bevmesh
