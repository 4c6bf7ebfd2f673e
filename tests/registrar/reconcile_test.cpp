// What one service's trouble means for the others, and what an admin sees of it.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/registrar/world.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;
using test::world;

namespace {

service_view view_of(world const& w, std::string const& id) {
    for (auto const& v : w.daemon->services().view())
        if (v.id == id) return v;
    return {};
}

/// Consul answers every registration of `name` with an error.
void refuse(world& w, std::string const& name) {
    w.fault = [name](action const& a, bool&) -> std::optional<errc> {
        auto const* r = std::get_if<register_service>(&a);
        return r && r->definition.name == name ? std::optional(errc::remote_error) : std::nullopt;
    };
}

}  // namespace

TEST_CASE("a registration that Consul refuses delays no other service") {
    world w;
    w.engine(true);
    refuse(w, "db");
    w.run("db", 5432);
    w.run_quiet();
    w.trace.clear();
    w.run("web", 8080);
    w.run_quiet();
    CHECK(w.agent.services.contains("thanos:web:8080"));
    for (auto const& line : w.trace)
        CHECK(line != "list agent");
}

TEST_CASE("a refused registration is tried again and says why meanwhile") {
    world w;
    w.engine(true);
    refuse(w, "db");
    w.run("db", 5432);
    w.run_quiet();
    CHECK(view_of(w, "thanos:db:5432").phase == "failing");
    CHECK(view_of(w, "thanos:db:5432").detail == "made to fail");
    w.fault = {};
    w.advance(std::chrono::seconds(5));
    CHECK(view_of(w, "thanos:db:5432").phase == "announced");
}

TEST_CASE("a write without a whole answer makes the agent's state unknown until it is read again") {
    world w;
    w.engine(true);
    w.run_quiet();
    bool failed = false;
    w.fault = [&](action const& a, bool& has_effect) -> std::optional<errc> {
        if (failed || !std::holds_alternative<register_service>(a)) return {};
        failed = true;
        has_effect = true;
        return errc::timed_out;
    };
    w.run("db", 5432);
    w.run_quiet();
    w.trace.clear();
    auto const puts = w.puts;
    w.advance(std::chrono::seconds(3));
    CHECK(std::ranges::find(w.trace, "list agent") != w.trace.end());
    // It had happened after all: no second PUT.
    CHECK(w.puts == puts);
    CHECK(view_of(w, "thanos:db:5432").phase == "announced");
}
