#include "failover/guard/cgroup.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bevmesh::failover::guard {
namespace {

constexpr int depth_max = 16;
constexpr std::size_t batch = 64;

/// Calls `each(pid)` for the lines of a cgroup.procs until it returns false.
template <class Each>
bool every_line(int directory, Each each) noexcept {
    descriptor const procs(::openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC));
    if (!procs) return true;
    std::array<char, 4096> buffer{};
    pid_t pid = 0;
    for (;;) {
        auto const n = ::read(procs.get(), buffer.data(), buffer.size());
        if (n <= 0) return true;
        for (ssize_t i = 0; i < n; ++i) {
            auto const c = buffer[static_cast<std::size_t>(i)];
            if (c >= '0' && c <= '9') {
                pid = pid * 10 + (c - '0');
                continue;
            }
            if (pid > 0 && !each(pid)) return false;
            pid = 0;
        }
    }
}

/// As getdents64(2) writes it.
struct directory_entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t size;
    std::uint8_t type;
};
constexpr std::size_t name_offset = 19;
constexpr std::uint8_t type_directory = 4;

/// Calls `each(fd)` for the directory and all below it until it returns false.
template <class Each>
bool every_directory(int directory, Each each, int depth = 0) noexcept {
    if (!each(directory)) return false;
    if (depth == depth_max) return true;
    descriptor const listing(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!listing) return true;
    alignas(directory_entry) std::array<char, 2048> buffer{};
    for (;;) {
        auto const n = ::syscall(SYS_getdents64, listing.get(), buffer.data(), buffer.size());
        if (n <= 0) return true;
        for (long at = 0; at < n;) {
            directory_entry entry{};
            auto const* const raw = buffer.data() + at;
            std::memcpy(&entry, raw, name_offset);
            std::string_view const name(raw + name_offset);
            if (entry.type == type_directory && name != "." && name != "..") {
                descriptor const below(
                    ::openat(directory, name.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
                if (below && !every_directory(below.get(), each, depth + 1)) return false;
            }
            at += entry.size;
        }
    }
}

/// `batch` processes from the `skip`th on: held first, then looked up again, then killed.
std::size_t kill_batch(int directory, std::size_t skip) noexcept {
    std::array<pid_t, batch> pids{};
    std::array<descriptor, batch> held;
    std::array<bool, batch> listed{};
    std::size_t count = 0;
    std::size_t seen = 0;
    every_line(directory, [&](pid_t pid) {
        if (seen++ < skip) return true;
        pids[count++] = pid;
        return count < batch;
    });
    for (std::size_t i = 0; i < count; ++i)
        held[i] = open_process(pids[i]);
    every_line(directory, [&](pid_t pid) {
        for (std::size_t i = 0; i < count; ++i)
            listed[i] = listed[i] || pids[i] == pid;
        return true;
    });
    for (std::size_t i = 0; i < count; ++i)
        if (listed[i] && held[i]) kill_process(held[i].get());
    return count;
}

}  // namespace

bool cgroup::open(char const* directory) noexcept {
    close();
    descriptor opened(::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat here{}, above{};
    if (!opened || ::fstatat(opened.get(), "cgroup.procs", &here, 0) != 0) return false;
    // Only a cgroup's parent has cgroup.procs too; a hierarchy's root would be the whole host.
    if (::fstatat(opened.get(), "../cgroup.procs", &above, 0) != 0) return false;
    kill_ = descriptor(::openat(opened.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
    directory_ = std::move(opened);
    return true;
}

void cgroup::close() noexcept {
    directory_.reset();
    kill_.reset();
}

bool cgroup::contains(pid_t pid) const noexcept {
    return !every_directory(directory_.get(), [pid](int one) {
        return every_line(one, [pid](pid_t found) { return found != pid; });
    });
}

bool cgroup::empty() const noexcept {
    return every_directory(directory_.get(),
                           [](int one) { return every_line(one, [](pid_t) { return false; }); });
}

void cgroup::strike() noexcept {
    if (kill_ && ::write(kill_.get(), "1", 1) == 1) return;
    every_directory(directory_.get(), [](int one) {
        for (std::size_t skip = 0; kill_batch(one, skip) == batch; skip += batch) {
        }
        return true;
    });
}

descriptor open_freezer(pid_t pid) noexcept {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/cgroup", pid);
    descriptor const file(::open(path.data(), O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::array<char, 4096> buffer{};
    auto const n = ::read(file.get(), buffer.data(), buffer.size());
    if (n <= 0) return {};
    std::string_view const text(buffer.data(), static_cast<std::size_t>(n));
    std::string_view constexpr key = ":freezer:";
    auto const at = text.find(key);
    if (at == std::string_view::npos) return {};
    auto const where = text.substr(at + key.size(), text.find('\n', at) - at - key.size());
    std::array<char, 512> state{};
    std::snprintf(state.data(), state.size(), "/sys/fs/cgroup/freezer%.*s/freezer.state",
                  static_cast<int>(where.size()), where.data());
    return descriptor(::open(state.data(), O_WRONLY | O_CLOEXEC));
}

void thaw(int freezer) noexcept {
    if (::write(freezer, "THAWED", 6) < 0) return;  // it is gone, and nothing is frozen in it
}

}  // namespace bevmesh::failover::guard
