// What systemd says of a service, as `systemctl show` prints it (read from systemd 252). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::failover {

struct unit_state {
    std::string id;       // "redis-server.service"
    std::string load;     // "loaded", "masked", "not-found", "bad-setting"
    std::string active;   // "active", "activating", "deactivating", "inactive", "failed"
    std::string sub;      // "running", "auto-restart"
    std::string outcome;  // why it ended: "success", "signal", "start-limit-hit"
    std::int32_t main_pid = 0;
    std::uint64_t main_started_us = 0;  // of CLOCK_MONOTONIC: with the pid, which process
    std::string pid_file;               // where one that forks says its pid
    std::string control_group;          // from its hierarchy's root; empty: no process
    bool has_job = false;               // systemd has yet to do something with it
    std::string user;                   // empty: root
    /// Who starts it when it ends: "Restart=always", "redis.socket". Empty: nobody.
    std::string restarted_by;
    std::vector<std::string> argv;         // of ExecStart, its first; cut at blanks
    std::vector<std::string> environment;  // of Environment alone

    [[nodiscard]] bool exists() const noexcept { return load == "loaded"; }
    /// Not even between two starts.
    [[nodiscard]] bool at_rest() const noexcept {
        return active == "inactive" || active == "failed";
    }
};

/// argv; all that read_unit_state wants.
[[nodiscard]] std::vector<std::string> show_command(std::string const& unit);

/// errc::bad_input: the name means no unit, or several, or one that is no service.
/// errc::bad_answer: something is missing that systemd says of each.
[[nodiscard]] result<unit_state> read_unit_state(std::string_view output);

/// Words with ${NAME} replaced by what the environment (NAME=value) says, as systemd does when it
/// starts the program; what it does not say is left out.
[[nodiscard]] std::vector<std::string> expand(std::vector<std::string> words,
                                              std::vector<std::string> const& environment);

}  // namespace bevmesh::failover
