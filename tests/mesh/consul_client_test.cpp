// What the Consul client sends, and what it makes of answers good and bad.
#include "mesh/consul/client.hpp"
#include "mesh/consul/watch.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;

namespace {

struct agent {
    agent() {
        consul_config settings;
        settings.address = api.address();
        auto as = consul::identity::make(settings, "", {}).value();
        client = std::move(
            consul::make_client(api.loop.get_executor(), settings, as, secret("t0ken")).value());
    }
    std::string last() const { return api.asked.back().method + " " + api.asked.back().target; }
    std::string token() const {
        for (auto const& [name, value] : api.asked.back().headers) {
            if (name == "X-Consul-Token") return value;
        }
        return "none";
    }

    api_double api;
    std::unique_ptr<consul::client> client;
};

consul::blocking from_index(std::uint64_t index) {
    consul::blocking b;
    b.index = index;
    b.wait = seconds(60);
    return b;
}

}  // namespace

TEST_CASE("the token goes with each request, and a new one with the next") {
    agent a;
    a.api.on("GET /v1/agent/services", 200, "{}");
    REQUIRE(call(a.api, a.client->services()).has_value());
    CHECK(a.token() == "t0ken");
    a.client->set_token(secret("new"));
    REQUIRE(call(a.api, a.client->services()).has_value());
    CHECK(a.token() == "new");
    a.client->set_token(secret());
    REQUIRE(call(a.api, a.client->services()).has_value());
    CHECK(a.token() == "none");
}

TEST_CASE("an empty list that ACLs emptied says so") {
    agent a;
    a.api.on("GET /v1/agent/services", 200, "{}", {{"X-Consul-Results-Filtered-By-Acls", "true"}});
    CHECK(call(a.api, a.client->services())->filtered);
    a.api.on("GET /v1/agent/services", 200, "{}", {{"X-Consul-Default-Acl-Policy", "deny"}});
    CHECK_FALSE(call(a.api, a.client->services())->filtered);
    a.client->set_token(secret());
    CHECK(call(a.api, a.client->services())->filtered);
}

TEST_CASE("IDs and keys are one segment each, keys keep their slashes") {
    agent a;
    a.api.on("PUT /v1/agent/service/deregister/a%2Fb%20c%3A1", 200, "");
    CHECK(call(a.api, a.client->deregister_service("a/b c:1")).has_value());
    a.api.on("PUT /v1/agent/check/deregister/_service_maintenance%3Ax", 200, "");
    CHECK(call(a.api, a.client->deregister_check("_service_maintenance:x")).has_value());
    a.api.on("PUT /v1/agent/service/maintenance/x?enable=true&reason=why%20%26%20how", 200, "");
    CHECK(call(a.api, a.client->service_maintenance("x", true, "why & how")).has_value());
    a.api.on("PUT /v1/agent/service/maintenance/x?enable=false", 200, "");
    CHECK(call(a.api, a.client->service_maintenance("x", false, "")).has_value());
    a.api.on("PUT /v1/kv/bev/a%20b", 200, "true");
    CHECK(call(a.api, a.client->kv_put("bev/a b", "v", std::nullopt)).value());
    CHECK(a.api.asked.back().body == "v");
}

TEST_CASE("a registration replaces the checks that were there") {
    agent a;
    a.api.on("PUT /v1/agent/service/register?replace-existing-checks=true", 200, "");
    consul::service_definition d;
    d.id = d.name = "x";
    CHECK(call(a.api, a.client->register_service(d)).has_value());
    CHECK(a.api.asked.back().body.find("\"ID\":\"x\"") != std::string::npos);
    a.api.on("PUT /v1/agent/check/update/x%3Attl", 200, "");
    CHECK(call(a.api, a.client->update_check("x:ttl", consul::status::critical, "o")).has_value());
    CHECK(a.api.asked.back().body == R"({"Output":"o","Status":"critical"})");
}

TEST_CASE("each refusal has its code and Consul's first line") {
    struct row {
        unsigned status;
        errc code;
    };
    agent a;
    for (auto const& [status, code] :
         {row{400, errc::bad_input}, row{401, errc::forbidden}, row{403, errc::forbidden},
          row{404, errc::not_found}, row{409, errc::conflict}, row{429, errc::remote_error},
          row{500, errc::remote_error}, row{503, errc::remote_error}, row{302, errc::bad_answer}}) {
        a.api.on("PUT /v1/agent/service/deregister/x", status, "the reason\nand more");
        auto const got = call(a.api, a.client->deregister_service("x"));
        REQUIRE(got.has_error());
        CHECK(got.error().code == code);
        CHECK(got.error().doing == "PUT /v1/agent/service/deregister/x at " + a.api.address() +
                                       ": " + std::to_string(status) + " the reason");
    }
}

TEST_CASE("blocking queries carry index or hash, and wait") {
    agent a;
    a.api.on("GET /v1/health/service/redis?index=7&wait=60s&passing=1&tag=primary", 200,
             recorded("consul-1.22/health-service.json"), {{"X-Consul-Index", "9"}});
    auto const health =
        call(a.api, a.client->health_service("redis", true, "primary", from_index(7)));
    REQUIRE(health.has_value());
    CHECK(health->index == 9);
    CHECK(health->value.size() == 1);
    a.api.on("GET /v1/agent/service/x?hash=3c99&wait=60s", 200,
             recorded("consul-1.22/service.json"), {{"X-Consul-ContentHash", "3c9a"}});
    consul::blocking b;
    b.hash = "3c99";
    b.wait = seconds(60);
    CHECK(call(a.api, a.client->service("x", b))->content_hash == "3c9a");
    a.api.on("GET /v1/catalog/service/redis", 200, recorded("consul-1.22/catalog-service.json"));
    CHECK(call(a.api, a.client->catalog_service("redis", {}))->value.size() == 1);
    a.api.on("GET /v1/catalog/services?index=1&wait=60s&stale", 200, "{}");
    auto stale = from_index(1);
    stale.stale = true;
    CHECK(call(a.api, a.client->catalog_services(stale)).has_value());
}

TEST_CASE("an entry is told whatever its health, and a busy agent is no entry") {
    agent a;
    auto const path = "GET /v1/agent/health/service/id/x?format=json";
    for (unsigned const status : {200U, 429U, 503U}) {
        a.api.on(path, status, recorded("consul-1.22/entry-maintenance.json"));
        CHECK(call(a.api, a.client->entry("x"))->checks.size() == 2);
        a.api.on(path, status, "Your IP is issuing too many concurrent connections");
        auto const busy = call(a.api, a.client->entry("x"));
        REQUIRE(busy.has_error());
        CHECK(busy.error().code == (status == 200 ? errc::bad_answer : errc::remote_error));
    }
    a.api.on(path, 404, R"({"AggregatedStatus":"critical","Service":null,"Checks":null})");
    CHECK(call(a.api, a.client->entry("x")).error().code == errc::not_found);
    a.api.on(path, 403, "Permission denied");
    CHECK(call(a.api, a.client->entry("x")).error().code == errc::forbidden);
}

TEST_CASE("keys: missing, listed, compared and set") {
    agent a;
    CHECK(call(a.api, a.client->kv_get("nope", {})).error().code == errc::not_found);
    CHECK(call(a.api, a.client->kv_list("nope/", {}))->value.empty());
    a.api.on("GET /v1/kv/hidden/?recurse", 404, "",
             {{"X-Consul-Results-Filtered-By-Acls", "true"}});
    CHECK(call(a.api, a.client->kv_list("hidden/", {}))->filtered);
    a.api.on("GET /v1/kv/bev/?index=7&wait=60s&recurse", 200, recorded("consul-1.22/kv-list.json"));
    CHECK(call(a.api, a.client->kv_list("bev/", from_index(7)))->value.size() == 2);
    a.api.on("GET /v1/kv/bev/a", 200, recorded("consul-1.22/kv-get.json"));
    CHECK(call(a.api, a.client->kv_get("bev/a", {}))->value.modify_index == 35);
    a.api.on("PUT /v1/kv/bev/a?cas=0", 200, "false\n");
    CHECK_FALSE(call(a.api, a.client->kv_put("bev/a", "v", 0)).value());
    a.api.on("DELETE /v1/kv/bev/a?cas=35", 200, "true");
    CHECK(call(a.api, a.client->kv_delete_cas("bev/a", 35)).value());
    a.api.on("DELETE /v1/kv/bev/a", 200, "true");
    CHECK(call(a.api, a.client->kv_delete("bev/a")).has_value());
    a.api.on("PUT /v1/kv/bev/a", 200, "perhaps");
    CHECK(call(a.api, a.client->kv_put("bev/a", "v", std::nullopt)).error().code ==
          errc::bad_answer);
}

TEST_CASE("a transaction that lost is a conflict with its reasons") {
    agent a;
    a.api.on("PUT /v1/txn", 409, recorded("consul-1.22/txn-conflict.json"));
    auto const lost = call(a.api, a.client->transaction("[]"));
    REQUIRE(lost.has_error());
    CHECK(lost.error().code == errc::conflict);
    CHECK(lost.error().doing.find("409 operation 0: failed to set key \"bev/a\", index is stale") !=
          std::string::npos);
    a.api.on("PUT /v1/txn", 200, recorded("consul-1.22/txn.json"));
    CHECK(call(a.api, a.client->transaction("[]")).has_value());
    a.api.on("GET /v1/acl/token/self", 200, recorded("consul-1.22/token-self.json"));
    CHECK(call(a.api, a.client->token_self()).value().find("global-management") !=
          std::string::npos);
}

namespace {

awaitable<void> until_news(std::vector<std::string> const& told, std::size_t wanted) {
    while (told.size() < wanted)
        co_await net::sleep_for(milliseconds(2));
}

awaitable<result<consul::answer<std::string>>> next_answer(
    std::vector<result<consul::answer<std::string>>>& script, std::size_t& at) {
    if (at < script.size()) {
        auto const got = script[at++];
        co_return got;
    }
    co_await net::sleep_for(std::chrono::hours(1));
    co_return failure{errc::canceled, "over"};
}

consul::answer<std::string> says(std::string text, std::uint64_t index) {
    consul::answer<std::string> a;
    a.value = std::move(text);
    a.index = index;
    return a;
}

}  // namespace

TEST_CASE("a watch tells changes of content, and trouble once, and keeps the last good data") {
    boost::asio::io_context loop;
    auto hidden = says("", 6);
    hidden.filtered = true;
    std::vector<result<consul::answer<std::string>>> script{says("a", 1),
                                                            says("a", 2),
                                                            failure{errc::remote_error, "500"},
                                                            failure{errc::remote_error, "500"},
                                                            hidden,
                                                            says("a", 6),
                                                            says("b", 7)};
    std::size_t at = 0;
    std::vector<std::string> told;
    std::vector<std::string> trouble;
    consul::watch_hooks<std::string> hooks;
    hooks.ask = [&](consul::blocking) { return next_answer(script, at); };
    hooks.on_news = [&](std::string const& text) { told.push_back(text); };
    hooks.on_trouble = [&](failure const& f, unsigned) { trouble.push_back(f.doing); };
    consul::watch_policy policy;
    policy.pace = milliseconds(1);
    policy.retry.base = milliseconds(1);
    net::task_group group(loop.get_executor(), nullptr);
    group.spawn(consul::watch(hooks, policy, 1), "watch");
    run(loop, until_news(told, 2));
    group.cancel();
    run(loop, group.join());
    CHECK(told == std::vector<std::string>{"a", "b"});
    CHECK(trouble == std::vector<std::string>{"500"});
}
