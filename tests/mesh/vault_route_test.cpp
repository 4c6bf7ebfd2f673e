// Which server a call goes to, and when a refusal is believed.
#include "mesh/vault/route.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::vault;

namespace {

using order = std::vector<std::size_t>;

std::vector<std::string> const origins{"https://a:8200", "https://b:8200", "https://c:8200"};

verdict that(meaning what, std::string location = {}) {
    return {what, "because", std::move(location)};
}

failure told(errc code) {
    return {code, "POST /v1/x: because"};
}

}  // namespace

TEST_CASE("a server that failed is tried last, for a while") {
    address_book book(3, 1);
    instant const now{seconds(1'000)};
    CHECK(book.order(now) == order{1, 2, 0});
    book.failed(1, now);
    CHECK(book.order(now + seconds(1)) == order{2, 0, 1});
    book.failed(2, now + seconds(1));
    CHECK(book.order(now + seconds(2)) == order{0, 1, 2});
    book.answered(2);
    CHECK(book.order(now + seconds(2)) == order{2, 0, 1});
    CHECK(book.order(now + seconds(40)) == order{1, 2, 0});
}

TEST_CASE("sealed, unreachable, overloaded: the next one is asked, each once") {
    route r({0, 1, 2}, origins, false);
    CHECK(*r.next() == 0);
    CHECK_FALSE(r.answered(that(meaning::elsewhere), told(errc::remote_error)));
    CHECK(*r.next() == 1);
    r.failed({errc::unreachable, "connect"});
    CHECK(*r.next() == 2);
    CHECK(r.answered(that(meaning::good), {}));
}

TEST_CASE("a leader that is pointed at is asked before the others, a dead one not again") {
    route r({0, 1, 2}, origins, false);
    CHECK_FALSE(r.answered(that(meaning::redirect, "https://c:8200/v1/x"), told(errc::bad_answer)));
    CHECK(*r.next() == 2);
    r.failed({errc::unreachable, "connect"});
    CHECK(*r.next() == 1);
    CHECK_FALSE(r.answered(that(meaning::redirect, "https://c:8200/v1/x"), told(errc::bad_answer)));
    CHECK_FALSE(r.next());
    CHECK(r.outcome().code == errc::remote_error);
    CHECK(r.outcome().doing.find("https://c:8200") != std::string::npos);
}

TEST_CASE("a leader that the configuration does not know gets nothing") {
    route r({0, 1, 2}, origins, false);
    CHECK_FALSE(
        r.answered(that(meaning::redirect, "https://evil:8200/v1/x"), told(errc::bad_answer)));
    CHECK(*r.next() == 1);
}

TEST_CASE("a token is unknown when most servers say so") {
    route one({0, 1, 2}, origins, false);
    CHECK_FALSE(one.answered(that(meaning::unknown_token), told(errc::forbidden)));
    CHECK(*one.next() == 1);
    CHECK(one.answered(that(meaning::good), {}));

    route most({0, 1, 2}, origins, false);
    CHECK_FALSE(most.answered(that(meaning::unknown_token), told(errc::forbidden)));
    CHECK_FALSE(most.answered(that(meaning::unknown_token), told(errc::forbidden)));
    CHECK_FALSE(most.next());
    CHECK(most.token_unknown());
    CHECK(most.outcome().code == errc::forbidden);
}

TEST_CASE("the refusal of one while the others are away may pass") {
    route r({0, 1, 2}, origins, true);
    CHECK_FALSE(r.answered(that(meaning::wrong), told(errc::bad_input)));
    r.failed({errc::unreachable, "connect"});
    r.failed({errc::timed_out, "connect"});
    CHECK_FALSE(r.next());
    CHECK_FALSE(r.token_unknown());
    CHECK(r.outcome().code == errc::timed_out);
    CHECK(r.outcome().doing.find("not believed") != std::string::npos);
}

TEST_CASE("a request that is wrong is wrong everywhere, a login's refusal is not") {
    route sign({0, 1, 2}, origins, false);
    CHECK(sign.answered(that(meaning::wrong), told(errc::bad_input)));
    route login({0, 1, 2}, origins, true);
    CHECK_FALSE(login.answered(that(meaning::wrong), told(errc::bad_input)));
    CHECK(*login.next() == 1);
}

TEST_CASE("one server alone is believed") {
    std::vector<std::string> const single{"https://a:8200"};
    route r({0}, single, true);
    CHECK_FALSE(r.answered(that(meaning::wrong), told(errc::bad_input)));
    CHECK(r.outcome().code == errc::bad_input);
}
