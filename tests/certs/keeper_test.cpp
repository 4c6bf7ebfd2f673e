// A keeper, and what the keepers of a daemon share, against a Vault that counts what it is asked.
#include "certs/keeper.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "certs/crl.hpp"
#include "tests/catch.hpp"
#include "tests/certs/issuer.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using boost::asio::awaitable;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

class counting_vault final : public vault::client {
public:
    test::issuer authority;
    test::issue_options how;
    unsigned signs = 0;
    unsigned bundles = 0;
    bool away = false;
    bool logged_in = true;
    std::string stale;  // a bundle of before the issuer was made

    awaitable<result<vault::signed_certificate>> sign(vault::sign_request wanted) override {
        ++signs;
        auto const made = authority.sign(wanted.csr, how);
        vault::signed_certificate got;
        got.certificate = made.certificate;
        got.chain = made.chain;
        co_return got;
    }
    awaitable<result<std::vector<vault::issuer_entry>>> issuers() override {
        ++bundles;
        asio::steady_timer soon(co_await asio::this_coro::executor, milliseconds(5));
        co_await soon.async_wait(asio::use_awaitable);
        if (away) co_return none();
        auto const root = bundles == 1 && !stale.empty() ? stale : authority.root();
        std::vector<vault::issuer_entry> all(1);
        all.front().certificate = root;
        co_return all;
    }
    awaitable<result<vault::pki_role>> role() override { co_return none(); }
    awaitable<result<vault::kv_secret>> read_secret(std::string, std::string) override {
        co_return none();
    }
    awaitable<result<std::string>> crls() override { co_return none(); }
    awaitable<std::vector<vault::node_report>> health() override {
        co_return std::vector<vault::node_report>();
    }
    void set_token(secret) override {}
    void on_unknown_token(std::function<awaitable<bool>(secret)>) override {}
    bool has_token() const noexcept override { return logged_in; }

private:
    static failure none() { return {errc::unreachable, "no Vault"}; }
};

awaitable<void> ask(shared_bundle* of, std::vector<bool>* answers) {
    auto const got = co_await of->get();
    answers->push_back(got.has_value());
}

awaitable<void> until(std::function<bool()> done) {
    asio::steady_timer soon(co_await asio::this_coro::executor);
    while (!done()) {
        soon.expires_after(milliseconds(2));
        co_await soon.async_wait(asio::use_awaitable);
    }
}

class world {
public:
    world() {
        auto path = (fs::temp_directory_path() / "bevmesh-keeper-XXXXXX").string();
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        root = path;
    }
    ~world() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    world(world const&) = delete;
    world& operator=(world const&) = delete;

    keeper& make(bool reads_crl = false, renewal_state kept = {}) {
        keeper_settings settings;
        settings.who = {"redis.service.consul", {"redis.service.consul", "thanos"}, {}, {}};
        settings.ttl = seconds(3'000);
        settings.policy.identity = "thanos/redis";
        settings.reads_crl = reads_crl;
        keeper_hooks hooks;
        hooks.reload = [this](dates how) { return tell(this, how); };
        hooks.keep = [this](renewal_state const& state) -> result<void> {
            kept_by = std::this_thread::get_id();
            kept_generation = state.generation;
            return {};
        };
        hooks.tell = [this](weight how, std::string const& text) {
            if (how == weight::alarm) alarms.push_back(text);
        };
        keeper_means const means{vault, trusted, pool};
        store files((root / "redis").string(), layout::linked, {});
        made = std::make_unique<keeper>(loop.get_executor(), means, files, settings, hooks,
                                        std::move(kept), 1);
        return *made;
    }
    void run_until(std::function<bool()> done) {
        testing::run(loop, run_both(this, std::move(done)));
    }

    [[nodiscard]] std::string content(std::string const& name) const {
        std::ifstream file(root / "redis/current" / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void trust(std::string crls) {
        made->trust({vault.authority.root(), vault.authority.intermediate()}, std::move(crls));
    }

    fs::path root;
    asio::io_context loop{1};
    asio::thread_pool pool{1};
    counting_vault vault;
    shared_bundle trusted{loop.get_executor(), vault};
    std::unique_ptr<keeper> made;
    std::vector<std::string> alarms;
    std::atomic<std::thread::id> kept_by;
    std::atomic<unsigned> kept_generation = 0;
    std::vector<dates> told;

private:
    static awaitable<result<void>> tell(world* of, dates how) {
        of->told.push_back(how);
        co_return result<void>();
    }
    static awaitable<void> run_both(world* of, std::function<bool()> done) {
        net::task_group tasks(of->loop.get_executor(), [](std::string_view, std::string const&) {});
        tasks.spawn(of->made->run(), "keeper");
        co_await until(done);
        tasks.cancel();
        co_await tasks.join();
    }
};

}  // namespace

TEST_CASE("a hundred who want the bundle at once ask Vault for it once") {
    world w;
    std::vector<bool> answers;
    for (int i = 0; i < 100; ++i)
        asio::co_spawn(w.loop, ask(&w.trusted, &answers), asio::detached);
    testing::run(w.loop, until([&] { return answers.size() == 100; }));
    CHECK(answers == std::vector<bool>(100, true));
    CHECK(w.vault.bundles == 1);
    w.trusted.forget();
    testing::run(w.loop, ask(&w.trusted, &answers));
    CHECK(w.vault.bundles == 2);
}

TEST_CASE("a Vault that is away is told to all who waited, and asked again by the next") {
    world w;
    w.vault.away = true;
    std::vector<bool> answers;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(w.loop, ask(&w.trusted, &answers), asio::detached);
    testing::run(w.loop, until([&] { return answers.size() == 3; }));
    CHECK(answers == std::vector<bool>(3, false));
    CHECK(w.vault.bundles == 1);
    w.vault.away = false;
    testing::run(w.loop, ask(&w.trusted, &answers));
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

TEST_CASE("CRLs are a file beside the bundle, and another one costs no signature") {
    world w;
    auto const& k = w.make(true);
    w.run_until([&] { return k.state().proven.has_value(); });
    CHECK(w.content("crl.pem").empty());
    auto const first = w.vault.authority.crl({});
    w.trust(first);
    w.run_until([&] { return !k.state().proven->crl.empty(); });
    CHECK(w.content("crl.pem") == first);
    auto const second = w.vault.authority.crl({"abcd99"});
    w.trust(second);
    w.run_until([&] { return k.state().proven->crl == crl_hash(second); });
    CHECK(w.content("crl.pem") == second);
    // Nobody knows any: what there is stays, also beside another certificate.
    w.trust("");
    w.made->rotate();
    w.run_until([&] { return w.vault.signs == 2 && k.state().proven->serial == "abcd02"; });
    CHECK(w.content("crl.pem") == second);
    CHECK(k.certificates().size() == 2);
}

TEST_CASE("a daemon that starts while Vault's CRLs cannot be seen keeps those that there are") {
    world w;
    auto const list = w.vault.authority.crl({"abcd99"});
    w.make(true);
    w.trust(list);
    w.run_until([&] { return w.made->state().proven && w.content("crl.pem") == list; });
    auto const before = w.made->state();
    w.make(true, before);
    w.made->rotate();
    w.run_until([&] { return w.made->state().proven->serial != before.proven->serial; });
    CHECK(w.content("crl.pem") == list);
}

TEST_CASE("a service that reads no CRL has no such file, and is not told of one") {
    world w;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    w.trust(w.vault.authority.crl({}));
    w.run_until([&] { return k.state().proven->generation == 2; });
    w.trust(w.vault.authority.crl({"abcd99"}));
    CHECK(k.state().doing == operation::none);
    CHECK_FALSE(fs::exists(w.root / "redis/current/crl.pem"));
}

TEST_CASE("a certificate that is on a CRL while it is in use is replaced") {
    world w;
    auto const& k = w.make(true);
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const serial = k.state().proven->serial;
    w.made->revoked(serial);
    w.run_until([&] { return k.state().proven->serial != serial; });
    CHECK(w.vault.signs == 2);
    REQUIRE(w.alarms.size() == 1);
    CHECK(w.alarms.front().find("was revoked") != std::string::npos);
}
