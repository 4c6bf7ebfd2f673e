// A keeper, and what the keepers of a daemon share, against a Vault that counts what it is asked.
#include "certs/keeper.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stdlib.h>
#include <sys/stat.h>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

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

std::string text_of(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(fs::path const& path) {
    struct stat is{};
    REQUIRE(::stat(path.c_str(), &is) == 0);
    return is.st_mode & 07777U;
}

using certificate_file = std::unique_ptr<X509, decltype(&X509_free)>;
using key_file = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using buffer = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

buffer buffer_of(std::string const& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all};
}

certificate_file certificate_in(std::string const& pem) {
    return {PEM_read_bio_X509(buffer_of(pem).get(), nullptr, nullptr, nullptr), &X509_free};
}

key_file key_in(std::string const& pem) {
    return {PEM_read_bio_PrivateKey(buffer_of(pem).get(), nullptr, nullptr, nullptr),
            &EVP_PKEY_free};
}

struct keystore {
    certificate_file certificate{nullptr, &X509_free};
    key_file key{nullptr, &EVP_PKEY_free};
    int others = 0;
};

/// Its key is null where the password does not open it.
keystore keystore_in(std::string const& bytes, char const* password) {
    std::unique_ptr<PKCS12, decltype(&PKCS12_free)> const bag(
        d2i_PKCS12_bio(buffer_of(bytes).get(), nullptr), &PKCS12_free);
    REQUIRE(bag != nullptr);
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    STACK_OF(X509)* others = nullptr;
    keystore found;
    if (PKCS12_parse(bag.get(), password, &key, &certificate, &others) != 1) return found;
    found.key.reset(key);
    found.certificate.reset(certificate);
    found.others = sk_X509_num(others);
    sk_X509_pop_free(others, X509_free);
    return found;
}

awaitable<void> until(std::function<bool()> done) {
    asio::steady_timer soon(co_await asio::this_coro::executor);
    while (!done()) {
        soon.expires_after(milliseconds(2));
        co_await soon.async_wait(asio::use_awaitable);
    }
}

awaitable<void> ask_certificate(keeper* of, std::optional<result<shown_certificate>>* into) {
    auto got = co_await of->certificate();
    into->emplace(std::move(got));
}

awaitable<void> ask_certificates(keeper const* of, std::optional<std::vector<std::string>>* into) {
    auto got = co_await of->certificates();
    into->emplace(std::move(got));
}

class world {
public:
    world() {
        auto path = (fs::temp_directory_path() / "bevmesh-keeper-XXXXXX").string();
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        root = path;
        settings.who = {"redis.service.consul", {"redis.service.consul", "thanos"}, {}, {}};
        settings.ttl = seconds(3'000);
        settings.policy.identity = "thanos/redis";
    }
    ~world() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    world(world const&) = delete;
    world& operator=(world const&) = delete;

    keeper& make(renewal_state kept = {}) {
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
    keeper_settings settings;
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

TEST_CASE("the certificate itself is read beside the loop, with the serial that it has") {
    using answer = std::optional<result<shown_certificate>>;
    world w;
    auto& k = w.make();
    answer got;
    testing::run(w.loop, ask_certificate(&k, &got));
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
    testing::run(w.loop, ask(&w.trusted, &others));
    CHECK(others == std::vector<bool>{true});
    CHECK_FALSE(got.has_value());
    disk.set_value();
    testing::run(w.loop, until([&] { return got.has_value(); }));
    REQUIRE(got->has_value());
    CHECK((*got)->serial == k.state().proven->serial);
    CHECK(read_leaf((*got)->pem)->serial == (*got)->serial);
    CHECK(split_pem((*got)->pem).size() == 1);
}

TEST_CASE("the key of every file is the certificate's: traditional, combined, and in a keystore") {
    world w;
    w.settings.key.traditional = true;
    w.settings.key.pkcs12_password = secret("let me in");
    w.settings.key.mode = 0600;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const current = w.root / "redis/current";
    auto const chain = text_of(current / "cert.pem");
    auto const certificate = certificate_in(chain);
    REQUIRE(certificate != nullptr);
    CHECK(read_leaf(certificate.get()).serial == k.state().proven->serial);

    auto const key = text_of(current / "key.pem");
    CHECK(key.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    CHECK(X509_check_private_key(certificate.get(), key_in(key).get()) == 1);
    // Key first: there are programs that read no further than what they look for.
    CHECK(text_of(current / "combined.pem") == key + chain);
    auto const store = text_of(current / "keystore.p12");
    auto const opened = keystore_in(store, "let me in");
    REQUIRE(opened.key != nullptr);
    CHECK(X509_cmp(opened.certificate.get(), certificate.get()) == 0);
    CHECK(X509_check_private_key(certificate.get(), opened.key.get()) == 1);
    CHECK(opened.others == static_cast<int>(split_pem(chain).size()) - 1);
    CHECK(keystore_in(store, "let me").key == nullptr);
    for (auto const* name : {"key.pem", "combined.pem", "keystore.p12"})
        CHECK(mode_of(current / name) == 0600);
}

TEST_CASE("without a password there is no keystore, and the key is PKCS#8") {
    world w;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const current = w.root / "redis/current";
    CHECK_FALSE(fs::exists(current / "keystore.p12"));
    auto const key = text_of(current / "key.pem");
    CHECK(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    CHECK(text_of(current / "combined.pem").starts_with(key));
}

TEST_CASE("CRLs are a file beside the bundle, and another one costs no signature") {
    world w;
    w.settings.reads_crl = true;
    auto const& k = w.make();
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
    std::optional<std::vector<std::string>> both;
    testing::run(w.loop, ask_certificates(&k, &both));
    CHECK(both->size() == 2);
}

TEST_CASE("a daemon that starts while Vault's CRLs cannot be seen keeps those that there are") {
    world w;
    auto const list = w.vault.authority.crl({"abcd99"});
    w.settings.reads_crl = true;
    w.make();
    w.trust(list);
    w.run_until([&] { return w.made->state().proven && w.content("crl.pem") == list; });
    auto const before = w.made->state();
    w.make(before);
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
    w.settings.reads_crl = true;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const serial = k.state().proven->serial;
    w.made->revoked(serial);
    w.run_until([&] { return k.state().proven->serial != serial; });
    CHECK(w.vault.signs == 2);
    REQUIRE(w.alarms.size() == 1);
    CHECK(w.alarms.front().find("was revoked") != std::string::npos);
}
