// A keeper, and what the keepers of a daemon share, against a Vault that counts what it is asked.
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "tests/certs/keeper_world.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using namespace bevmesh::certs::testing;

TEST_CASE("a hundred who want the bundle at once ask Vault for it once") {
    world w;
    std::vector<bool> answers;
    for (int i = 0; i < 100; ++i)
        asio::co_spawn(w.loop, ask(&w.trusted, &answers), asio::detached);
    bevmesh::testing::run(w.loop, until([&] { return answers.size() == 100; }));
    CHECK(answers == std::vector<bool>(100, true));
    CHECK(w.vault.bundles == 1);
    w.trusted.forget();
    bevmesh::testing::run(w.loop, ask(&w.trusted, &answers));
    CHECK(w.vault.bundles == 2);
}

TEST_CASE("a Vault that is away is told to all who waited, and asked again by the next") {
    world w;
    w.vault.away = true;
    std::vector<bool> answers;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(w.loop, ask(&w.trusted, &answers), asio::detached);
    bevmesh::testing::run(w.loop, until([&] { return answers.size() == 3; }));
    CHECK(answers == std::vector<bool>(3, false));
    CHECK(w.vault.bundles == 1);
    w.vault.away = false;
    bevmesh::testing::run(w.loop, ask(&w.trusted, &answers));
    CHECK(answers.back());
}

TEST_CASE("a certificate is made and kept, and the loop's thread writes no file of it") {
    world w;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value() && w.kept_generation == 1U; });
    CHECK(w.vault.signs == 1);
    CHECK(fs::exists(w.root / "redis/current/key.pem"));
    CHECK(k.state().proven->wanted == k.policy().wanted);
    CHECK(w.kept_by.load() != std::this_thread::get_id());
    // Nothing was proven before: what the service shows may have ended.
    CHECK(w.told == std::vector<dates>{dates::ignored});
    w.made->rotate();
    w.run_until([&] { return k.state().proven->generation == 2; });
    CHECK(w.told.back() == dates::checked);
}

TEST_CASE("a daemon that has not logged in yet asks for nothing, and that is no alarm") {
    world w;
    w.vault.logged_in = false;
    auto const& k = w.make();
    w.run_until([&] { return !k.state().trouble.empty(); });
    CHECK(k.state().trouble == "sign: not logged in to Vault yet");
    CHECK(w.alarms.empty());
    CHECK(k.sign_calls() == 0);
    w.vault.logged_in = true;
    w.run_until([&] { return k.state().proven.has_value(); });
    CHECK(k.sign_calls() == 1);
    CHECK(w.vault.signs == 1);
}

TEST_CASE("a role that grants other names costs one signature, and is an alarm") {
    world w;
    w.vault.how.keep_names = false;
    auto const& k = w.make();
    w.run_until([&] { return k.state().hold.has_value(); });
    CHECK(w.vault.signs == 1);
    REQUIRE(w.alarms.size() == 2);
    CHECK(w.alarms.front().find("it has not the name redis.service.consul") != std::string::npos);
    CHECK(w.alarms.back().find("no other is asked for in 21600s") != std::string::npos);
    CHECK_FALSE(fs::exists(w.root / "redis/current"));
}

TEST_CASE("an issuer that is newer than the remembered bundle is no wrong grant") {
    world w;
    test::issuer const before("before");
    w.vault.stale = before.root();
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    CHECK(w.vault.signs == 1);
    CHECK(w.vault.bundles == 2);
    CHECK(w.alarms.empty());
}

TEST_CASE("the certificate itself is read beside the loop, with the serial that it has") {
    using answer = std::optional<result<shown_certificate>>;
    world w;
    auto& k = w.make();
    answer got;
    bevmesh::testing::run(w.loop, ask_certificate(&k, &got));
    REQUIRE(got->has_error());
    CHECK(got->error().code == errc::not_found);
    w.run_until([&] { return k.state().proven.has_value(); });
    got.reset();
    std::promise<void> disk;
    asio::post(w.pool, [waits = disk.get_future().share()] { waits.wait(); });
    asio::co_spawn(w.loop, ask_certificate(&k, &got), asio::detached);
    // The loop has time for others while the disk has none.
    w.trusted.forget();
    std::vector<bool> others;
    bevmesh::testing::run(w.loop, ask(&w.trusted, &others));
    CHECK(others == std::vector<bool>{true});
    CHECK_FALSE(got.has_value());
    disk.set_value();
    bevmesh::testing::run(w.loop, until([&] { return got.has_value(); }));
    REQUIRE(got->has_value());
    CHECK((*got)->serial == k.state().proven->serial);
    CHECK(read_leaf((*got)->pem)->serial == (*got)->serial);
    CHECK(split_pem((*got)->pem).size() == 1);
}
