// A login that keeps itself: step by step, with a clock of the test's own.
#include <deque>

#include "mesh/vault/session.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::vault;

namespace {

session_policy thanos() {
    session_policy p;
    p.role = "bevmesh-thanos";
    p.wrapped_path = "auth/approle/role/bevmesh-thanos/secret-id";
    return p;
}

/// Drives step() and remembers what it asked for.
struct node {
    node() { files.role_id = "role"; }

    void turn(session_event const& event) {
        auto done = step(std::move(state), event, now, policy, random);
        state = std::move(done.state);
        wake = done.wake;
        asked.reset();
        for (auto& a : done.actions) {
            if (a.what == session_action::kind::ask) asked = std::move(a.request);
            if (a.what == session_action::kind::use_token) token = std::move(a.token);
            if (a.what == session_action::kind::tell) said.push_back(std::move(a.text));
        }
    }
    void tick() { turn({}); }
    void answer(session_answer a) {
        session_event e;
        e.what = session_event::kind::answered;
        e.answer = std::move(a);
        turn(e);
    }
    void fails(errc code) {
        session_answer a;
        a.failed = failure{code, "because"};
        answer(std::move(a));
    }
    void grants(std::string const& what, seconds lease) {
        session_answer a;
        a.granted = secret(what);
        a.lease = lease;
        answer(std::move(a));
    }
    void looked_up(seconds left, seconds lease, unsigned uses = 0) {
        session_answer a;
        a.left = left;
        a.lease = lease;
        a.uses = uses;
        answer(std::move(a));
    }
    void read_files() {
        REQUIRE(asks(ask_for::files));
        session_answer a;
        a.files = files;
        answer(std::move(a));
    }
    void keeps() {
        REQUIRE(asks(ask_for::keep));
        kept = asked->kept;
        answer({});
    }
    [[nodiscard]] bool asks(ask_for what) const { return asked && asked->what == what; }
    [[nodiscard]] bool said_that(std::string const& words) const {
        for (auto const& line : said)
            if (line.find(words) != std::string::npos) return true;
        return false;
    }
    /// Logged in with the file's secret ID, everything kept; token for a day, secret ID for thirty.
    void log_in() {
        files.secret_id = secret("first");
        tick();
        read_files();
        REQUIRE(asks(ask_for::login));
        CHECK(asked->secret_id.reveal() == "first");
        grants("t1", day);
        keeps();
        REQUIRE(asks(ask_for::look_up_secret_id));
        looked_up(30 * day, 30 * day);
        CHECK_FALSE(asked);
    }

    static constexpr seconds day{86'400};
    session_state state;
    session_policy policy = thanos();
    session_files files;
    session_kept kept;
    random_source random{1};
    instant now{seconds(1'000)};
    instant wake{};
    std::optional<session_request> asked;
    secret token;
    std::vector<std::string> said;
};

}  // namespace

TEST_CASE("with a role and a secret ID a node logs in, keeps both, and waits for half the lease") {
    node n;
    n.log_in();
    CHECK(n.token.reveal() == "t1");
    CHECK(n.kept.token.reveal() == "t1");
    CHECK(n.kept.secret_id.reveal() == "first");
    CHECK(n.wake == n.now + node::day / 2);
    n.now = n.wake;
    n.tick();
    REQUIRE(n.asks(ask_for::renew));
    n.grants("t1", node::day);
    CHECK(n.wake == n.now + node::day / 2);
    CHECK(n.state.trouble.empty());
}

TEST_CASE("nodes do not renew all at once") {
    node early;
    early.policy.spread = 0;
    early.log_in();
    node late;
    late.policy.spread = 1;
    late.log_in();
    CHECK(late.wake - early.wake > seconds(8'000));
    CHECK(late.wake - late.now < node::day * 6 / 10);
}

TEST_CASE("after a restart the kept token goes on; no file of the administrator's is needed") {
    node n;
    n.state.kept.token = secret("t1");
    n.state.kept.secret_id = secret("own");
    n.tick();
    n.read_files();
    REQUIRE(n.asks(ask_for::look_up));
    n.looked_up(node::day / 4, node::day);
    CHECK(n.token.reveal() == "t1");
    REQUIRE(n.asks(ask_for::renew));  // it is past the half
    n.grants("t1", node::day);
    CHECK(n.asks(ask_for::look_up_secret_id));
}

TEST_CASE("a kept token that ended is replaced by a login with the kept secret ID") {
    node n;
    n.state.kept.token = secret("t1");
    n.state.kept.secret_id = secret("own");
    n.tick();
    n.read_files();
    n.fails(errc::forbidden);
    n.keeps();
    REQUIRE(n.asks(ask_for::login));
    CHECK(n.asked->secret_id.reveal() == "own");
}

TEST_CASE("the next secret ID is made at half the life, kept, tried, and the old one destroyed") {
    node n;
    n.log_in();
    n.now += 15 * node::day;
    n.state.renew_at = n.now + node::day / 2;  // it was renewed meanwhile
    n.state.token_end = n.now + node::day;
    n.tick();
    REQUIRE(n.asks(ask_for::make_secret_id));
    n.grants("second", 30 * node::day);
    n.keeps();
    CHECK(n.kept.next.reveal() == "second");
    CHECK(n.kept.secret_id.reveal() == "first");
    REQUIRE(n.asks(ask_for::login));
    CHECK(n.asked->secret_id.reveal() == "second");
    n.grants("t2", node::day);
    n.keeps();
    CHECK(n.kept.secret_id.reveal() == "second");
    CHECK(n.kept.retired.reveal() == "first");
    REQUIRE(n.asks(ask_for::destroy_secret_id));
    CHECK(n.asked->secret_id.reveal() == "first");
    CHECK(n.asked->token.reveal() == "t2");
    n.answer({});
    n.keeps();
    CHECK(n.kept.retired.empty());
    REQUIRE(n.asks(ask_for::look_up_secret_id));
    n.looked_up(30 * node::day, 30 * node::day);
    CHECK_FALSE(n.asked);
}

TEST_CASE("a secret ID that does not log in is dropped, and the old one stays") {
    node n;
    n.log_in();
    n.state.kept.next = secret("second");
    n.tick();
    REQUIRE(n.asks(ask_for::login));
    n.fails(errc::bad_input);
    n.keeps();
    CHECK(n.kept.next.empty());
    CHECK(n.kept.secret_id.reveal() == "first");
    CHECK(n.token.reveal() == "t1");
}

TEST_CASE("no secret ID is made while the state cannot be written, but the token is renewed") {
    node n;
    n.log_in();
    n.now += 15 * node::day;
    n.state.renew_at = n.now + seconds(60);
    n.state.token_end = n.now + node::day;
    n.state.dirty = true;  // whatever it is
    n.tick();
    unsigned made = 0;
    unsigned renewed = 0;
    for (int i = 0; i < 50; ++i) {
        if (n.asks(ask_for::keep)) {
            n.fails(errc::local_error);
        } else if (n.asks(ask_for::make_secret_id)) {
            ++made;
            n.grants("x", node::day);
        } else if (n.asks(ask_for::renew)) {
            ++renewed;
            n.grants("t1", node::day);
        } else {
            REQUIRE(n.wake > n.now);
            n.now = n.wake;
            n.tick();
        }
    }
    CHECK(made == 0);
    CHECK(renewed >= 1);
    CHECK(n.said_that("because"));
}

TEST_CASE("a secret ID with one use is replaced at once after the login") {
    node n;
    n.files.secret_id = secret("once");
    n.tick();
    n.read_files();
    n.grants("t1", node::day);
    n.keeps();
    SECTION("used up") {
        n.fails(errc::not_found);
    }
    SECTION("with a use left") {
        n.looked_up(node::day, node::day, 1);
    }
    CHECK(n.asks(ask_for::make_secret_id));
}

TEST_CASE("a refused secret ID is said clearly, and not tried in a tight loop") {
    node n;
    n.files.secret_id = secret("dead");
    n.tick();
    n.read_files();
    REQUIRE(n.asks(ask_for::login));
    n.fails(errc::bad_input);
    CHECK(n.said_that("was used up, revoked, or has expired"));
    CHECK_FALSE(n.asked);
    CHECK(n.wake >= n.now + seconds(60));
    // An administrator brings another.
    n.files.secret_id = secret("fresh");
    n.now = n.wake;
    n.tick();
    n.read_files();
    REQUIRE(n.asks(ask_for::login));
    CHECK(n.asked->secret_id.reveal() == "fresh");
    n.grants("t1", node::day);
    CHECK(n.said.back() == "Vault: all is well again");
}

TEST_CASE("Vault away: tries come with growing pauses, and more of them as the token's end nears") {
    node n;
    n.log_in();
    n.now = n.wake;
    n.tick();
    unsigned tries = 0;
    nanoseconds longest{0};
    auto const end = *n.state.token_end;
    while (n.now < end && tries < 100'000) {
        REQUIRE(n.asks(ask_for::renew));
        ++tries;
        n.fails(errc::unreachable);
        REQUIRE(n.wake > n.now);
        longest = std::max(longest, n.wake - n.now);
        n.now = n.wake;
        n.tick();
    }
    CHECK(tries > 100);
    CHECK(tries < 2'000);
    CHECK(longest <= seconds(300));
    // Told once, not each time.
    CHECK(n.said.size() <= 2);
    CHECK(n.token.empty());
}

TEST_CASE("without a token, logins are tried the more often the nearer a certificate's end is") {
    node n;
    n.log_in();
    n.now = *n.state.token_end;
    n.tick();
    if (n.asks(ask_for::keep)) n.keeps();
    REQUIRE(n.asks(ask_for::login));
    auto const tries_in = [&](std::optional<instant> needed_by) {
        auto const end = n.now + seconds(600);
        unsigned tries = 0;
        session_event e;
        e.needed_by = needed_by;
        for (; n.now < end; ++tries) {
            REQUIRE(n.asks(ask_for::login));
            session_event failed = e;
            failed.what = session_event::kind::answered;
            failed.answer.failed = failure{errc::unreachable, "because"};
            n.turn(failed);
            n.now = n.wake;
            n.turn(e);
        }
        return tries;
    };
    tries_in({});
    CHECK(tries_in({}) < 10);
    CHECK(tries_in(n.now + seconds(600)) > 40);
    CHECK(tries_in(n.now - seconds(1)) > 500);
}

TEST_CASE("a token that cannot be extended any more is replaced before it ends") {
    node n;
    n.log_in();
    n.now = n.wake;
    n.tick();
    n.grants("t1", seconds(3'600));  // its greatest age is near
    n.now = n.wake;
    n.tick();
    CHECK(n.now < *n.state.token_end);
    CHECK(n.asks(ask_for::login));
}

TEST_CASE("a token that most servers refuse is looked up, then replaced") {
    node n;
    n.log_in();
    session_event e;
    e.what = session_event::kind::token_refused;
    e.token = secret("t1");
    n.turn(e);
    REQUIRE(n.asks(ask_for::look_up));
    n.fails(errc::forbidden);
    n.keeps();
    REQUIRE(n.asks(ask_for::login));
    n.grants("t2", node::day);
    CHECK(n.token.reveal() == "t2");
}

TEST_CASE("a wrapped secret ID is unwrapped when it was wrapped where this role's are made") {
    node n;
    n.files.wrapping_token = secret("w");
    n.tick();
    n.read_files();
    REQUIRE(n.asks(ask_for::wrapped_path));
    session_answer where;
    where.path = "auth/approle/role/bevmesh-thanos/secret-id";
    n.answer(where);
    REQUIRE(n.asks(ask_for::unwrap));
    n.grants("mine", 30 * node::day);
    n.keeps();  // before it is used: it was of use once
    CHECK(n.kept.secret_id.reveal() == "mine");
    REQUIRE(n.asks(ask_for::login));
    CHECK(n.asked->secret_id.reveal() == "mine");
}

TEST_CASE("a wrapping token of another origin is an alarm and is not unwrapped") {
    node n;
    n.files.wrapping_token = secret("w");
    n.tick();
    n.read_files();
    session_answer where;
    where.path = "sys/wrapping/wrap";
    n.answer(where);
    CHECK_FALSE(n.asked);
    CHECK(n.said_that("SECURITY"));
    CHECK(n.said_that("sys/wrapping/wrap"));
    n.now = n.wake;
    n.tick();
    n.read_files();
    CHECK_FALSE(n.asked);
}

TEST_CASE("a wrapping token that somebody used before is an alarm") {
    node n;
    n.files.wrapping_token = secret("w");
    n.tick();
    n.read_files();
    n.fails(errc::bad_input);
    CHECK(n.said_that("unwrapped by somebody else"));
    CHECK_FALSE(n.asked);
}

TEST_CASE("status says how long Vault may be away") {
    node n;
    n.log_in();
    auto const s = status(n.state, n.now + seconds(3'600));
    CHECK(s.logged_in);
    CHECK(*s.tolerated == milliseconds(82'800'000));
    CHECK(s.trouble.empty());
}
