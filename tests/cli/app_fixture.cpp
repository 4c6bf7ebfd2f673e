#include "tests/cli/app_fixture.hpp"

#include <cstdlib>
#include <sstream>

#include "mesh/cli/app.hpp"

namespace bevmesh::testing {

ran run_cli(std::string const& line, surroundings const& in) {
    std::istringstream words(line);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;)
        arguments.push_back(word);
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream input(in.input);
    ran r;
    r.status = cli::run(arguments, {out, err, input, !in.input.empty(), in.colour, 0},
                        [&](daemon::options const& how) {
                            r.daemons.push_back(how);
                            return 0;
                        });
    r.out = out.str();
    r.err = err.str();
    return r;
}

variable::variable(std::string name, std::string const& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
}

variable::~variable() {
    ::unsetenv(name_.c_str());
}

}  // namespace bevmesh::testing
