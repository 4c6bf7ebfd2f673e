#include "certs/bundle.hpp"

#include "tests/catch.hpp"

using bevmesh::certs::bundle_view;

TEST_CASE("a new CA is trusted at once, one that is gone until two looks miss it") {
    using pems = std::vector<std::string>;
    bundle_view view;
    CHECK(view.wanted().empty());
    CHECK(view.take({"old"}) == pems{"old"});
    CHECK(view.take({"old", "new"}) == pems{"old", "new"});
    // A server that lags behind.
    CHECK(view.take({"old"}) == pems{"old", "new"});
    CHECK(view.take({"old", "new"}) == pems{"old", "new"});
    CHECK(view.take({"new"}) == pems{"new", "old"});
    CHECK(view.take({"new"}) == pems{"new"});
}
