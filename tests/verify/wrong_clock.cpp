// Preloaded into a daemon: its wall clock is WRONG_CLOCK_SECONDS off, every other clock is right.
#include <cstdlib>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

extern "C" int clock_gettime(clockid_t which, timespec* out) noexcept {
    int const status = static_cast<int>(::syscall(SYS_clock_gettime, which, out));
    if (status == 0 && which == CLOCK_REALTIME)
        if (char const* const off = ::getenv("WRONG_CLOCK_SECONDS")) out->tv_sec += ::atol(off);
    return status;
}
