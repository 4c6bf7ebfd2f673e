// A real Redis as the driver's database: what the core is told of it.
#include "failover/driver/redis_database.hpp"
#include "tests/failover/redis/calls.hpp"

namespace bevmesh::failover {
namespace {

using namespace testing;

/// The test's own process of Redis, which nobody is asked to start or kill.
class no_housing final : public housing {
public:
    awaitable<result<running>> look() override {
        ++looked;
        if (arguments.empty()) co_return none();
        running it;
        it.argv = arguments;
        co_return it;
    }
    awaitable<result<void>> start() override { co_return none(); }
    awaitable<result<void>> kill(milliseconds) override { co_return none(); }
    awaitable<result<void>> signal(std::string) override { co_return none(); }
    awaitable<result<std::string>> run(std::vector<std::string>, std::string, secret,
                                       milliseconds) override {
        co_return none();
    }
    awaitable<result<launch>> launched() override { co_return none(); }
    awaitable<result<std::string>> read_file(std::string) override {
        if (arguments.empty()) co_return none();
        co_return std::string();
    }
    std::string const& name() const noexcept override { return name_; }

    std::vector<std::string> arguments;  // of the process; empty: nobody tells
    int looked = 0;

private:
    static failure none() { return {errc::not_found, "there is no housing"}; }
    std::string name_ = "a process";
};

redis_options options_for(redis_process const& whom) {
    redis_options how;
    how.policy.group = "redis";
    how.policy.self = "thanos";
    how.policy.members = {"oracle1", "thanos"};
    how.policy.timing = *profile("tailnet");
    how.where = {{"thanos", whom.address()}, {"oracle1", {"127.0.0.1", 1}}};
    how.login = [login = whom.login()](redis::address const&) { return login; };
    return how;
}

probe a_probe() {
    return {1, limit};
}

TEST_CASE("A new primary whose gate waits for a dead replica has proved that it takes writes") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            no_housing house;
            auto const database = make_redis_database(on, house, options_for(one));
            auto const seen = co_await database->look(a_probe());
            promote up;
            up.process = seen.facts.process;
            up.not_after = later();
            up.gate.nodes = {"oracle1"};
            up.gate.count = 1;
            auto const promoted = co_await database->perform(up);
            REQUIRE(promoted.result == outcome::done);
            std::vector<std::string> const set{"SET", "key", "value"};
            auto const client = co_await ask(one, set);
            CHECK(client.text.starts_with("NOREPLICAS"));
            prove write;
            write.process = seen.facts.process;
            auto const proved = co_await database->perform(write);
            CHECK(proved.result == outcome::done);
            auto const again = co_await database->look(a_probe());
            CHECK(again.facts.condition == condition::ok);
        },
        a);
}

TEST_CASE(
    "Whether it is boot-fenced is read beside the first look, and again where it was not told") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            no_housing house;
            auto how = options_for(one);
            how.policy.probe = milliseconds(10);
            auto const database = make_redis_database(on, house, std::move(how));
            auto seen = co_await database->look(a_probe());
            CHECK_FALSE(seen.facts.process.empty());
            CHECK(house.looked == 0);
            seen = co_await database->look(a_probe());
            CHECK(house.looked == 1);
            CHECK_FALSE(seen.facts.boot_fenced);
            house.arguments = {"redis-server", "--replicaof", "127.0.0.1", "1"};
            auto const give_up = net::now() + limit;
            while (!seen.facts.boot_fenced && net::now() < give_up)
                seen = co_await database->look(a_probe());
            CHECK(seen.facts.boot_fenced);
            auto const looked = house.looked;
            seen = co_await database->look(a_probe());
            CHECK(seen.facts.boot_fenced);
            CHECK(house.looked == looked);
        },
        a);
}

TEST_CASE("A replica has not proved that it takes writes") {
    redis_process a;
    on_loop(
        [](executor on, redis_process& one) -> awaitable<void> {
            no_housing house;
            auto const database = make_redis_database(on, house, options_for(one));
            auto const seen = co_await database->look(a_probe());
            prove write;
            write.process = seen.facts.process;
            auto const proved = co_await database->perform(write);
            CHECK(proved.result == outcome::refused);
            CHECK(proved.why == condition::write_fails);
        },
        a);
}

}  // namespace
}  // namespace bevmesh::failover
