// What the guard must be able to do without: memory, and a kernel that trusts it for ever.
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"
#include "tests/failover/guard/allocation.hpp"
#include "tests/failover/guard/processes.hpp"

namespace bevmesh::failover::guard {
namespace {

using namespace testing;

TEST_CASE("After its start a guard allocates nothing, whatever it is asked and whatever it kills") {
    scratch const where;
    auto options = options_in(where);
    options.stop = ::eventfd(0, EFD_CLOEXEC);
    std::thread serving([&] {
        auto const made = make_server(options);
        if (!made) return;
        count_allocations_here();
        (*made)->run();
    });
    {
        auto guest = call(where);
        auto daemon = call(where);
        exchange(daemon, ask_for(verb::hello));
        auto wrong = ask_for(verb::status);
        wrong.magic = 1;
        exchange(guest, wrong);
        child const first(sleep_for_ever);
        child const second(sleep_for_ever);
        auto r = arm_on(identity(first.pid()), seconds(5));
        r.blob_size = blob_size_max;
        CHECK(exchange(daemon, r).said == verdict::done);
        CHECK(exchange(daemon, arm_on(identity(second.pid()), seconds(5))).said ==
              verdict::other_victim);
        for (int i = 0; i < 100; ++i)
            exchange(daemon, extend_to(net::now() + seconds(5)));
        exchange(guest, ask_for(verb::fence));
        until_dead(daemon);
        exchange(daemon, arm_on(identity(second.pid()), milliseconds(20)));
        until_dead(daemon);
        exchange(daemon, ask_for(verb::forget));
    }
    std::uint64_t const one = 1;
    CHECK(::write(options.stop, &one, sizeof one) == sizeof one);
    serving.join();
    ::close(options.stop);
    CHECK(allocations_counted() == 0);
}

TEST_CASE("The kernel's watchdog is fed while a process is held, and stopped in order") {
    scratch const where;
    auto const device = where.path("watchdog");
    REQUIRE(::mkfifo(device.c_str(), 0600) == 0);
    int const kernel = ::open(device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    // A FIFO that nobody writes to ends, until it is opened again: not so a device.
    int const stays = ::open(device.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    auto options = options_in(where);
    options.watchdog = device;
    options.watchdog_timeout = seconds(1);
    child const database(sleep_for_ever);
    auto guard_process = std::make_unique<child>(guard_with(options));
    auto daemon = call(where);
    exchange(daemon, ask_for(verb::hello));
    char byte = 'x';
    CHECK(::read(kernel, &byte, 1) <= 0);  // nothing is held, nothing runs
    auto const next = [&] {
        pollfd one{kernel, POLLIN, 0};
        REQUIRE(::poll(&one, 1, 2000) == 1);
        REQUIRE(::read(kernel, &byte, 1) == 1);
        return byte;
    };
    auto const armed = exchange(daemon, arm_on(identity(database.pid()), seconds(60)));
    CHECK(armed.said == verdict::done);
    for (int i = 0; i < 4; ++i)
        CHECK(next() == '\0');
    CHECK(exchange(daemon, ask_for(verb::forget)).said == verdict::done);
    while (byte != 'V')
        next();
    CHECK(exchange(daemon, arm_on(identity(database.pid()), seconds(60))).said == verdict::done);
    CHECK(next() == '\0');
    guard_process.reset();  // no 'V': a real device would reset the machine
    while (::read(kernel, &byte, 1) == 1)
        CHECK(byte == '\0');
    ::close(stays);
    ::close(kernel);
}

TEST_CASE("Where a watchdog was asked for and cannot be had, nothing is armed") {
    scratch const where;
    auto options = options_in(where);
    options.watchdog = where.path("none");
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options));
    auto daemon = call(where);
    exchange(daemon, ask_for(verb::hello));
    CHECK(exchange(daemon, arm_on(identity(database.pid()), seconds(60))).said ==
          verdict::no_watchdog);
}

}  // namespace
}  // namespace bevmesh::failover::guard
