// A program, run to its end with a limit; by its argv, never through a shell.
//
// What it leaves running behind itself (an init script's daemon) is not waited for.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::registrar::dns {

struct command_result {
    int status = 0;  // exit code; a signal is 128 and its number
    std::string out;
    std::string err;
};

/// `environment`: NAME=VALUE, beside our own. Any exit code is a success here. timed_out: killed.
[[nodiscard]] result<command_result> run_command(std::vector<std::string> const& argv,
                                                 milliseconds limit,
                                                 std::vector<std::string> const& environment = {});

/// The same; an exit code other than 0 is a failure with the first line of what it said.
[[nodiscard]] result<void> must_run(std::vector<std::string> const& argv, milliseconds limit);

[[nodiscard]] std::string command_text(std::vector<std::string> const& argv);

/// For loops that look again; the process waits for nothing else meanwhile.
void pause_for(milliseconds duration);

}  // namespace bevmesh::registrar::dns
