#include "mesh/vault/session_driver.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mesh/base/fnv1a.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/vault/paths.hpp"
#include "mesh/vault/role_names.hpp"
#include "mesh/vault/secret_file.hpp"

namespace bevmesh::vault {

namespace asio = boost::asio;

namespace {

// As long as a call may wait for another token before it is answered with the refusal.
constexpr milliseconds mend_limit{10'000};

template <class T>
bool failed(result<T> const& got, session_answer& into) {
    if (got.has_error()) into.failed = got.error();
    return got.has_error();
}

seconds until(std::optional<wall_time> const& end) {
    if (!end) return seconds(0);
    auto const now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    return std::max(seconds(1), *end - now);
}

}  // namespace

struct session::body {
    body(asio::any_io_executor executor, std::unique_ptr<login_client> l, client& of,
         session_policy p, session_hooks h, std::uint64_t seed)
        : login(std::move(l)),
          vault(of),
          policy(std::move(p)),
          hooks(std::move(h)),
          random(seed),
          timer(std::move(executor)) {}

    void turn(session_event event) {
        if (hooks.needed_by) event.needed_by = hooks.needed_by();
        auto done = step(std::move(state), event, net::now(), policy, random);
        state = std::move(done.state);
        wake = done.wake;
        for (auto& action : done.actions) {
            if (action.what == session_action::kind::use_token)
                vault.set_token(std::move(action.token));
            else if (action.what == session_action::kind::tell)
                hooks.tell(action.level, action.text);
            else
                request = std::move(action.request);
        }
        // Who waits for a token looks again.
        for (auto const& one : std::exchange(waiting, {}))
            one->cancel();
    }
    awaitable<session_answer> perform(session_request r);
    awaitable<void> pause();
    awaitable<bool> mend(secret used);

    std::unique_ptr<login_client> login;
    client& vault;
    session_policy policy;
    session_hooks hooks;
    random_source random;
    session_state state;
    std::optional<session_request> request;
    instant wake{};
    asio::steady_timer timer;
    std::vector<std::shared_ptr<asio::steady_timer>> waiting;
};

awaitable<session_answer> session::body::perform(session_request r) {
    session_answer a;
    switch (r.what) {
        case ask_for::files: {
            auto const got = hooks.read_files();
            if (!failed(got, a)) a.files = *got;
            break;
        }
        case ask_for::keep: {
            auto const done = hooks.keep(r.kept);
            (void)failed(done, a);
            break;
        }
        case ask_for::look_up: {
            auto const got = co_await login->look_up(std::move(r.token));
            if (!failed(got, a)) {
                a.lease = got->lease;
                a.left = got->left;
            }
            break;
        }
        case ask_for::renew:
        case ask_for::login: {
            auto op = r.what == ask_for::renew
                          ? login->renew(std::move(r.token))
                          : login->login(std::move(r.role_id), std::move(r.secret_id));
            auto const got = co_await std::move(op);
            if (!failed(got, a)) {
                a.granted = got->token;
                a.lease = got->lease;
            }
            break;
        }
        case ask_for::look_up_secret_id: {
            auto const got =
                co_await login->look_up_secret_id(std::move(r.token), std::move(r.secret_id));
            if (!failed(got, a)) {
                a.lease = got->lease;
                a.left = until(got->expires);
                a.uses = got->uses;
            }
            break;
        }
        case ask_for::make_secret_id:
        case ask_for::unwrap: {
            auto op = r.what == ask_for::unwrap ? login->unwrap(std::move(r.token))
                                                : login->make_secret_id(std::move(r.token));
            auto const got = co_await std::move(op);
            if (!failed(got, a)) {
                a.granted = got->secret_id;
                a.lease = got->lease;
            }
            break;
        }
        case ask_for::destroy_secret_id: {
            auto const done =
                co_await login->destroy_secret_id(std::move(r.token), std::move(r.secret_id));
            (void)failed(done, a);
            break;
        }
        case ask_for::wrapped_path: {
            auto const got = co_await login->wrapped_path(std::move(r.token));
            if (!failed(got, a)) a.path = *got;
            break;
        }
    }
    co_return a;
}

/// Until it is time, or something happened.
awaitable<void> session::body::pause() {
    auto const wait = wake - net::now();
    if (wake == instant::max())
        timer.expires_at(net::steady_point::max());
    else
        timer.expires_after(std::max(wait, nanoseconds(0)));
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    // Our own cancellation, or a poke: the former ends the next operation.
    auto const canceled = co_await asio::this_coro::cancellation_state;
    if (canceled.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
}

awaitable<bool> session::body::mend(secret used) {
    session_event event;
    event.what = session_event::kind::token_refused;
    event.token = used;
    turn(std::move(event));
    timer.cancel();
    auto const limit = net::now() + mend_limit;
    for (;;) {
        bool const other = state.token_known && !(state.kept.token == used);
        bool const same = state.token_known && state.kept.token == used;
        if (other || same) co_return other;
        if (net::now() >= limit) co_return false;
        auto const mine = std::make_shared<asio::steady_timer>(timer.get_executor());
        mine->expires_after(limit - net::now());
        waiting.push_back(mine);
        boost::system::error_code woken;
        co_await mine->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

session::session(asio::any_io_executor executor, std::unique_ptr<login_client> login, client& of,
                 session_policy policy, session_kept kept, session_hooks hooks, std::uint64_t seed)
    : body_(std::make_unique<body>(std::move(executor), std::move(login), of, std::move(policy),
                                   std::move(hooks), seed)) {
    body_->state.kept = std::move(kept);
    of.on_unknown_token([b = body_.get()](secret used) { return b->mend(std::move(used)); });
}

session::~session() {
    body_->vault.on_unknown_token(nullptr);
}

awaitable<void> session::run() {
    auto& b = *body_;
    b.turn({});
    for (;;) {
        if (!b.request) {
            co_await b.pause();
            b.turn({});
            continue;
        }
        auto request = std::move(*b.request);
        b.request.reset();
        session_event event;
        event.what = session_event::kind::answered;
        event.answer = co_await b.perform(std::move(request));
        b.turn(std::move(event));
    }
}

void session::needed_by(std::function<std::optional<instant>()> when) {
    body_->hooks.needed_by = std::move(when);
}

login_state session::state() const {
    return status(body_->state, net::now());
}

result<session_files> read_session_files(approle_config const& settings) {
    session_files files;
    auto role = read_secret_file(settings.role_id_file);
    if (role.has_error()) {
        auto why = role.error();
        why.code = errc::local_error;
        return why;
    }
    files.role_id = std::string(role->reveal());
    // Absent is as good as none: the state may hold one.
    auto const optional = [](std::string const& path, secret& into) -> result<void> {
        if (path.empty()) return {};
        auto found = read_secret_file(path);
        if (found.has_value()) into = std::move(*found);
        if (found.has_error() && found.error().code != errc::not_found) return found.error();
        return {};
    };
    if (auto const r = optional(settings.secret_id_file, files.secret_id); r.has_error())
        return r.error();
    if (auto const r = optional(settings.wrapped_secret_id_file, files.wrapping_token);
        r.has_error())
        return r.error();
    return files;
}

session_policy policy_for(approle_config const& settings, std::string const& node) {
    session_policy policy;
    policy.role = settings.role;
    policy.wrapped_path =
        "auth/" + mount_path(settings.mount) + "/role/" + settings.role + "/secret-id";
    fnv1a hash;
    hash.add(node);
    policy.spread = static_cast<double>(hash.value() % 1'000) / 999.0;
    return policy;
}

vault_config for_node(vault_config settings, std::string const& node) {
    settings.approle.role = named_for(std::move(settings.approle.role), node);
    settings.pki.role = named_for(std::move(settings.pki.role), node);
    return settings;
}

}  // namespace bevmesh::vault
