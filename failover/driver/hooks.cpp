#include "failover/driver/hooks.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <sys/wait.h>

#include "failover/guard/client.hpp"
#include "failover/guard/process.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (auto& word : words)
        all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

/// In a process group of its own, with no descriptor of ours, and the signals as they are by
/// default.
result<pid_t> start(std::vector<std::string> argv, std::vector<std::string> environment) {
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    for (int const fd : {0, 1, 2})
        ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_t how;
    ::posix_spawnattr_init(&how);
    sigset_t all;
    ::sigfillset(&all);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&how, &all);
    ::posix_spawnattr_setsigmask(&how, &none);
    ::posix_spawnattr_setpgroup(&how, 0);
    ::posix_spawnattr_setflags(
        &how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    auto words = pointers(argv);
    auto variables = pointers(environment);
    pid_t pid = 0;
    int const error =
        ::posix_spawnp(&pid, words.front(), &files, &how, words.data(), variables.data());
    ::posix_spawnattr_destroy(&how);
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0)
        return failure{errc::local_error, "run " + argv.front() + ": " + std::strerror(error)};
    return pid;
}

std::string verdict(std::string const& program, int status) {
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0
                   ? std::string()
                   : program + " ended with status " + std::to_string(WEXITSTATUS(status));
    return program + " was ended by signal " + std::to_string(WTERMSIG(status));
}

}  // namespace

boost::asio::awaitable<carried_out> run_hook_program(hook_settings const& how, run_hook what) {
    carried_out answer;
    answer.op = what.op;
    answer.result = outcome::done;
    auto const& argv = what.before ? how.before : how.after;
    if (argv.empty()) co_return answer;
    std::vector<std::string> environment;
    environment.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.push_back("BEVMESH_GROUP=" + how.group);
    environment.push_back("BEVMESH_EVENT=" + what.what);
    environment.push_back(std::string("BEVMESH_WHEN=") + (what.before ? "before" : "after"));
    environment.push_back("BEVMESH_NODE=" + what.node);
    auto const program = argv.front();
    auto const pid = start(argv, std::move(environment));
    answer.result = outcome::refused;
    if (!pid) {
        answer.detail = pid.error().doing;
        co_return answer;
    }
    guard::descriptor const held = guard::open_process(*pid);
    auto const limit = how.timeout;
    auto ending = guard::process_end(held.get());
    auto const ended = co_await net::with_deadline(std::move(ending), limit, "run " + program);
    if (!ended) ::kill(-*pid, SIGKILL);
    int status = 0;
    ::waitpid(*pid, &status, 0);
    answer.detail = ended ? verdict(program, status) : describe(ended.error());
    if (answer.detail.empty()) answer.result = outcome::done;
    co_return answer;
}

}  // namespace bevmesh::failover
