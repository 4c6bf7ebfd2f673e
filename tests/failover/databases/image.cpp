#include "tests/failover/databases/image.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"

namespace bevmesh::testing {
namespace {

/// A network namespace of the test program's own: a port that was chosen here and is not bound yet
/// is nobody else's. What it forks is in it too.
struct own_network {
    own_network() : machine(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
        REQUIRE(machine >= 0);
        REQUIRE(::unshare(CLONE_NEWNET) == 0);
        ifreq loopback{};
        std::memcpy(loopback.ifr_name, "lo", sizeof "lo");
        loopback.ifr_flags = static_cast<short>(IFF_UP);
        int const any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int const up = ::ioctl(any, SIOCSIFFLAGS, &loopback);
        ::close(any);
        REQUIRE(up == 0);
    }

    int machine;  // where the packages of an image come from
};

own_network const& network() {
    static own_network const entered;
    return entered;
}

/// The script's answer: one line.
std::string output_of(std::string const& program, std::string const& argument) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    int const machine = network().machine;
    child script([&] {
        if (::setns(machine, CLONE_NEWNET) != 0) ::_exit(126);
        ::dup2(ends[1], STDOUT_FILENO);
        ::execl(program.c_str(), program.c_str(), argument.c_str(), nullptr);
    });
    ::close(ends[1]);
    std::string text;
    std::array<char, 512> buffer{};
    for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(ends[0]);
    script.reap();
    while (text.ends_with('\n'))
        text.pop_back();
    return text;
}

bool mount_on(std::string const& from, std::string const& to) {
    return ::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

void enter(std::string const& root, uid_t user) {
    bool done = ::unshare(CLONE_NEWNS) == 0 &&
                ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    for (auto const* const shared : {"/dev", "/proc", "/tmp"})
        done = done && mount_on(shared, root + shared);
    done = done && ::chroot(root.c_str()) == 0 && ::chdir("/tmp") == 0;
    if (user != 0) done = done && ::setresgid(user, user, user) == 0;
    if (user != 0) done = done && ::setresuid(user, user, user) == 0;
    if (!done) ::_exit(126);
}

}  // namespace

std::string const& image_root(std::string const& name) {
    static std::map<std::string, std::string> known;
    auto& root = known[name];
    if (root.empty()) root = output_of(BEVMESH_IMAGE_ROOT, name);
    REQUIRE_FALSE(root.empty());
    return root;
}

std::function<void()> in_image(command what) {
    auto const& root = image_root(what.image);
    return [what = std::move(what), root] {
        // A test that is killed takes its servers with it.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        auto const* const log = what.log.empty() ? "/dev/null" : what.log.c_str();
        int const out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        enter(root, what.user);
        std::vector<char*> argv;
        for (auto const& word : what.argv)
            argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        std::array<char*, 3> environment{const_cast<char*>("PATH=/usr/bin:/bin"),
                                         const_cast<char*>("LC_ALL=C.UTF-8"), nullptr};
        ::execve(argv.front(), argv.data(), environment.data());
        ::_exit(127);
    };
}

int run_in_image(command what) {
    auto const body = in_image(std::move(what));  // unpacks, before the fork
    pid_t const pid = ::fork();
    if (pid == 0) body();
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::uint16_t free_port() {
    static_cast<void>(network());
    // Below those that the kernel gives to outgoing connections.
    static std::uint16_t last = 20'000;
    return ++last;
}

}  // namespace bevmesh::testing
