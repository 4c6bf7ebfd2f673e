#include "registrar/dns/command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mesh/net/clock.hpp"
#include "mesh/os/descriptor.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr std::size_t output_max = 1U << 20U;

struct pipe_ends {
    descriptor read;
    descriptor write;

    bool open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = descriptor(ends[0]);
        write = descriptor(ends[1]);
        return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
    }
};

failure failed(std::vector<std::string> const& argv, int code) {
    return {errc::local_error, command_text(argv) + ": " + std::strerror(code)};
}

/// What is there to be read now.
void drain(int fd, std::string& into) {
    std::array<char, 4096> piece{};
    for (;;) {
        auto const n = ::read(fd, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        if (into.size() < output_max) into.append(piece.data(), static_cast<std::size_t>(n));
    }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (auto& word : words)
        all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> environment_with(std::vector<std::string> const& more) {
    std::vector<std::string> all = more;
    for (auto** at = environ; *at != nullptr; ++at) {
        std::string const one(*at);
        auto const name = one.substr(0, one.find('=') + 1);
        auto const is_ours = [&](std::string const& m) { return m.starts_with(name); };
        if (std::ranges::none_of(more, is_ours)) all.push_back(one);
    }
    return all;
}

int spawn(std::vector<std::string> const& argv, std::vector<std::string> const& more, int out,
          int err, pid_t& pid) {
    auto words = argv;
    auto environment = environment_with(more);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    int const code = ::posix_spawnp(&pid, words[0].c_str(), &actions, nullptr,
                                    pointers(words).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

}  // namespace

std::string command_text(std::vector<std::string> const& argv) {
    std::string text;
    for (auto const& word : argv)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

result<command_result> run_command(std::vector<std::string> const& argv, milliseconds limit,
                                   std::vector<std::string> const& environment) {
    pipe_ends out;
    pipe_ends err;
    if (!out.open() || !err.open()) return failed(argv, errno);
    pid_t pid = 0;
    if (int const code = spawn(argv, environment, out.write.get(), err.write.get(), pid))
        return failed(argv, code);
    out.write.reset();
    err.write.reset();
    descriptor const child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    command_result done;
    auto const deadline = net::now() + limit;
    bool ended = false;
    std::array<pollfd, 3> watched{
        {{child.get(), POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    while (!ended) {
        auto const left = std::chrono::ceil<milliseconds>(deadline - net::now());
        if (left.count() <= 0) break;
        ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
        drain(out.read.get(), done.out);
        drain(err.read.get(), done.err);
        ended = (watched[0].revents & POLLIN) != 0;
        // A pipe's end would wake us for ever.
        for (auto& w : watched)
            if ((w.revents & (POLLHUP | POLLIN)) == POLLHUP) w.fd = -1;
    }
    if (!ended) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    drain(out.read.get(), done.out);
    drain(err.read.get(), done.err);
    if (!ended) return failure{errc::timed_out, command_text(argv) + ": did not end in time"};
    done.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return done;
}

result<void> must_run(std::vector<std::string> const& argv, milliseconds limit) {
    auto const done = run_command(argv, limit);
    if (!done) return done.error();
    if (done->status == 0) return {};
    auto const& said = done->err.empty() ? done->out : done->err;
    return failure{errc::local_error, command_text(argv) + ": exit code " +
                                          std::to_string(done->status) + ": " +
                                          said.substr(0, said.find('\n'))};
}

void pause_for(milliseconds duration) {
    ::poll(nullptr, 0, static_cast<int>(duration.count()));
}

}  // namespace bevmesh::registrar::dns
