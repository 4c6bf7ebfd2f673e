// One run of the command line, as the commands see it: the console, the common options, and the
// exit status that is left behind.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/cli/console.hpp"
#include "mesh/cli/daemon_client.hpp"
#include "mesh/cli/exit_status.hpp"
#include "mesh/cli/output.hpp"
#include "mesh/cli/table.hpp"
#include "mesh/daemon/daemon.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bevmesh::cli {

/// What was said on the command line, else in the environment, else the default.
struct common_options {
    std::string format;   // BEVMESH_FORMAT
    std::string socket;   // BEVMESH_SOCKET
    std::string timeout;  // BEVMESH_TIMEOUT
    bool no_colour = false;
};

/// The same, understood.
struct settings {
    format as = format::table;
    std::string socket;
    milliseconds timeout{};
    page on;

    [[nodiscard]] daemon_client daemon() const { return {socket, timeout}; }
};

class session {
public:
    using daemon_runner = std::function<int(daemon::options const&)>;

    session(console io, daemon_runner run_daemon) : io_(io), run_daemon_(std::move(run_daemon)) {}

    [[nodiscard]] console& io() noexcept { return io_; }
    [[nodiscard]] int& status() noexcept { return status_; }
    void finish(exit_status with) noexcept { status_ = static_cast<int>(with); }

    /// Says what is wrong, on the error stream, and leaves the status that it means.
    void fail(failure const& f);
    void say(std::string const& sentence);

    /// Asks whether to go on, and is told by `yes` not to. Where it is a no, or nobody can answer:
    /// false, and the status is left.
    [[nodiscard]] bool agreed(bool yes);

    /// Nothing, and failed, where an option or the environment is wrong.
    [[nodiscard]] std::optional<settings> understand(common_options const& said);

    /// The data: `value`, or `draw`'s picture of it where a table is wanted.
    void show(settings const& how, nlohmann::json const& value,
              std::function<std::string(page const&)> const& draw);

    [[nodiscard]] int run_daemon(daemon::options const& how) { return run_daemon_(how); }

private:
    console io_;
    daemon_runner run_daemon_;
    int status_ = 0;
};

/// --format, --no-color.
void add_output_options(CLI::App& command, std::shared_ptr<common_options> const& into);
/// The same and --socket, --timeout, for commands that ask the daemon.
void add_common_options(CLI::App& command, std::shared_ptr<common_options> const& into);

[[nodiscard]] std::shared_ptr<common_options> options_of_environment();

/// The only values that the option takes; its help text is left to name them.
void allow_only(CLI::Option& option, std::vector<std::string> const& values);

}  // namespace bevmesh::cli
