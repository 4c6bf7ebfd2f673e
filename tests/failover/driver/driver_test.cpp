// The driver over a world of fakes: what is told to whom, in which order.
#include "failover/driver/driver.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "tests/catch.hpp"
#include "tests/failover/driver/fakes.hpp"

namespace bevmesh::failover {
namespace {

using namespace testing;

struct world {
    boost::asio::io_context loop{1};
    said log;
    fake_store store{loop.get_executor(), log};
    fake_guard keeper{log};
    fake_housing house;
    fake_database database{log};
    journal history{"redis", ""};
    std::unique_ptr<driver> d;
    net::task_group tasks{loop.get_executor(), {}};

    world() {
        policy p;
        p.group = "redis";
        p.self = "thanos";
        p.members = {"thanos", "oracle1"};
        p.timing = *profile("tailnet");
        p.probe = milliseconds(50);
        member_call nobody = [](std::string, std::string, std::string, milliseconds) {
            return no_answer();
        };
        driver_parts parts{store, keeper, database, house, nobody, {}, history};
        d = std::make_unique<driver>(loop.get_executor(), *checked(p, "tailnet"), std::move(parts));
        tasks.spawn(d->run(), "driver");
    }
    ~world() {
        tasks.cancel();
        loop.restart();
        loop.run_for(seconds(2));
    }
    static awaitable<result<std::string>> no_answer() {
        co_return failure{errc::unreachable, "nobody"};
    }

    template <class Condition>
    bool until(Condition is, milliseconds limit = milliseconds(30'000)) {
        auto const end = net::now() + limit;
        while (!is() && net::now() < end) {
            loop.restart();
            loop.run_one_for(milliseconds(20));
        }
        return is();
    }
    bool make_primary() {
        if (!until([&] { return net::now() > d->view().waiting_until && d->view().seen.any; }))
            return false;
        ordered init;
        init.what = order::init;
        init.node = "thanos";
        d->give(init);
        return until([&] { return d->view().at == stage::serving; });
    }
    [[nodiscard]] std::size_t at(char const* what) const {
        return static_cast<std::size_t>(std::find(log.begin(), log.end(), what) - log.begin());
    }
};

}  // namespace

TEST_CASE("a first primary is made in order: lease, guard, promotion, proof, endpoint") {
    world w;
    REQUIRE(w.make_primary());
    CAPTURE(w.log);
    CHECK(w.at("write held") < w.at("arm"));
    CHECK(w.at("arm") < w.at("promote"));
    CHECK(w.at("promote") < w.at("prove"));
    CHECK(w.at("prove") < w.at("publish"));
    CHECK(w.at("publish") < w.log.size());
}

TEST_CASE("the guard keeps what a daemon that comes back needs") {
    world w;
    REQUIRE(w.make_primary());
    auto const line = w.keeper.state_.blob.find('\n');
    REQUIRE(line != std::string::npos);
    CHECK(w.keeper.state_.blob.substr(0, line) == "run-1");
    auto const memory = decode_memory(w.keeper.state_.blob.substr(line + 1));
    REQUIRE(memory.has_value());
    CHECK(memory->record.holder == "thanos");
}

TEST_CASE("a death is told at once and ends in a release") {
    world w;
    REQUIRE(w.make_primary());
    w.d->give(database_died{"run-1"});
    REQUIRE(w.until([&] { return w.store.record_->state == lease_state::released; }));
    CAPTURE(w.log);
    CHECK(w.at("forget") < w.at("write released"));
}

TEST_CASE("a daemon without its guard does not go on serving") {
    world w;
    REQUIRE(w.make_primary());
    w.keeper.alive_ = false;
    CHECK(w.until([&] { return w.at("fence") < w.log.size() || w.at("kill") < w.log.size(); }));
}

TEST_CASE("without Consul's answer and members the primary is fenced in time") {
    world w;
    REQUIRE(w.make_primary());
    auto const until = w.d->view().hold->valid_until;
    w.store.silent_ = true;
    REQUIRE(w.until([&] { return w.at("fence") < w.log.size() || w.at("kill") < w.log.size(); }));
    CHECK(w.database.fenced_at_ < until + w.d->rules().timing.lease);
}

}  // namespace bevmesh::failover
