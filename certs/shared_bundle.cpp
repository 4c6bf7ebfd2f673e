#include "certs/shared_bundle.hpp"

#include <optional>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/net/clock.hpp"

namespace bevmesh::certs {

namespace asio = boost::asio;

using pems = std::vector<std::string>;

struct shared_bundle::body {
    body(asio::any_io_executor executor, vault::client& whom, milliseconds fresh)
        : vault(whom), good_for(fresh), answered(std::move(executor)) {
        answered.expires_at(asio::steady_timer::time_point::max());
    }

    /// Also where the one who asks is canceled: another one asks then.
    struct turn {
        explicit turn(body& whose) : of(whose) { of.asking = true; }
        ~turn() {
            of.asking = false;
            of.answered.cancel();
        }
        turn(turn const&) = delete;
        turn& operator=(turn const&) = delete;
        body& of;
    };

    asio::awaitable<result<pems>> ask() {
        turn const mine(*this);
        last_failure.reset();
        auto const all = co_await vault.issuers();
        if (all.has_error()) {
            last_failure = all.error();
            co_return all.error();
        }
        pems each;
        for (auto const& issuer : *all)
            each.push_back(issuer.certificate);
        known = each;
        asked_at = net::now();
        co_return each;
    }

    asio::awaitable<result<pems>> get() {
        while (asking) {
            boost::system::error_code woken;
            co_await answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if ((co_await asio::this_coro::cancellation_state).cancelled() !=
                asio::cancellation_type::none)
                co_return failure{errc::canceled, "wait for the trust bundle"};
            // The one that was waited for; whoever asks later asks Vault.
            if (!asking && last_failure) co_return *last_failure;
        }
        if (known && net::now() - asked_at < good_for) co_return *known;
        co_return co_await ask();
    }

    vault::client& vault;
    milliseconds good_for;
    asio::steady_timer answered;  // canceled when there is an answer
    bool asking = false;
    std::optional<pems> known;
    instant asked_at{};
    std::optional<failure> last_failure;
};

shared_bundle::shared_bundle(asio::any_io_executor executor, vault::client& vault,
                             milliseconds good_for)
    : body_(std::make_unique<body>(std::move(executor), vault, good_for)) {}

shared_bundle::~shared_bundle() = default;

asio::awaitable<result<pems>> shared_bundle::get() {
    return body_->get();
}

void shared_bundle::forget() noexcept {
    body_->known.reset();
}

}  // namespace bevmesh::certs
