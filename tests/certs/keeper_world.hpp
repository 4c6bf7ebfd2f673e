// A keeper with all that is about it, and a Vault that counts what it is asked.
#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdlib.h>
#include <thread>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "certs/keeper.hpp"
#include "tests/catch.hpp"
#include "tests/certs/issuer.hpp"
#include "tests/mesh/net_fixture.hpp"

namespace bevmesh::certs::testing {

using boost::asio::awaitable;
namespace asio = boost::asio;
namespace fs = std::filesystem;

class counting_vault final : public vault::client {
public:
    bevmesh::test::issuer authority;
    bevmesh::test::issue_options how;
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

inline awaitable<void> ask(shared_bundle* of, std::vector<bool>* answers) {
    auto const got = co_await of->get();
    answers->push_back(got.has_value());
}

inline awaitable<void> until(std::function<bool()> done) {
    asio::steady_timer soon(co_await asio::this_coro::executor);
    while (!done()) {
        soon.expires_after(milliseconds(2));
        co_await soon.async_wait(asio::use_awaitable);
    }
}

inline awaitable<void> ask_certificate(keeper* of, std::optional<result<shown_certificate>>* into) {
    auto got = co_await of->certificate();
    into->emplace(std::move(got));
}

inline awaitable<void> ask_certificates(keeper const* of,
                                        std::optional<std::vector<std::string>>* into) {
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
        bevmesh::testing::run(loop, run_both(this, std::move(done)));
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

}  // namespace bevmesh::certs::testing
