#include "failover/guard/footing.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bevmesh::failover::guard {
namespace {

/// The program itself, the C and C++ runtime, the loader and the vdso.
bool needed(std::string_view object) {
    if (object.empty()) return true;
    auto const name = object.substr(object.rfind('/') + 1);
    for (std::string_view const prefix :
         {"libc.so", "libstdc++", "libgcc_s", "libm.so", "ld-linux"})
        if (name.starts_with(prefix)) return true;
    return false;
}

/// dl_iterate_phdr's callback: `failed` counts the segments that could not be brought in.
int bring_in(dl_phdr_info* object, std::size_t, void* failed) {
    if (!needed(object->dlpi_name)) return 0;
    auto const page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        auto const& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        auto const begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        auto const end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        if (::mlock(reinterpret_cast<void*>(begin), end - begin) != 0) ++*static_cast<int*>(failed);
    }
    return 0;
}

/// The stack that the deepest call will need is touched once, and so locked.
[[gnu::noinline]] void touch_stack() {
    std::array<char, 256 * 1024> deep;
    auto volatile* const bytes = deep.data();
    for (std::size_t i = 0; i < deep.size(); i += 4096)
        bytes[i] = 0;
}

std::uint64_t locked_now() {
    std::array<char, 8192> buffer{};
    descriptor const file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    auto const n = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
    std::string_view const text(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    // VmLck counts what is mapped and marked, in memory or not: VmRSS is what really is.
    auto at = text.find("VmRSS:");
    if (at == std::string_view::npos) return 0;
    at = text.find_first_of("0123456789", at);
    std::uint64_t kilobytes = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), kilobytes);
    return kilobytes * 1024;
}

}  // namespace

result<std::uint64_t> lock_memory() {
    touch_stack();
    int failed = 0;
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
        ::dl_iterate_phdr(&bring_in, &failed);
    else
        failed = 1;
    if (failed != 0)
        return failure{errc::local_error,
                       std::string("lock the guard in memory: ") + std::strerror(errno)};
    return locked_now();
}

bool raise_priority() noexcept {
    sched_param wanted{};
    wanted.sched_priority = 10;
    return ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted) == 0;
}

kernel_watchdog::kernel_watchdog(std::string path, seconds timeout)
    : path_(std::move(path)), timeout_(static_cast<int>(timeout.count())) {}

bool kernel_watchdog::start() noexcept {
    if (path_.empty() || running()) return true;
    device_ = descriptor(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!device_) return false;
    int timeout = timeout_;
    ::ioctl(device_.get(), WDIOC_SETTIMEOUT, &timeout);
    feed();
    return true;
}

void kernel_watchdog::feed() noexcept {
    // A byte that could not be written is missed by the device itself: that is its purpose.
    if (running() && ::write(device_.get(), "\0", 1) != 1) return;
}

void kernel_watchdog::stop() noexcept {
    if (!running()) return;
    // The "magic close" of the kernel's watchdog API: without it, closing is a failure and resets.
    if (::write(device_.get(), "V", 1) != 1) feed();
    device_.reset();
}

}  // namespace bevmesh::failover::guard
