// Runs the command line in this process and keeps what it said.
#pragma once

#include <string>
#include <vector>

#include "mesh/daemon/daemon.hpp"

namespace bevmesh::testing {

struct ran {
    int status = -1;
    std::string out;
    std::string err;
    std::vector<daemon::options> daemons;  // that were started
};

struct surroundings {
    std::string input;  // what a person types; empty: nobody is there
    bool colour = false;
};

/// `line`: words separated by blanks, without the program's name.
[[nodiscard]] ran run_cli(std::string const& line, surroundings const& in = {});

/// A variable of the environment as long as it lives.
class variable {
public:
    variable(std::string name, std::string const& value);
    ~variable();
    variable(variable const&) = delete;
    variable& operator=(variable const&) = delete;

private:
    std::string name_;
};

}  // namespace bevmesh::testing
