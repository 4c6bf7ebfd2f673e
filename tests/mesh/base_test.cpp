// The ground floor: failures, backoff, random numbers, secrets.
#include <set>
#include <sstream>

#include "mesh/base/backoff.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;

TEST_CASE("a failure says what was being done and its kind") {
    failure const f{errc::timed_out, "GET /v1/agent/self at 127.0.0.1:8500"};
    CHECK(describe(f) == "GET /v1/agent/self at 127.0.0.1:8500 (timed out)");
}

TEST_CASE("the value of a failed result throws with the failure's text") {
    result<int> const r = failure{errc::unreachable, "connect to 127.0.0.1:1"};
    CHECK_THROWS_WITH(r.value(), "connect to 127.0.0.1:1 (unreachable)");
}

TEST_CASE("backoff doubles up to its cap and never falls below half") {
    random_source random(1);
    backoff_policy const policy{milliseconds(100), milliseconds(1000)};
    for (unsigned attempt = 0; attempt < 200; ++attempt) {
        auto const longest = std::min<std::int64_t>(1000, 100LL << std::min(attempt, 10U));
        auto const wait = backoff_delay(policy, attempt, random).count();
        CHECK(wait >= longest / 2);
        CHECK(wait <= longest);
    }
}

TEST_CASE("a seed gives the same numbers everywhere") {
    random_source random(42);
    CHECK(random.next() == 13679457532755275413ULL);
}

TEST_CASE("a secret compares by content and is empty after it was moved from") {
    secret a("token-1");
    secret const b("token-1");
    CHECK(a == b);
    CHECK_FALSE(a == secret("token-2"));
    secret const c = std::move(a);
    CHECK(c.reveal() == "token-1");
    CHECK(a.empty());
}

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };

TEST_CASE("a secret has no way to a stream") {
    STATIC_REQUIRE(printable<std::string>);
    STATIC_REQUIRE_FALSE(printable<secret>);
}
