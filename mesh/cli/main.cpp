// The binary: the process's arguments, streams and signals around cli::run().
#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "mesh/cli/app.hpp"
#include "mesh/cli/exit_status.hpp"
#include "mesh/cli/terminal.hpp"
#include "mesh/daemon/daemon.hpp"

int main(int argc, char** argv) try {
    // A peer or a pager that goes away is an error of one write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    std::ostringstream data;
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    if (argc > 0 && std::filesystem::path(argv[0]).filename() == "registrator")
        arguments.emplace(arguments.begin(), "registrator");
    int const status =
        bevmesh::cli::run(arguments, bevmesh::cli::process_console(data), bevmesh::daemon::run);
    return bevmesh::cli::write_data(data.str(), status);
} catch (std::exception const& e) {
    std::cerr << "bevmesh: " << e.what() << "\n";
    return static_cast<int>(bevmesh::cli::exit_status::local_error);
}
