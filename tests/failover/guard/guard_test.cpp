// The guard against real processes: daemons that die or freeze, guards that do, and pids that lie.
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failover/guard/state_file.hpp"
#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"
#include "tests/failover/guard/processes.hpp"

namespace bevmesh::failover::guard {
namespace {

using namespace testing;

constexpr auto margin = milliseconds(200);  // as shipped

/// A daemon as far as a guard sees one: says hello, arms, and extends every 10 ms.
std::function<void()> renewing_daemon(std::string socket, victim_id who, milliseconds term) {
    return [=] {
        auto made = caller::connect(socket);
        if (!made) ::_exit(1);
        auto r = ask_for(verb::hello);
        r.what = verb::hello;
        if (!made->ask(r, seconds(1))) ::_exit(1);
        if (!made->ask(arm_on(who, term, margin), seconds(1))) ::_exit(1);
        for (;;) {
            ::poll(nullptr, 0, 10);
            if (!made->ask(extend_to(net::now() + term, margin), seconds(1))) ::_exit(1);
        }
    };
}

void become_daemon(caller& with) {
    REQUIRE(exchange(with, ask_for(verb::hello)).said == verdict::done);
}

void wait_until_armed(caller& with) {
    auto const limit = net::now() + seconds(5);
    while (exchange(with, ask_for(verb::status)).phase != phase::armed) {
        REQUIRE(net::now() < limit);
        ::poll(nullptr, 0, 2);
    }
}

TEST_CASE("While a daemon renews its database lives; when it is killed or frozen it dies in time") {
    auto const how = GENERATE(SIGKILL, SIGSTOP);
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto watcher = call(where);
    auto const term = milliseconds(1'000);
    child const daemon(renewing_daemon(where.path("guard.sock"), identity(database.pid()), term));
    wait_until_armed(watcher);
    CHECK_FALSE(database.ended(2 * term));
    daemon.signal(how);
    auto const lost = net::now();
    auto const end = until_dead(watcher);
    CHECK(database.ended(milliseconds(0)));
    CHECK(end.cause == death::deadline);
    CHECK(to_instant(end.dead_ns) <= to_instant(end.term.deadline_ns));
    CHECK(to_instant(end.struck_ns) >= to_instant(end.term.deadline_ns) - margin);
    CHECK(to_instant(end.dead_ns) <= lost + term);
}

TEST_CASE("A database that is stopped is killed all the same") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    database.signal(SIGSTOP);
    hold(daemon, identity(database.pid()));
    shorten(daemon, milliseconds(50));
    CHECK(until_dead(daemon).cause == death::deadline);
    CHECK(database.ended(milliseconds(0)));
}

TEST_CASE("A guard that was frozen over the deadline kills, with an extension in its socket") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto const armed = hold(daemon, identity(database.pid()), seconds(2));
    guard_process.signal(SIGSTOP);
    auto const deadline = to_instant(armed.term.deadline_ns);
    auto const late = extend_to(deadline + seconds(5));
    CHECK(daemon.ask(late, milliseconds(100)).error().code == errc::timed_out);
    wait_until(deadline + milliseconds(30));
    CHECK(database.runs());
    guard_process.signal(SIGCONT);
    CHECK(database.ended(seconds(5)));
    auto watcher = call(where);
    auto const end = until_dead(watcher);
    CHECK(end.cause == death::deadline);
    CHECK(end.late_max_ns >= 30'000'000);
}

TEST_CASE("Extensions that race the deadline either come before the kill or are refused") {
    scratch const where;
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    for (int offset = -400; offset <= 400; offset += 50) {
        child const database(sleep_for_ever);
        auto const first = arm_briefly(daemon, identity(database.pid()), milliseconds(5));
        auto const when = to_instant(first.term.deadline_ns) + std::chrono::microseconds(offset);
        while (net::now() < when) {
        }
        auto const said = exchange(daemon, extend_to(net::now() + seconds(10))).said;
        if (said == verdict::done) {
            CHECK_FALSE(database.ended(milliseconds(10)));
            CHECK(exchange(daemon, ask_for(verb::forget)).said == verdict::done);
        } else {
            CHECK((said == verdict::too_late || said == verdict::already_dead));
            until_dead(daemon);
        }
    }
}

TEST_CASE("What a daemon forgot lives on") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto const armed = hold(daemon, identity(database.pid()), seconds(2));
    CHECK(exchange(daemon, ask_for(verb::forget)).phase == phase::idle);
    wait_until(to_instant(armed.term.deadline_ns) + milliseconds(30));
    CHECK(database.runs());
}

TEST_CASE("A fence kills at once, and the status tells when the death was seen") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    CHECK(exchange(daemon, ask_for(verb::fence)).said == verdict::not_armed);
    hold(daemon, identity(database.pid()));
    auto other = call(where);  // ExecStopPost is not the daemon
    CHECK(exchange(other, ask_for(verb::fence)).said == verdict::done);
    auto const end = until_dead(daemon);
    CHECK(end.cause == death::asked);
    CHECK(end.dead_ns >= end.struck_ns);
}

TEST_CASE("The newest daemon is served, the older one is dropped, and the blob goes over") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto older = call(where);
    auto const stranger = arm_on(identity(database.pid()), seconds(60));
    CHECK(exchange(older, stranger).said == verdict::not_the_daemon);
    become_daemon(older);
    auto first = stranger;
    put_text(first.blob, "index 17");
    first.blob_size = 8;
    REQUIRE(exchange(older, first).said == verdict::done);
    auto newer = call(where);
    auto const seen = exchange(newer, ask_for(verb::hello));
    CHECK(seen.phase == phase::armed);
    CHECK(seen.victim == first.victim);
    CHECK(seen.term == first.term);
    CHECK(std::string_view(seen.blob.data(), seen.blob_size) == "index 17");
    auto const dropped = older.ask(extend_to(net::now() + seconds(90)), seconds(1));
    REQUIRE(dropped.has_error());
    CHECK(dropped.error().code != errc::timed_out);
    CHECK(exchange(newer, ask_for(verb::status)).term == first.term);
    CHECK(exchange(newer, extend_to(net::now() + seconds(90))).said == verdict::done);
}

TEST_CASE("Guests who never leave cannot keep the daemon's connection or a new one out") {
    scratch const where;
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    std::vector<caller> guests;
    for (int i = 0; i < 30; ++i)
        guests.push_back(call(where));
    CHECK(exchange(guests.back(), ask_for(verb::status)).said == verdict::done);
    CHECK(exchange(daemon, ask_for(verb::status)).said == verdict::done);
}

TEST_CASE("A pid that belongs to another process by now is neither held nor killed") {
    scratch const where;
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto first = std::make_unique<child>(sleep_for_ever);
    auto const pid = first->pid();
    auto const meant = identity(pid);
    auto const armed = hold(daemon, meant, seconds(2));
    first.reset();
    CHECK(until_dead(daemon).cause == death::by_itself);
    ::poll(nullptr, 0, 20);  // another tick of start_ticks
    child const other(sleep_for_ever, pid);
    wait_until(to_instant(armed.term.deadline_ns) + milliseconds(30));
    CHECK(other.runs());
    CHECK(exchange(daemon, arm_on(meant, seconds(60))).said == verdict::no_such_process);
    auto const wrong_handle = open_process(guard_process.pid());
    CHECK(exchange(daemon, arm_on(identity(pid), seconds(60)), wrong_handle.get()).said ==
          verdict::no_such_process);
    CHECK(exchange(daemon, ask_for(verb::status)).phase == phase::dead);
    CHECK(other.runs());
}

TEST_CASE("A pidfd that the daemon passes is the process that is killed, also without its start") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto const handle = open_process(database.pid());
    auto unseen = identity(database.pid());  // as a daemon knows it from which /proc hides it
    auto const seen = unseen.start_ticks;
    unseen.start_ticks = 0;
    CHECK(exchange(daemon, arm_on(unseen, seconds(60))).said == verdict::no_such_process);
    auto const armed = hold(daemon, unseen, seconds(60), handle.get());
    CHECK(armed.victim.start_ticks == seen);
    shorten(daemon, milliseconds(50));
    until_dead(daemon);
    CHECK(database.ended(milliseconds(0)));
}

TEST_CASE("What must not be killed is refused: init, guard, daemon, half a server") {
    scratch const where;
    child const database(sleep_for_ever);
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto const said = [&](victim_id const& who) {
        return exchange(daemon, arm_on(who, seconds(5))).said;
    };
    CHECK(said(identity(1)) == verdict::forbidden_victim);
    CHECK(said(identity(::getpid())) == verdict::forbidden_victim);
    CHECK(said(identity(guard_process.pid())) == verdict::forbidden_victim);
    CHECK(said(identity(database.pid(), {}, false)) == verdict::not_whole);
    CHECK(said(identity(database.pid(), "/proc/self")) == verdict::no_such_cgroup);
    CHECK(exchange(daemon, ask_for(verb::status)).phase == phase::idle);
}

TEST_CASE("A container's init takes all with it, and is dead only when all are") {
    scratch const where;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    child const container(
        [&] {
            for (int i = 0; i < 20; ++i)
                if (::fork() == 0) sleep_for_ever();
            sleep_for_ever();
        },
        true);
    ::close(ends[1]);  // only they hold it now
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    become_daemon(daemon);
    auto const who = identity(container.pid(), {}, false);
    hold(daemon, who);
    shorten(daemon, milliseconds(50));
    until_dead(daemon);
    pollfd all{ends[0], POLLIN, 0};
    CHECK(::poll(&all, 1, 0) == 1);
    CHECK((all.revents & POLLHUP) != 0);
    ::close(ends[0]);
}

TEST_CASE("A guard that died is taken over from: the process is held, and past its deadline dead") {
    scratch const where;
    child const database(sleep_for_ever);
    auto first = std::make_unique<child>(guard_with(options_in(where)));
    bool const late = GENERATE(false, true);
    instant deadline;
    std::string first_id;
    {
        auto daemon = call(where);
        become_daemon(daemon);
        auto r = arm_on(identity(database.pid()), seconds(2));
        r.blob_size = 5;
        put_text(r.blob, "blob!");
        auto const armed = exchange(daemon, r);
        REQUIRE(armed.said == verdict::done);
        first_id = get_text(armed.guard_id);
        deadline = to_instant(armed.term.deadline_ns);
    }
    first.reset();
    if (late) wait_until(deadline + milliseconds(30));
    CHECK(database.runs());
    child const second(guard_with(options_in(where)));
    auto watcher = call(where);
    auto const now = exchange(watcher, ask_for(verb::status));
    CHECK(now.restored == 1);
    CHECK(get_text(now.guard_id) != first_id);
    CHECK(std::string_view(now.blob.data(), now.blob_size) == "blob!");
    auto const end = until_dead(watcher);
    CHECK(end.cause == death::deadline);
    CHECK(database.ended(milliseconds(0)));
}

TEST_CASE("After both, what the guard held is killed from its file; a living daemon is spared it") {
    scratch const where;
    child const database(sleep_for_ever);
    auto guard_process = std::make_unique<child>(guard_with(options_in(where)));
    static_cast<void>(call(where));  // the daemon asks once
    auto daemon = std::make_unique<child>(
        renewing_daemon(where.path("guard.sock"), identity(database.pid()), seconds(60)));
    {
        auto watcher = call(where);
        wait_until_armed(watcher);
    }
    daemon->signal(SIGSTOP);
    guard_process.reset();
    auto const file = where.path("guard.state");
    auto const spared = fence_from_file(file, seconds(1), true);
    REQUIRE(spared.has_value());
    CHECK_FALSE(*spared);
    CHECK(database.runs());
    daemon.reset();
    auto const fenced = fence_from_file(file, seconds(5), true);
    REQUIRE(fenced.has_value());
    CHECK(*fenced);
    CHECK(database.ended(milliseconds(0)));
    CHECK_FALSE(fence_from_file(file, seconds(1), true).value());
    CHECK_FALSE(fence_from_file(where.path("none"), seconds(1), true).value());
}

TEST_CASE("A group has one guard") {
    scratch const where;
    child const first(guard_with(options_in(where)));
    auto daemon = call(where);
    auto const second = make_server(options_in(where));
    REQUIRE(second.has_error());
    CHECK(second.error().code == errc::conflict);
    CHECK(exchange(daemon, ask_for(verb::status)).said == verdict::done);
}

TEST_CASE("Only root and the daemon's user are answered") {
    scratch const where;
    auto options = options_in(where);
    options.user = 4242;
    child const guard_process(guard_with(options));
    auto watcher = call(where);
    REQUIRE(::chmod(where.path("").c_str(), 0755) == 0);
    REQUIRE(::chmod(options.socket.c_str(), 0777) == 0);  // the file's mode is not what keeps them
    for (uid_t const user : {uid_t(4242), uid_t(4243)}) {
        child const guest([&] {
            if (::setresuid(user, user, user) != 0) ::_exit(3);
            auto made = caller::connect(options.socket);
            bool const answered = made && made->ask(ask_for(verb::status), seconds(1));
            if (answered == (user == 4242)) sleep_for_ever();  // as it should be
        });
        CHECK_FALSE(guest.ended(milliseconds(300)));
    }
}

TEST_CASE("Bytes that are no message are answered as such, and harm nothing") {
    scratch const where;
    child const guard_process(guard_with(options_in(where)));
    auto daemon = call(where);
    auto wrong = ask_for(verb::status);
    wrong.version = 9;
    CHECK(exchange(daemon, wrong).said == verdict::bad_message);
    CHECK(exchange(daemon, ask_for(verb::status)).said == verdict::done);
}

TEST_CASE("A state of another boot, or torn in the middle, is none") {
    scratch const where;
    auto const path = where.path("state");
    {
        auto file = state_file::open(path);
        REQUIRE(file.has_value());
        CHECK_FALSE(file->load().has_value());
        saved_state s;
        s.victim.pid = 5;
        file->save(s);
        s.victim.pid = 6;
        file->save(s);
        CHECK(file->load()->victim.pid == 6);
        CHECK(state_file::open(path).error().code == errc::conflict);
    }
    auto const poke = [&](long offset) {
        auto* const f = std::fopen(path.c_str(), "r+");
        REQUIRE(f != nullptr);
        std::fseek(f, offset, SEEK_SET);
        std::fputc('#', f);
        std::fclose(f);
    };
    poke(60 + 48);  // in the newer slot: the one before counts
    CHECK(state_file::look(path)->victim.pid == 5);
    poke(10);  // the boot's name
    CHECK(state_file::look(path).error().code == errc::not_found);
    CHECK_FALSE(state_file::open(path)->load().has_value());
}

}  // namespace
}  // namespace bevmesh::failover::guard
