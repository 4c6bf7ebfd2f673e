#include "mesh/net/program.hpp"

#include <array>
#include <spawn.h>
#include <sys/wait.h>

#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::net;

namespace {

boost::asio::awaitable<void> run_into(result<void>* done, program what, milliseconds limit) {
    *done = co_await run_program(std::move(what), limit);
}

boost::asio::awaitable<void> read_into(result<std::string>* said, program what,
                                       milliseconds limit) {
    *said = co_await read_program(std::move(what), limit);
}

result<std::string> read(std::vector<std::string> argv, std::string user = {},
                         milliseconds limit = milliseconds(10'000)) {
    boost::asio::io_context loop(1);
    result<std::string> said = std::string();
    program const what{std::move(argv), {"WHO=thanos"}, std::move(user)};
    testing::run(loop, read_into(&said, what, limit));
    return said;
}

result<void> run(std::vector<std::string> argv, milliseconds limit = milliseconds(10'000)) {
    boost::asio::io_context loop(1);
    result<void> done;
    program const what{std::move(argv), {"WHO=thanos"}};
    testing::run(loop, run_into(&done, what, limit));
    return done;
}

/// As posix_spawn has it here: POSIX lets it leave the news to the child, and where fork is
/// emulated it must.
std::string absence() {
    std::string path = "/no/such/program";
    std::array<char*, 2> argv{path.data(), nullptr};
    pid_t child = -1;
    if (::posix_spawn(&child, path.c_str(), nullptr, nullptr, argv.data(), nullptr) != 0)
        return "run /no/such/program: No such file or directory";
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    return "/no/such/program ended with status 127";
}

}  // namespace

TEST_CASE("a program gets its arguments as they are, and its own environment alone") {
    CHECK(run({"true"}).has_value());
    CHECK(run({"test", "a b;$c", "=", "a b;$c"}).has_value());
    CHECK(run({"sh", "-c", "test \"$WHO\" = thanos && test -z \"$HOME\""}).has_value());
    CHECK(run({"sh", "-c", "! test -e /proc/self/fd/3"}).has_value());
}

TEST_CASE("a program that fails, is killed, hangs or is not there is told") {
    CHECK(run({"sh", "-c", "exit 3"}).error().doing == "sh ended with status 3");
    CHECK(run({"sh", "-c", "kill -9 $$"}).error().doing == "sh was ended by signal 9");
    CHECK(run({"sleep", "60"}, milliseconds(50)).error().code == errc::timed_out);
    CHECK(run({"/no/such/program"}).error().doing == absence());
    CHECK(run({}).error().code == errc::bad_input);
}

TEST_CASE("what a program writes is read, and what it complained of is told") {
    CHECK(read({"sh", "-c", "echo $WHO; echo aside >&2"}).value() == "thanos\n");
    CHECK(read({"true"}).value().empty());
    CHECK(read({"sh", "-c", "echo half; echo no such cluster >&2; exit 2"}).error().doing ==
          "sh ended with status 2: no such cluster");
    auto const late = read({"sh", "-c", "echo so far >&2; sleep 60"}, {}, milliseconds(200));
    CHECK(late.error().code == errc::timed_out);
    CHECK(read({"/no/such/program"}).error().doing == absence());
}

TEST_CASE("of a program that writes without end the last is kept, and it never waits for us") {
    auto const said = read({"sh", "-c",
                            "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; "
                            "echo end"});
    REQUIRE(said.has_value());
    CHECK(said->size() == output_kept);
    CHECK(said->ends_with("end\n"));
}

TEST_CASE("a program's end is enough: what it left running may keep its output open") {
    auto const said = read({"sh", "-c", "sleep 5 & echo started"}, {}, milliseconds(4000));
    CHECK(said.value() == "started\n");
}

TEST_CASE("a program runs as the user that is named, by name or number, with that one's groups") {
    CHECK(read({"/no/such/program"}, "nobody-has-this-name").error().doing ==
          "run /no/such/program: there is no user nobody-has-this-name on this host");
    // Tests run as root.
    CHECK(read({"id", "-un"}, "daemon").value() == "daemon\n");
    CHECK(read({"id", "-G"}, "1").value() == "1\n");
    CHECK(read({"sh", "-c", "echo $WHO"}, "daemon").value() == "thanos\n");
}
