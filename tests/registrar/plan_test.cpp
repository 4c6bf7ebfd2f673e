// Whose an entry is, what drifted in it, and what makes a registration another one.
#include "registrar/plan.hpp"

#include <functional>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

using std::chrono::seconds;

constexpr std::string_view here = "thanos";

registration wanted_web() {
    registration r;
    r.service.id = "thanos:web:8080";
    r.service.name = "web";
    r.service.address = "100.122.12.54";
    r.service.port = 18080;
    r.service.tags = {"front", "v1"};
    r.service.meta = {{"team", "shop"}};
    r.service.tagged_addresses = {{"lan_ipv4", {"100.122.12.54", 18080}}};
    r.container_id = "0123456789abcdef0123456789abcdef";
    wanted_check tcp;
    tcp.definition.id = "thanos:web:8080:1";
    tcp.definition.tcp = "100.122.12.54:18080";
    tcp.definition.interval = seconds(10);
    wanted_check http;
    http.definition.id = "thanos:web:8080:2";
    http.definition.http = "http://100.122.12.54:18080/health";
    http.definition.header = {{"X-By", {"consul"}}};
    r.checks = {tcp, http};
    return r;
}

/// The agent as our own registration of `r` left it.
observed agent_with(registration const& r) {
    observed agent;
    apply_registration(agent, definition_of(r, here, {}, {}));
    return agent;
}

struct drift {
    std::string says;
    std::function<void(observed&, consul::agent_service&)> how;
};

struct edit {
    char const* what;
    std::function<void(registration&)> how;
};

}  // namespace

TEST_CASE("an entry as we registered it has no difference") {
    auto const r = wanted_web();
    auto agent = agent_with(r);
    CHECK(difference(r, agent, here) == "");
    std::swap(agent.services.at(r.service.id).tags[0], agent.services.at(r.service.id).tags[1]);
    CHECK(difference(r, agent, here) == "");
}

TEST_CASE("each field that drifted in an entry of ours is a difference, told by its name") {
    auto const r = wanted_web();
    using agent_t = observed;
    using entry_t = consul::agent_service;
    std::vector<drift> const drifts{
        {"it is not registered", [&](agent_t& a, entry_t&) { a.services.clear(); }},
        {"it was left without an owner", [](agent_t&, entry_t& e) { e.meta.clear(); }},
        {"it is not ours", [](agent_t&, entry_t& e) { e.meta["bevmesh-instance"] = "oracle1"; }},
        {"it is not ours", [](agent_t&, entry_t& e) { e.meta["external-source"] = "nomad"; }},
        {"meta or checks", [](agent_t&, entry_t& e) { e.meta["team"] = "other"; }},
        {"meta or checks", [](agent_t&, entry_t& e) { e.meta.erase("team"); }},
        {"meta or checks", [](agent_t&, entry_t& e) { e.meta["added"] = "by hand"; }},
        {"meta or checks", [](agent_t&, entry_t& e) { e.meta["bevmesh-hash"] = "0"; }},
        {"name", [](agent_t&, entry_t& e) { e.name = "webb"; }},
        {"address", [](agent_t&, entry_t& e) { e.address = "100.122.12.35"; }},
        {"address", [](agent_t&, entry_t& e) { e.port = 18081; }},
        {"tag override", [](agent_t&, entry_t& e) { e.enable_tag_override = true; }},
        {"tags", [](agent_t&, entry_t& e) { e.tags.pop_back(); }},
        {"tags", [](agent_t&, entry_t& e) { e.tags.emplace_back("added"); }},
        {"check thanos:web:8080:2 is gone",
         [](agent_t& a, entry_t&) { a.checks.erase("thanos:web:8080:2"); }},
    };
    for (auto const& d : drifts) {
        auto agent = agent_with(r);
        d.how(agent, agent.services.at(r.service.id));
        INFO(d.says);
        CHECK(difference(r, agent, here) == d.says);
    }
}

TEST_CASE("with EnableTagOverride the tags are whoever's set them") {
    auto r = wanted_web();
    r.service.enable_tag_override = true;
    auto agent = agent_with(r);
    agent.services.at(r.service.id).tags = {"elected"};
    CHECK(difference(r, agent, here) == "");
}

TEST_CASE("an entry is ours by both marks, and left behind only without any source") {
    using meta = std::map<std::string, std::string>;
    struct row {
        meta marks;
        owner whose;
    };
    std::vector<row> const rows{
        {{}, owner::left_behind},
        {{{"region", "eu"}}, owner::left_behind},
        // A copied mark of the instance alone proves nothing.
        {{{"bevmesh-instance", "thanos"}}, owner::left_behind},
        {{{"external-source", "bevmesh"}, {"bevmesh-instance", "thanos"}}, owner::ours},
        {{{"external-source", "bevmesh"}, {"bevmesh-instance", "oracle1"}}, owner::foreign},
        {{{"external-source", "bevmesh"}}, owner::foreign},
        {{{"external-source", "nomad"}}, owner::foreign},
        {{{"external-source", "nomad"}, {"bevmesh-instance", "thanos"}}, owner::foreign},
        {{{"external-source", ""}}, owner::foreign},
    };
    for (auto const& r : rows) {
        consul::agent_service entry;
        entry.meta = r.marks;
        CAPTURE(r.marks);
        CHECK(owner_of(entry, here) == r.whose);
    }
}

TEST_CASE("an entry without owner is adopted only under the wanted name") {
    consul::agent_service entry;
    entry.name = "web";
    CHECK(may_adopt(entry, wanted_web()));
    entry.name = "webb";
    CHECK_FALSE(may_adopt(entry, wanted_web()));
}

TEST_CASE("whatever is registered is in the hash, and nothing else") {
    auto const before = hash_of(wanted_web());
    CHECK(before.size() == 16);
    using reg = registration;
    auto const check = [](reg& r) -> consul::check_definition& { return r.checks[1].definition; };
    std::vector<edit> const changes{
        {"id", [](reg& r) { r.service.id += "x"; }},
        {"name", [](reg& r) { r.service.name += "x"; }},
        {"address", [](reg& r) { r.service.address = "::1"; }},
        {"port", [](reg& r) { ++r.service.port; }},
        {"tag override", [](reg& r) { r.service.enable_tag_override = true; }},
        {"a tag more", [](reg& r) { r.service.tags.emplace_back("v2"); }},
        {"tags run together", [](reg& r) { r.service.tags = {"frontv1"}; }},
        {"meta value", [](reg& r) { r.service.meta["team"] = "other"; }},
        {"meta key", [](reg& r) { r.service.meta = {{"teams", "hop"}}; }},
        {"tagged address", [](reg& r) { r.service.tagged_addresses["lan_ipv4"].second = 1; }},
        {"container", [](reg& r) { r.container_id[20] = 'f'; }},
        {"a check less", [](reg& r) { r.checks.pop_back(); }},
        {"check id", [&](reg& r) { check(r).id += "x"; }},
        {"check name", [&](reg& r) { check(r).name = "x"; }},
        {"notes", [&](reg& r) { check(r).notes = "x"; }},
        {"http", [&](reg& r) { check(r).http += "x"; }},
        {"method", [&](reg& r) { check(r).method = "HEAD"; }},
        {"header", [&](reg& r) { check(r).header["X-By"] = {"other"}; }},
        {"body", [&](reg& r) { check(r).body = "x"; }},
        {"tcp", [&](reg& r) { check(r).tcp = "x"; }},
        {"tcp with tls", [&](reg& r) { check(r).tcp_use_tls = true; }},
        {"udp", [&](reg& r) { check(r).udp = "x"; }},
        {"grpc", [&](reg& r) { check(r).grpc = "x"; }},
        {"grpc with tls", [&](reg& r) { check(r).grpc_use_tls = true; }},
        {"h2ping", [&](reg& r) { check(r).h2ping = "x"; }},
        {"h2ping without tls", [&](reg& r) { check(r).h2ping_use_tls = false; }},
        {"command", [&](reg& r) { check(r).args = {"x"}; }},
        {"docker", [&](reg& r) { check(r).docker_container_id = "x"; }},
        {"shell", [&](reg& r) { check(r).shell = "x"; }},
        {"alias", [&](reg& r) { check(r).alias_service = "x"; }},
        {"alias of a node", [&](reg& r) { check(r).alias_node = "x"; }},
        {"server name", [&](reg& r) { check(r).tls_server_name = "x"; }},
        {"skip verify", [&](reg& r) { check(r).tls_skip_verify = true; }},
        {"ttl", [&](reg& r) { check(r).ttl = seconds(1); }},
        {"interval", [&](reg& r) { check(r).interval = seconds(1); }},
        {"timeout", [&](reg& r) { check(r).timeout = seconds(1); }},
        {"timeout of none", [&](reg& r) { check(r).timeout = seconds(0); }},
        {"deregister after", [&](reg& r) { check(r).deregister_after = seconds(1); }},
        {"successes", [&](reg& r) { check(r).success_before_passing = 2; }},
        {"failures to warn", [&](reg& r) { check(r).failures_before_warning = 2; }},
        {"failures", [&](reg& r) { check(r).failures_before_critical = 2; }},
        {"a status that the user named", [&](reg& r) { check(r).initial_status = "passing"; }},
    };
    for (auto const& c : changes) {
        auto r = wanted_web();
        c.how(r);
        INFO(c.what);
        CHECK(hash_of(r) != before);
    }
    std::vector<edit> const same{
        {"order of tags", [](reg& r) { r.service.tags = {"v1", "front"}; }},
        {"maintenance", [](reg& r) { r.suspended = "container is paused"; }},
        {"health", [](reg& r) { r.health = docker::health::healthy; }},
        {"start", [](reg& r) { r.started_at = "2026-01-01T00:00:00Z"; }},
        {"the daemon's own probe", [](reg& r) { r.checks[0].probe = probe(); }},
        {"the wait", [](reg& r) { r.announce_wait = seconds(9); }},
    };
    for (auto const& c : same) {
        auto r = wanted_web();
        c.how(r);
        INFO(c.what);
        CHECK(hash_of(r) == before);
    }
    // States at birth are no change either: what was registered before must not be written again.
    CHECK(definition_of(wanted_web(), here, {{"thanos:web:8080:1", consul::status::passing}}, "")
              .meta.at("bevmesh-hash") == before);
}
