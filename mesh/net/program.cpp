#include "mesh/net/program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <pwd.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/net/deadline.hpp"

namespace bevmesh::net {

namespace asio = boost::asio;

namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (auto& word : words)
        all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

/// What comes out of a pipe, read as it comes so that its writer never waits for us.
class output : public std::enable_shared_from_this<output> {
public:
    explicit output(asio::any_io_executor const& executor) : from_(executor) {}

    /// The end to write to; the caller closes it.
    result<int> open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            return failure{errc::local_error, std::string("make a pipe: ") + std::strerror(errno)};
        from_.assign(ends[0]);
        from_.non_blocking(true);
        read_on();
        return ends[1];
    }
    /// What has come by now. Not waited for: what the program left running may write for ever.
    std::string take() {
        drain();
        close();
        if (kept_.size() > output_kept) kept_.erase(0, kept_.size() - output_kept);
        return std::move(kept_);
    }
    void close() {
        boost::system::error_code ignored;
        from_.close(ignored);
    }

private:
    void read_on() {
        from_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](boost::system::error_code error) {
                             if (!error && self->drain()) self->read_on();
                         });
    }
    /// False when nothing will come any more.
    bool drain() {
        boost::system::error_code error;
        for (;;) {
            auto const size = from_.read_some(asio::buffer(block_), error);
            if (error) return error == asio::error::would_block;
            kept_.append(block_.data(), size);
            if (kept_.size() > 2 * output_kept) kept_.erase(0, kept_.size() - output_kept);
        }
    }

    asio::posix::stream_descriptor from_;
    std::array<char, 4096> block_{};
    std::string kept_;
};

/// Both outputs of one program; none is read any more when this is gone.
struct outputs {
    explicit outputs(asio::any_io_executor const& executor)
        : out(std::make_shared<output>(executor)), err(std::make_shared<output>(executor)) {}
    ~outputs() {
        out->close();
        err->close();
    }
    outputs(outputs const&) = delete;
    outputs& operator=(outputs const&) = delete;

    std::shared_ptr<output> out;
    std::shared_ptr<output> err;
};

/// The program behind one that takes on the user, its groups, and none of our capabilities.
result<std::vector<std::string>> as_user(std::string const& user, std::vector<std::string> argv) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> room{};
    bool const number = user.find_first_not_of("0123456789") == std::string::npos;
    if (number && user.size() < 10)
        ::getpwuid_r(static_cast<uid_t>(std::stoul(user)), &entry, room.data(), room.size(),
                     &found);
    else
        ::getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr)
        return failure{errc::bad_input,
                       "run " + argv.front() + ": there is no user " + user + " on this host"};
    std::vector<std::string> all{"setpriv",
                                 "--reuid=" + std::to_string(entry.pw_uid),
                                 "--regid=" + std::to_string(entry.pw_gid),
                                 "--init-groups",
                                 "--ambient-caps=-all",
                                 "--"};
    all.insert(all.end(), argv.begin(), argv.end());
    return all;
}

/// In a process group of its own, with no descriptor of ours, and the signals as they are by
/// default. `out`, `err`: where it writes to; -1: nowhere.
result<pid_t> start(program what, int out = -1, int err = -1) {
    auto const name = what.argv.front();
    if (!what.user.empty()) {
        auto whole = as_user(what.user, std::move(what.argv));
        if (!whole) return whole.error();
        what.argv = std::move(*whole);
    }
    what.environment.emplace_back(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    auto const connect = [&files](int fd, int to) {
        if (to < 0)
            ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
        else
            ::posix_spawn_file_actions_adddup2(&files, to, fd);
    };
    connect(0, -1);
    connect(1, out);
    connect(2, err);
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
    auto words = pointers(what.argv);
    auto variables = pointers(what.environment);
    pid_t pid = 0;
    int const error =
        ::posix_spawnp(&pid, words.front(), &files, &how, words.data(), variables.data());
    ::posix_spawnattr_destroy(&how);
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0) return failure{errc::local_error, "run " + name + ": " + std::strerror(error)};
    return pid;
}

asio::awaitable<result<void>> ended(asio::posix::stream_descriptor* process) {
    co_await process->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    co_return result<void>();
}

result<void> verdict(std::string const& name, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (WIFEXITED(status))
        return failure{errc::local_error,
                       name + " ended with status " + std::to_string(WEXITSTATUS(status))};
    return failure{errc::local_error,
                   name + " was ended by signal " + std::to_string(WTERMSIG(status))};
}

asio::awaitable<result<void>> wait_for(pid_t pid, std::string name, milliseconds limit) {
    auto const executor = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor held(executor);
    int const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    result<void> done;
    if (fd >= 0) {
        held.assign(fd);
        auto ending = ended(&held);
        auto const doing = "run " + name;
        done = co_await with_deadline(std::move(ending), limit, doing);
    } else {
        done = failure{errc::local_error, "run " + name + ": " + std::strerror(errno)};
    }
    if (done.has_error()) ::kill(-pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (done.has_error()) co_return done.error();
    co_return verdict(name, status);
}

/// What a person is told of a program's complaint.
std::string last_words(std::string said) {
    constexpr std::size_t most = 1000;
    while (!said.empty() && (said.back() == '\n' || said.back() == ' '))
        said.pop_back();
    if (said.size() > most) said.erase(0, said.size() - most);
    return said.empty() ? said : ": " + said;
}

}  // namespace

asio::awaitable<result<void>> run_program(program what, milliseconds limit) {
    if (what.argv.empty()) co_return failure{errc::bad_input, "run: no program is named"};
    auto name = what.argv.front();
    auto const started = start(std::move(what));
    if (started.has_error()) co_return started.error();
    auto const pid = *started;
    co_return co_await wait_for(pid, std::move(name), limit);
}

asio::awaitable<result<std::string>> read_program(program what, milliseconds limit) {
    if (what.argv.empty()) co_return failure{errc::bad_input, "run: no program is named"};
    auto name = what.argv.front();
    auto const executor = co_await asio::this_coro::executor;
    outputs const of(executor);
    auto const out = of.out->open();
    if (!out) co_return out.error();
    auto const err = of.err->open();
    if (!err) {
        ::close(*out);
        co_return err.error();
    }
    auto const started = start(std::move(what), *out, *err);
    ::close(*out);
    ::close(*err);
    if (started.has_error()) co_return started.error();
    auto const pid = *started;
    auto const done = co_await wait_for(pid, std::move(name), limit);
    if (!done)
        co_return failure{done.error().code, done.error().doing + last_words(of.err->take())};
    co_return of.out->take();
}

}  // namespace bevmesh::net
