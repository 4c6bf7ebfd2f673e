// The driver's parts by themselves: the transaction, the messages, the lane, the hooks.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "failover/driver/hooks.hpp"
#include "failover/driver/lane.hpp"
#include "failover/driver/lease_store.hpp"
#include "failover/driver/members.hpp"
#include "mesh/consul/codec.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/task_group.hpp"
#include "tests/catch.hpp"

namespace bevmesh::failover {
namespace {

using boost::asio::awaitable;
using nlohmann::json;

write_record some_write() {
    write_record w;
    w.base = 17;
    w.record.holder = "thanos";
    w.record.epoch = 4;
    w.record.write_id = "a";
    w.record.members = {"thanos", "oracle1"};
    return w;
}

service_addresses const where{{"thanos", {"10.0.0.1", 6379}}, {"oracle1", {"10.0.0.2", 6379}}};

carried_out run(hook_settings const& how, run_hook what) {
    boost::asio::io_context loop;
    carried_out got;
    boost::asio::co_spawn(loop, run_hook_program(how, std::move(what)),
                          [&](std::exception_ptr const&, carried_out c) { got = std::move(c); });
    loop.run_for(seconds(20));
    return got;
}

/// One handler after the other; false when it did not come to pass.
template <class Condition>
bool until(boost::asio::io_context& loop, Condition is) {
    auto const limit = std::chrono::steady_clock::now() + seconds(10);
    while (!is() && std::chrono::steady_clock::now() < limit) {
        loop.restart();
        loop.run_one_until(limit);
    }
    return is();
}

}  // namespace

TEST_CASE("the lease is compared and set, and the endpoint goes with it") {
    auto w = some_write();
    w.endpoint = endpoint_change::publish;
    auto const operations = json::parse(encode_transaction(w, "redis", where));
    REQUIRE(operations.size() == 3);
    CHECK(operations[0]["KV"]["Verb"] == "cas");
    CHECK(operations[0]["KV"]["Index"] == 17);
    CHECK(operations[0]["KV"]["Key"] == "bevmesh/failover/redis");
    auto const value = consul::base64_decode(operations[0]["KV"]["Value"].get<std::string>());
    REQUIRE(value.has_value());
    CHECK(decode_record(*value).value() == w.record);
    CHECK(operations[1]["Node"]["Node"]["Node"] == "bevmesh");
    CHECK(operations[2]["Service"]["Service"]["Service"] == "redis-primary");
    CHECK(operations[2]["Service"]["Service"]["Address"] == "10.0.0.1");
    CHECK(operations[2]["Service"]["Service"]["Port"] == 6379);
}

TEST_CASE("a take removes the endpoint; a renewal leaves it alone") {
    auto w = some_write();
    CHECK(json::parse(encode_transaction(w, "redis", where)).size() == 1);
    w.endpoint = endpoint_change::remove;
    auto const operations = json::parse(encode_transaction(w, "redis", where));
    REQUIRE(operations.size() == 2);
    CHECK(operations[1]["Service"]["Verb"] == "delete");
}

TEST_CASE("the answer's index is the entry's, and nothing else will do") {
    std::string const good =
        R"({"Results":[{"KV":{"Key":"bevmesh/failover/redis","ModifyIndex":23}},{"Node":{}}]})";
    CHECK(decode_transaction(good, "redis").value() == 23);
    CHECK_FALSE(decode_transaction(good, "other").has_value());
    CHECK_FALSE(decode_transaction("{}", "redis").has_value());
    CHECK_FALSE(decode_transaction("no JSON", "redis").has_value());
}

TEST_CASE("what a member says of itself arrives as it was") {
    member_report r;
    r.database.process = "run";
    r.database.history = {"line", {{"before", 7}}};
    r.database.role = role::primary;
    r.database.condition = condition::busy;
    r.database.at = 99;
    r.database.replicas = {{"oracle1", 98, true}};
    r.epoch = 3;
    r.epoch_holder = "oracle1";
    r.configuration = "c";
    r.guarded = true;
    CHECK(decode_report(encode(r)).value() == r);
    CHECK_FALSE(decode_report("{}").has_value());
    CHECK_FALSE(decode_report("[]").has_value());
    auto const reply = decode_promise_reply(encode(promise_reply{true, "why"}));
    REQUIRE(reply.has_value());
    CHECK(reply->granted);
    CHECK_FALSE(decode_promise_reply("{}").value().granted);
}

TEST_CASE("a lane does one thing after the other, and drops what has not begun") {
    boost::asio::io_context loop;
    lane one(loop.get_executor());
    net::task_group tasks(loop.get_executor(), {});
    std::string seen;
    std::string begun;
    auto const slow = [&seen, &begun](char const* what) {
        return [](std::string* into, std::string* begins, char const* word) -> awaitable<void> {
            *begins = word;
            milliseconds const a_while(20);
            co_await net::sleep_for(a_while);
            *into += word;
        }(&seen, &begun, what);
    };
    auto const idle = [&one] { return one.idle(); };
    one.push({[slow] { return slow("a"); }});
    one.push({[slow] { return slow("b"); }});
    tasks.spawn(one.run(), "lane");
    REQUIRE(until(loop, idle));
    CHECK(seen == "ab");
    one.push({[slow] { return slow("c"); }});
    one.push({[slow] { return slow("never"); }, [&seen] { seen += "dropped"; }});
    REQUIRE(until(loop, [&begun] { return begun == "c"; }));
    one.drop_waiting();
    REQUIRE(until(loop, idle));
    CHECK(seen == "abdroppedc");
    tasks.cancel();
    CHECK(until(loop, [&tasks] { return tasks.size() == 0; }));
}

TEST_CASE("a hook is a program with arguments; what it says by its status is a veto") {
    hook_settings how;
    how.group = "redis";
    how.timeout = seconds(10);
    run_hook what;
    what.op = 5;
    what.what = "takeover";
    what.node = "thanos";
    CHECK(run(how, what).result == outcome::done);  // none is none
    how.before = {"sh", "-c", "test \"$BEVMESH_NODE $BEVMESH_GROUP\" = 'thanos redis'"};
    CHECK(run(how, what).result == outcome::done);
    CHECK(run(how, what).op == 5);
    how.before = {"sh", "-c", "exit 3"};
    auto const veto = run(how, what);
    CHECK(veto.result == outcome::refused);
    CHECK(veto.detail == "sh ended with status 3");
    how.before = {"/no/such/program"};
    CHECK(run(how, what).result == outcome::refused);
    how.before = {"sleep", "30"};
    how.timeout = milliseconds(300);
    CHECK(run(how, what).result == outcome::refused);
}

}  // namespace bevmesh::failover
