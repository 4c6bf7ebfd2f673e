#include "failover/guard/process.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace bevmesh::failover::guard {
namespace {

/// A small file of /proc; cut at the buffer's size.
std::string_view slurp(char const* path, std::span<char> buffer) noexcept {
    descriptor const file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::size_t size = 0;
    while (size < buffer.size()) {
        auto const n = ::read(file.get(), buffer.data() + size, buffer.size() - size);
        if (n <= 0) break;
        size += static_cast<std::size_t>(n);
    }
    return {buffer.data(), size};
}

template <class Number>
std::optional<Number> number(std::string_view text) noexcept {
    Number value{};
    auto const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr == text.data()) return std::nullopt;
    return value;
}

/// What follows `key` on its line, without the blanks around.
std::string_view line_of(std::string_view whole, std::string_view key) noexcept {
    for (std::size_t at = 0; at < whole.size();) {
        auto const end = std::min(whole.find('\n', at), whole.size());
        auto line = whole.substr(at, end - at);
        if (line.starts_with(key)) {
            line.remove_prefix(key.size());
            while (!line.empty() && (line.front() == ' ' || line.front() == '\t'))
                line.remove_prefix(1);
            return line;
        }
        at = end + 1;
    }
    return {};
}

}  // namespace

descriptor open_process(pid_t pid) noexcept {
    return descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

pid_t pid_of(int pidfd) noexcept {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fdinfo/%d", pidfd);
    std::array<char, 512> buffer{};
    auto const pid = number<pid_t>(line_of(slurp(path.data(), buffer), "Pid:"));
    return pid && *pid > 0 ? *pid : 0;
}

bool has_ended(int pidfd) noexcept {
    pollfd one{pidfd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
}

void kill_process(int pidfd) noexcept {
    (void)send_signal(pidfd, SIGKILL);
}

bool send_signal(int pidfd, int number) noexcept {
    return ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0;
}

std::optional<std::uint64_t> start_ticks(pid_t pid) noexcept {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
    std::array<char, 1024> buffer{};
    auto text = slurp(path.data(), buffer);
    // The name in parentheses may hold blanks and parentheses itself; field 3 follows its last one.
    auto const name_end = text.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(name_end + 1);
    for (int field = 3; field <= 22; ++field) {
        auto const blank = text.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        text.remove_prefix(blank + 1);
    }
    return number<std::uint64_t>(text);
}

bool is_namespace_init(pid_t pid) noexcept {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/status", pid);
    std::array<char, 4096> buffer{};
    // "NSpid:  4711  1": its pid in each namespace, the innermost last.
    auto const pids = line_of(slurp(path.data(), buffer), "NSpid:");
    auto const last = pids.find_last_of(" \t");
    return last != std::string_view::npos && pids.substr(last + 1) == "1";
}

}  // namespace bevmesh::failover::guard
