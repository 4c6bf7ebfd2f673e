#include "certs/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "certs/crl.hpp"
#include "certs/kept.hpp"
#include "certs/x509.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/pool.hpp"

namespace bevmesh::certs {

namespace asio = boost::asio;

namespace {

moment now() {
    auto const wall = std::chrono::system_clock::now();
    return {net::now(), std::chrono::floor<seconds>(wall)};
}

failed failure_of(operation of, failure const& f, fault why) {
    return {of, why, describe(f)};
}

struct key_request {
    private_key key;
    std::string csr;
};

result<std::optional<key_request>> make_request(subject const& of) {
    auto key = private_key::make();
    if (key.has_error()) return key.error();
    auto csr = key->request(of);
    if (csr.has_error()) return csr.error();
    return std::optional(key_request{std::move(*key), std::move(*csr)});
}

/// Of every generation that can be read, newest first.
std::vector<std::string> certificates_in(store const& files) {
    std::vector<std::string> all;
    auto numbers = files.generations();
    if (numbers.has_error()) return all;
    std::ranges::reverse(*numbers);
    for (auto const number : *numbers) {
        auto const stored = files.read(number);
        auto one = stored.has_value() ? certificate_in(*stored) : std::string();
        if (!one.empty() && std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
    }
    return all;
}

}  // namespace

struct keeper::body {
    body(asio::any_io_executor executor, keeper_means const& with, store at, keeper_settings how,
         keeper_hooks through, renewal_state kept, std::uint64_t seed)
        : means(with),
          files(std::move(at)),
          settings(std::move(how)),
          hooks(std::move(through)),
          state(std::move(kept)),
          random(seed),
          timer(std::move(executor)),
          last_kept(encode_kept(state)) {
        settings.policy.wanted = fingerprint(settings.who, settings.ttl);
        // A state that was lost must not give a number out again whose files are in use.
        auto const there = files.generations();
        if (there.has_value() && !there->empty())
            state.generation = std::max(state.generation, there->back());
    }

    asio::awaitable<void> run() {
        give(tick{});
        for (;;) {
            // A state is kept before what it says is begun.
            co_await settle();
            if (pending) {
                auto const next = *std::exchange(pending, std::nullopt);
                auto event = co_await carry_out(next);
                give(event);
                continue;
            }
            boost::system::error_code woken;
            timer.expires_after(std::max(wake - net::now(), nanoseconds(0)));
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if ((co_await asio::this_coro::cancellation_state).cancelled() !=
                asio::cancellation_type::none)
                co_return;
            give(tick{});
        }
    }

    void give(renewal_event const& event) {
        auto turn = step(std::move(state), event, now(), settings.policy, random);
        state = std::move(turn.state);
        wake = turn.wake;
        for (auto const& action : turn.actions) {
            if (auto const* p = std::get_if<perform>(&action)) pending = *p;
            if (auto const* t = std::get_if<tell>(&action)) hooks.tell(t->how, t->text);
            if (auto const* f = std::get_if<certs::forget_older>(&action)) aged = *f;
        }
    }

    /// Keeps the state, where it is another, and forgets what is of no use. A state that is lost is
    /// safe: at worst another certificate is asked for.
    asio::awaitable<void> settle() {
        if (auto text = encode_kept(state); text != last_kept) {
            job const keeping = [keep = hooks.keep, now = state] { return keep(now); };
            auto const done = co_await beside(keeping);
            if (done.has_value())
                last_kept = std::move(text);
            else
                hooks.tell(weight::warning, describe(done.error()));
        }
        if (aged.than == 0) co_return;
        job const forgetting = [at = files, it = std::exchange(aged, {})] {
            return at.forget_older(it.than, it.but);
        };
        auto const done = co_await beside(forgetting);
        if (done.has_error()) hooks.tell(weight::warning, describe(done.error()));
    }

    /// A job owns what it works on.
    using job = std::function<result<void>()>;
    asio::awaitable<result<void>> beside(job what) const {
        return net::on_pool(means.pool, std::move(what));
    }

    asio::awaitable<renewal_event> carry_out(perform what) {
        switch (what.what) {
            case operation::none:
                break;
            case operation::check_target: {
                job const checking = [at = files] { return at.check_writable(); };
                if (hooks.ready) {
                    auto const ready = co_await hooks.ready();
                    if (ready.has_error()) co_return local(what.what, ready);
                }
                auto const done = co_await beside(checking);
                co_return local(what.what, done);
            }
            case operation::sign:
                co_return co_await sign();
            case operation::trust:
                co_return co_await trust_anew(what.on);
            case operation::write:
                co_return co_await write(what.on);
            case operation::swap: {
                job const using_it = [at = files, it = what.on.generation] { return at.use(it); };
                auto const done = co_await beside(using_it);
                co_return local(what.what, done);
            }
            case operation::reload: {
                auto const shown = dates_of_shown();
                auto const& call =
                    is_bundle_alone() && hooks.retrust ? hooks.retrust : hooks.reload;
                auto const told = co_await call(shown);
                co_return local(what.what, told);
            }
            case operation::verify: {
                auto const seen = co_await verify(what.on);
                co_return local(what.what, seen);
            }
        }
        co_return renewal_event(tick{});
    }

    [[nodiscard]] dates dates_of_shown() const {
        auto const ended = !state.proven || now().wall >= state.proven->not_after;
        return ended ? dates::ignored : dates::checked;
    }

    static renewal_event local(operation of, result<void> const& done) {
        if (done.has_error()) return failure_of(of, done.error(), fault::local);
        return succeeded{of, {}};
    }

    static renewal_event from_vault(failure const& f) {
        auto const why = vault::is_transient(f) ? fault::transient : fault::refused;
        return failure_of(operation::sign, f, why);
    }

    asio::awaitable<renewal_event> sign() {
        // At the start, and while the login is away: no refusal, and nothing that Vault sees.
        if (!means.vault.has_token())
            co_return failed{operation::sign, fault::transient, "not logged in to Vault yet"};
        std::function<result<std::optional<key_request>>()> const making = [who = settings.who] {
            return make_request(who);
        };
        auto const made = co_await net::on_pool(means.pool, making);
        if (made.has_error())
            co_return failure_of(
                operation::sign, made.error(),
                made.error().code == errc::bad_input ? fault::refused : fault::local);
        auto const& own = **made;
        vault::sign_request wanted;
        wanted.csr = own.csr;
        wanted.common_name = settings.who.common_name;
        wanted.alt_names = settings.who.dns;
        wanted.ip_sans = settings.who.ips;
        wanted.uri_sans = settings.who.uris;
        wanted.ttl = settings.ttl;
        // First: without the bundle a signature would be for nothing.
        auto trusted = co_await means.trusted.get();
        if (trusted.has_error()) co_return from_vault(trusted.error());
        ++sign_calls;
        auto got = co_await means.vault.sign(std::move(wanted));
        if (got.has_error()) co_return from_vault(got.error());
        for (auto const& each : got->warnings)
            hooks.tell(weight::warning, settings.policy.identity + ": Vault: " + each);
        granted grant{std::move(got->certificate), std::move(got->chain), std::move(*trusted)};
        std::erase_if(grant.chain, is_root);
        auto good = check(grant, own.key, settings.who, settings.ttl, now().wall);
        if (good.has_error()) {
            // Its issuer may be newer than the bundle that was remembered.
            means.trusted.forget();
            trusted = co_await means.trusted.get();
            if (trusted.has_value()) grant.trusted = std::move(*trusted);
            good = check(grant, own.key, settings.who, settings.ttl, now().wall);
        }
        if (good.has_error()) co_return failure_of(operation::sign, good.error(), fault::wrong);
        bundle = grant.trusted;
        auto beside_it = co_await crls_to_write();
        good->crl = crl_hash(beside_it);
        in_memory.emplace(material{own.key, std::move(grant), std::move(beside_it)});
        co_return succeeded{operation::sign, *good};
    }

    /// Those that are wanted; while none are known, as after a start, those that are in use.
    asio::awaitable<std::string> crls_to_write() const {
        if (!settings.reads_crl || !crls.empty() || !state.proven) co_return crls;
        auto const stored = co_await read(*state.proven);
        if (stored.has_error()) co_return std::string();
        auto const* const there = find_file(*stored, file_names::crls);
        co_return there == nullptr ? std::string() : std::string(there->reveal());
    }

    asio::awaitable<result<std::vector<stored_file>>> read(leaf on) const {
        std::function<result<std::vector<stored_file>>()> const reading =
            [at = files, it = on.generation] { return at.read(it); };
        co_return co_await net::on_pool(means.pool, reading);
    }

    asio::awaitable<renewal_event> trust_anew(leaf on) {
        auto const stored = co_await read(std::move(on));
        if (stored.has_error())
            co_return failure_of(operation::trust, stored.error(), fault::local);
        auto made = read_material(*stored);
        if (made.has_error()) co_return failure_of(operation::trust, made.error(), fault::local);
        made->got.trusted = bundle;
        // A bundle that the service's own certificate has no chain to would cut it off.
        auto good = check(made->got, made->key, settings.who, seconds(0), now().wall);
        if (good.has_error()) co_return failure_of(operation::trust, good.error(), fault::refused);
        if (!settings.reads_crl) made->crls.clear();
        if (!crls.empty()) made->crls = crls;
        good->crl = crl_hash(made->crls);
        in_memory.emplace(std::move(*made));
        co_return succeeded{operation::trust, *good};
    }

    /// Under way is a bundle, to or from the certificate that there is.
    [[nodiscard]] bool is_bundle_alone() const {
        return state.coming && state.proven && state.coming->is.serial == state.proven->serial;
    }

    asio::awaitable<renewal_event> write(leaf on) {
        job const writing = [at = files, it = on.generation, from = *in_memory,
                             how = settings]() -> result<void> {
            auto const all = files_of(from, how.key);
            if (all.has_error()) return all.error();
            return at.write(it, *all);
        };
        auto const done = co_await beside(writing);
        if (done.has_value()) in_memory.reset();
        co_return local(operation::write, done);
    }

    asio::awaitable<result<void>> verify(leaf on) {
        auto const stored = co_await read(std::move(on));
        if (stored.has_error()) co_return stored.error();
        auto const* const certificate = find_file(*stored, file_names::certificate);
        auto const* const key = find_file(*stored, file_names::key);
        auto const* const trusted = find_file(*stored, file_names::trusted);
        if (certificate == nullptr || key == nullptr || trusted == nullptr)
            co_return missing_file();
        auto const identity = make_wire_identity(*certificate, *key, *trusted);
        if (identity.has_error()) co_return identity.error();
        for (auto const& each : settings.addresses) {
            auto const seen = co_await look(each, *identity, settings.look_limit);
            if (seen.has_error()) co_return seen.error();
        }
        co_return result<void>();
    }

    keeper_means means;
    store files;
    keeper_settings settings;
    keeper_hooks hooks;
    renewal_state state;
    random_source random;
    asio::steady_timer timer;
    std::string last_kept;
    instant wake{};
    std::optional<perform> pending;
    std::uint64_t sign_calls = 0;
    certs::forget_older aged;           // what is to be forgotten; older than 0: nothing
    std::optional<material> in_memory;  // granted, and on no disk yet
    std::vector<std::string> bundle;    // that is wanted, PEM each
    std::string crls;                   // that are wanted; empty: none are known
};

keeper::keeper(asio::any_io_executor executor, keeper_means with, store files,
               keeper_settings settings, keeper_hooks hooks, renewal_state kept, std::uint64_t seed)
    : body_(std::make_unique<body>(std::move(executor), with, std::move(files), std::move(settings),
                                   std::move(hooks), std::move(kept), seed)) {}

keeper::~keeper() = default;

asio::awaitable<void> keeper::run() {
    return body_->run();
}

void keeper::rotate() {
    body_->give(certs::rotate{});
    body_->timer.cancel();
}

void keeper::trust(std::vector<std::string> certificates, std::string crls) {
    auto hash = bundle_hash(certificates);
    if (hash.has_error()) return body_->hooks.tell(weight::warning, describe(hash.error()));
    auto of_crls = body_->settings.reads_crl ? crl_hash(crls) : std::string();
    bool const same = of_crls.empty() || of_crls == body_->state.crl;
    if (*hash == body_->state.trusted && same) return;
    body_->bundle = std::move(certificates);
    if (!of_crls.empty()) body_->crls = std::move(crls);
    body_->give(certs::trust{std::move(*hash), std::move(of_crls)});
    body_->timer.cancel();
}

void keeper::revoked(std::string serial) {
    body_->give(certs::revoked{std::move(serial)});
    body_->timer.cancel();
}

bool keeper::reads_crl() const noexcept {
    return body_->settings.reads_crl;
}

asio::awaitable<result<shown_certificate>> keeper::certificate() const {
    if (!body_->state.proven)
        co_return failure{errc::not_found,
                          body_->settings.policy.identity + ": nothing is proven yet"};
    auto const is = *body_->state.proven;  // another may be, while this one is read
    auto const stored = co_await body_->read(is);
    if (stored.has_error()) co_return stored.error();
    auto first = certificate_in(*stored);
    if (first.empty()) co_return missing_file();
    co_return shown_certificate{is.serial, std::move(first)};
}

asio::awaitable<std::vector<std::string>> keeper::certificates() const {
    std::function<std::vector<std::string>()> const reading = [at = body_->files] {
        return certificates_in(at);
    };
    return net::on_pool(body_->means.pool, reading);
}

renewal_state const& keeper::state() const noexcept {
    return body_->state;
}

std::uint64_t keeper::sign_calls() const noexcept {
    return body_->sign_calls;
}

renewal_policy const& keeper::policy() const noexcept {
    return body_->settings.policy;
}

}  // namespace bevmesh::certs
