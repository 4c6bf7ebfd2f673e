// How services in containers are told, against an engine that notes what it is asked.
#include "certs/reload.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using boost::asio::awaitable;

namespace {

class fake_engine final : public docker::client {
public:
    std::vector<std::string> asked;
    int exit_code = 0;
    bool stops = true;
    std::vector<std::string> bound;  // into the container redis

    awaitable<result<std::string>> ping() override { co_return none(); }
    awaitable<result<docker::engine_info>> info() override { co_return none(); }
    awaitable<result<std::vector<docker::listed_container>>> list() override { co_return none(); }
    awaitable<result<docker::container>> inspect(std::string id) override {
        if (id != "redis") co_return none();
        docker::container c;
        c.bound = bound;
        co_return c;
    }
    awaitable<result<std::unique_ptr<docker::event_stream>>> events(std::int64_t) override {
        co_return none();
    }
    awaitable<result<std::vector<docker::network>>> networks() override { co_return none(); }
    awaitable<result<void>> start(std::string id) override {
        asked.push_back("start " + id);
        co_return result<void>();
    }
    awaitable<result<void>> stop(std::string id, seconds grace) override {
        asked.push_back("stop " + id + " " + std::to_string(grace.count()));
        if (stops) co_return result<void>();
        co_return none();
    }
    awaitable<result<void>> kill(std::string id, std::string signal) override {
        asked.push_back("kill " + id + " " + signal);
        co_return result<void>();
    }
    awaitable<result<docker::exec_result>> exec(std::string id,
                                                std::vector<std::string> argv) override {
        asked.push_back("exec " + id + " " + argv.at(0));
        co_return docker::exec_result{exit_code, "out\n", exit_code == 0 ? "" : "no node\nmore"};
    }
    awaitable<result<docker::exec_output>> logs(std::string, unsigned) override {
        co_return none();
    }
    awaitable<result<std::string>> create(std::string, std::string) override { co_return none(); }
    awaitable<result<void>> remove(std::string) override { co_return none(); }
    awaitable<result<void>> import_image(std::string, std::string) override { co_return none(); }
    awaitable<result<void>> remove_image(std::string) override { co_return none(); }
    net::endpoint const& peer() const noexcept override { return peer_; }

private:
    static failure none() { return {errc::unreachable, "no engine"}; }
    net::endpoint peer_;
};

awaitable<void> into(result<void>* done, awaitable<result<void>> of) {
    *done = co_await std::move(of);
}

result<void> outcome_of(awaitable<result<void>> of, boost::asio::io_context& loop) {
    result<void> done;
    testing::run(loop, into(&done, std::move(of)));
    return done;
}

result<void> outcome_of(awaitable<result<void>> of) {
    boost::asio::io_context loop(1);
    return outcome_of(std::move(of), loop);
}

awaitable<result<void>> refuse(std::string why) {
    co_return failure{errc::unreachable, std::move(why)};
}

restart_settings restart(std::string container) {
    restart_settings how;
    how.container = std::move(container);
    how.limit = milliseconds(300);
    return how;
}

awaitable<result<void>> agree() {
    co_return result<void>();
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a container is signaled, asked or restarted through its engine") {
    fake_engine engine;
    CHECK(outcome_of(signal_container(engine, "nginx", "SIGHUP")).has_value());
    CHECK(outcome_of(run_in_container(engine, "rabbitmq", {"rabbitmqctl", "eval"})).has_value());
    CHECK(engine.asked == lines{"kill nginx SIGHUP", "exec rabbitmq rabbitmqctl"});
}

TEST_CASE("a restart is done when the service takes connections again, and not before") {
    boost::asio::io_context loop(1);
    fake_engine engine;
    testing::scripted_server server(loop, {testing::answer("")});
    auto how = restart("influxdb");
    how.where.host = "127.0.0.1";
    how.where.port = server.where().port;
    CHECK(outcome_of(restart_container(engine, how), loop).has_value());
    CHECK(engine.asked == lines{"stop influxdb 10", "start influxdb"});
    how.where.port = 1;
    auto const done = outcome_of(restart_container(engine, how), loop);
    REQUIRE(done.has_error());
    CHECK(done.error().doing.starts_with("connect to 127.0.0.1:1"));
}

TEST_CASE("the primary of a group is not restarted") {
    fake_engine engine;
    auto how = restart("redis");
    how.may = []() -> result<void> { return failure{errc::conflict, "move it first"}; };
    auto const done = outcome_of(restart_container(engine, how));
    REQUIRE(done.has_error());
    CHECK(done.error().doing == "move it first");
    CHECK(engine.asked.empty());
}

TEST_CASE("of a service whose other instance is away none is restarted") {
    fake_engine engine;
    auto how = restart("influxdb");
    how.others = {{"127.0.0.1", 1, greeting::none}};
    auto const done = outcome_of(restart_container(engine, how));
    REQUIRE(done.has_error());
    CHECK(done.error().doing.starts_with("one is restarted at a time"));
    CHECK(engine.asked.empty());
}

TEST_CASE("a single file that is bound into a container is found and named") {
    fake_engine engine;
    auto const look = [&engine](std::string const& name) {
        return outcome_of(check_binds(engine, name, "/etc/redis/tls"));
    };
    engine.bound = {"/var/lib/redis", "/etc/redis/tls", "/etc/redis/tls-of-others/cert.pem"};
    CHECK(look("redis").has_value());
    engine.bound.emplace_back("/etc/redis/tls/current/cert.pem");
    auto const found = look("redis");
    REQUIRE(found.has_error());
    CHECK(found.error().doing ==
          "container redis has /etc/redis/tls/current/cert.pem bound into it alone, where a new "
          "one would not be seen: bind the folder /etc/redis/tls, or use `layout: inplace`");
    CHECK(look("not-yet-made").has_value());
}

TEST_CASE("a signal goes to the process of the file, never to a group or to all") {
    auto folder = (std::filesystem::temp_directory_path() / "bevmesh-reload-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    auto const path = folder + "/pid";
    auto const to = [&path](std::string const& content, std::string const& signal) {
        std::ofstream(path) << content;
        return outcome_of(signal_process(path, signal));
    };
    for (auto const* nobody : {"", "0", "1", "-1", "-4711", "nginx"}) {
        INFO(nobody);
        CHECK(to(nobody, "SIGHUP").has_error());
    }
    auto const child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    CHECK(to(std::to_string(child), "SIGKILL").has_error());
    CHECK(to(std::to_string(child) + "\n", "SIGHUP").has_value());
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WTERMSIG(status) == SIGHUP);
    std::filesystem::remove_all(folder);
}

TEST_CASE("services that are told in turn are not told behind the first that fails") {
    unsigned told = 0;
    reload_call const fails = [&told](dates) {
        ++told;
        return refuse("it does not come back");
    };
    auto const done = outcome_of(tell_in_turn({fails, fails}, dates::checked));
    REQUIRE(done.has_error());
    CHECK(told == 1);
}

TEST_CASE("a command that fails in its container is told with what it wrote first") {
    fake_engine engine;
    engine.exit_code = 69;
    auto const done = outcome_of(run_in_container(engine, "rabbitmq", {"rabbitmqctl", "eval"}));
    REQUIRE(done.has_error());
    CHECK(done.error().doing == "run rabbitmqctl in rabbitmq: status 69: no node");
}

TEST_CASE("a container that does not stop is not started") {
    fake_engine engine;
    engine.stops = false;
    auto const how = restart("influxdb");
    CHECK(outcome_of(restart_container(engine, how)).has_error());
    CHECK(engine.asked == lines{"stop influxdb 10"});
}

TEST_CASE("a service that reloads by HTTP is believed only where it says so") {
    boost::asio::io_context loop(1);
    auto const limit = milliseconds(5'000);
    testing::scripted_server server(
        loop,
        {testing::answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
         testing::answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad")});
    auto const ask = [&] {
        return outcome_of(post(server.where(), {}, "/-/reload", dates::checked, limit), loop);
    };
    CHECK(ask().has_value());
    auto const refused = ask();
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::remote_error);
    CHECK(refused.error().doing.starts_with("POST /-/reload at "));
}

TEST_CASE("of several instances each is told, and each that fails is named") {
    std::string told;
    auto const fails = [&told](std::string name) {
        return [&told, name](dates) {
            told += name;
            return refuse(name + " is away");
        };
    };
    auto const works = [&told](dates how) {
        told += how == dates::ignored ? "!" : ".";
        return agree();
    };
    auto const done = outcome_of(tell_all({fails("a"), works, fails("b")}, dates::ignored));
    REQUIRE(done.has_error());
    CHECK(done.error().doing == "a is away; b is away");
    CHECK(told == "a!b");
    CHECK(outcome_of(tell_all({works, works}, dates::checked)).has_value());
}
