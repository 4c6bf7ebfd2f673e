#include "certs/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "certs/kept.hpp"
#include "certs/x509.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/pool.hpp"

namespace bevmesh::certs {

namespace asio = boost::asio;

namespace {

constexpr auto ca_name = "ca.pem";
constexpr auto key_name = "key.pem";
constexpr auto certificate_name = "cert.pem";

moment now() {
    auto const wall = std::chrono::system_clock::now();
    return {net::now(), std::chrono::floor<seconds>(wall)};
}

failed failure_of(operation of, failure const& f, fault why) {
    return {of, why, describe(f)};
}

std::string joined(std::vector<std::string> const& pems) {
    std::string text;
    for (auto const& each : pems)
        text += each + (each.ends_with('\n') ? "" : "\n");
    return text;
}

struct material {
    private_key key;
    granted got;
};

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

/// In the order in which `flat` puts them in place: a certificate is trusted before it is shown.
result<std::vector<stored_file>> files_of(material const& m, keeper_settings const& how) {
    auto chain = m.got.chain;
    chain.insert(chain.begin(), m.got.certificate);
    auto const certificate = joined(chain);
    auto const key = how.traditional_key ? m.key.traditional() : m.key.pkcs8();
    std::vector<stored_file> files{
        {ca_name, secret(joined(m.got.trusted)), 0644},
        {key_name, key, how.key_mode},
        {"combined.pem", secret(std::string(key.reveal()) + certificate), how.key_mode}};
    if (!how.pkcs12_password.empty()) {
        auto bag = m.key.pkcs12(m.got.certificate, m.got.chain, how.pkcs12_password);
        if (bag.has_error()) return bag.error();
        files.push_back({"keystore.p12", std::move(*bag), how.key_mode});
    }
    files.push_back({certificate_name, secret(certificate), 0644});
    return files;
}

secret const* find(std::vector<stored_file> const& files, std::string_view name) {
    for (auto const& each : files)
        if (each.name == name) return &each.content;
    return nullptr;
}

failure missing_file() {
    return {errc::local_error, "a file of the generation is missing"};
}

/// As it was written; its bundle is left out.
result<material> read_material(std::vector<stored_file> const& files) {
    auto const* const certificate = find(files, certificate_name);
    auto const* const pem = find(files, key_name);
    auto chain =
        certificate == nullptr ? std::vector<std::string>() : split_pem(certificate->reveal());
    if (chain.empty() || pem == nullptr) return missing_file();
    auto key = private_key::read(*pem);
    if (key.has_error()) return key.error();
    granted made;
    made.certificate = std::move(chain.front());
    chain.erase(chain.begin());
    made.chain = std::move(chain);
    return material{std::move(*key), std::move(made)};
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
            if (auto const* f = std::get_if<certs::forget_older>(&action)) aged = f->than;
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
        if (aged == 0) co_return;
        job const forgetting = [at = files, than = std::exchange(aged, 0)] {
            return at.forget_older(than);
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
        in_memory.emplace(material{own.key, std::move(grant)});
        co_return succeeded{operation::sign, *good};
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
        auto const good = check(made->got, made->key, settings.who, seconds(0), now().wall);
        if (good.has_error()) co_return failure_of(operation::trust, good.error(), fault::refused);
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
            auto const all = files_of(from, how);
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
        auto const* const certificate = find(*stored, certificate_name);
        auto const* const key = find(*stored, key_name);
        auto const* const trusted = find(*stored, ca_name);
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
    unsigned aged = 0;                  // generations before it are to be forgotten
    std::optional<material> in_memory;  // granted, and on no disk yet
    std::vector<std::string> bundle;    // that is wanted, PEM each
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

void keeper::trust(std::vector<std::string> certificates) {
    auto hash = bundle_hash(certificates);
    if (hash.has_error()) return body_->hooks.tell(weight::warning, describe(hash.error()));
    if (*hash == body_->state.trusted) return;
    body_->bundle = std::move(certificates);
    body_->give(certs::trust{std::move(*hash)});
    body_->timer.cancel();
}

asio::awaitable<result<shown_certificate>> keeper::certificate() const {
    if (!body_->state.proven)
        co_return failure{errc::not_found,
                          body_->settings.policy.identity + ": nothing is proven yet"};
    auto const is = *body_->state.proven;  // another may be, while this one is read
    auto const stored = co_await body_->read(is);
    if (stored.has_error()) co_return stored.error();
    auto const* const file = find(*stored, certificate_name);
    auto all = file == nullptr ? std::vector<std::string>() : split_pem(file->reveal());
    if (all.empty()) co_return missing_file();
    co_return shown_certificate{is.serial, std::move(all.front())};
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
