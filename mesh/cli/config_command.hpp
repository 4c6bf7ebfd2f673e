// `bevmesh config validate|show|schema`: the configuration as the daemon will see it.
//
// Needs no daemon and touches nothing but the file. Data goes to `out`, problems to `err`.
#pragma once

#include <iosfwd>

namespace CLI {
class App;
}

namespace bevmesh::cli {

/// Adds the command. When it ran, `status` is its exit status: 0, or 1 where the file has problems.
/// `status`, `out` and `err` outlive the parsing of the command line.
void add_config_command(CLI::App& app, int& status, std::ostream& out, std::ostream& err);

}  // namespace bevmesh::cli
