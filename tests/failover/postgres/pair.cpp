#include "tests/failover/postgres/pair.hpp"

#include <functional>

#include "failover/postgres/data_directory.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::testing {

using namespace failover;
using namespace failover::postgres;

std::unique_ptr<server> calls_to(executor const& on, postgres_process const& whom) {
    server_options options;
    options.login = [login = whom.login()] { return login; };
    options.node = whom.node();
    return make_server(on, std::move(options));
}

instant later() {
    return net::now() + seconds(60);
}

/// Made, boot-fenced, running, and promoted.
awaitable<std::string> make_primary(executor on, postgres_process& p) {
    p.init();
    REQUIRE(make_boot_fenced(p.data()).has_value());
    p.start();
    auto const s = calls_to(on, p);
    auto const seen = co_await s->probe(limit);
    DETAIL(seen);
    REQUIRE(seen.has_value());
    CHECK(seen->recovery);
    CHECK(to_facts(*seen, addresses()).boot_fenced);
    auto const promoted = co_await s->promote(seen->process, later(), gate_setting(), limit);
    DETAIL(promoted);
    REQUIRE(promoted.has_value());
    co_return seen->process;
}

/// From an empty directory to a standby that streams.
awaitable<std::string> make_standby(executor on, postgres_process& p, postgres_process& primary) {
    auto const upstream = calls_to(on, primary);
    auto const slot = co_await upstream->make_slot(slot_of(p.node()), limit);
    DETAIL(slot);
    REQUIRE(slot.has_value());
    CHECK(inspect(p.data())->empty);
    REQUIRE(p.base_backup(primary) == 0);
    REQUIRE(make_boot_fenced(p.data()).has_value());
    p.start();
    auto const s = calls_to(on, p);
    auto const seen = co_await s->probe(limit);
    DETAIL(seen);
    REQUIRE(seen.has_value());
    auto const follows =
        co_await s->follow(seen->process, primary.address(), primary.login(), limit);
    DETAIL(follows);
    REQUIRE(follows.has_value());
    co_return seen->process;
}

awaitable<void> until_received(server& standby, server& primary) {
    auto const there = co_await primary.probe(limit);
    auto const got = co_await standby.reach(there->at - 1, limit);
    DETAIL(got);
    REQUIRE(got.has_value());
}

namespace {

awaitable<server_state> until_standby(server& primary, std::string what,
                                      std::function<bool(listed_standby const&)> good) {
    auto const give_up = net::now() + limit;
    for (;;) {
        auto const seen = co_await primary.probe(limit);
        DETAIL(seen);
        REQUIRE(seen.has_value());
        REQUIRE(seen->standbys.size() == 1);
        INFO("the standby " << what << " within the limit");
        REQUIRE(net::now() < give_up);
        if (good(seen->standbys[0])) co_return *seen;
        co_await net::sleep_for(milliseconds(20));
    }
}

}  // namespace

awaitable<server_state> until_counted(server& primary) {
    return until_standby(primary, "counts for the gate", &listed_standby::counts);
}

awaitable<server_state> until_streaming(server& primary) {
    return until_standby(primary, "streams",
                         [](listed_standby const& s) { return s.state == "streaming"; });
}

}  // namespace bevmesh::testing
