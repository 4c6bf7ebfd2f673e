#include "mesh/consul/client.hpp"

#include "mesh/consul/codec.hpp"

namespace bevmesh::consul {

namespace {

constexpr milliseconds request_limit{10'000};

/// Consul adds up to a sixteenth to `wait` so that clients do not return all at once.
milliseconds limit_of(blocking const& b) {
    return request_limit + b.wait + b.wait / 16;
}

std::string query_of(blocking const& b) {
    std::string q;
    auto const add = [&q](std::string const& part) { q += (q.empty() ? "?" : "&") + part; };
    if (b.index != 0) add("index=" + std::to_string(b.index));
    if (!b.hash.empty()) add("hash=" + net::percent_encode(b.hash));
    if (b.wait.count() > 0 && !q.empty()) add("wait=" + encode_duration(b.wait));
    if (b.stale) add("stale");
    if (b.consistent) add("consistent");
    return q;
}

/// A KV path: slashes stay.
std::string key_path(std::string_view key) {
    std::string out = "/v1/kv/";
    for (;;) {
        auto const slash = key.find('/');
        out += net::percent_encode(key.substr(0, slash));
        if (slash == std::string_view::npos) return out;
        out += '/';
        key.remove_prefix(slash + 1);
    }
}

/// What a failure tells of a request: neither its body nor its token.
net::http_request name_of(net::http_request const& request) {
    net::http_request named;
    named.method = request.method;
    named.target = request.target;
    return named;
}

class http_consul final : public client {
public:
    http_consul(boost::asio::any_io_executor executor, net::http_client_options how,
                std::shared_ptr<identity> as, secret token)
        : executor_(std::move(executor)),
          how_(std::move(how)),
          identity_(std::move(as)),
          // With contexts that are asked for there is nothing left to fail.
          http_(std::move(*net::make_http_client(executor_, how_))),
          token_(std::move(token)) {}

    awaitable<result<agent_self>> self() override {
        auto got = co_await ask("/v1/agent/self", request_limit);
        if (got.has_error()) co_return got.error();
        co_return decode_self(got->body);
    }
    awaitable<result<answer<std::map<std::string, agent_service>>>> services() override {
        return read("/v1/agent/services", request_limit, decode_agent_services);
    }
    awaitable<result<answer<std::map<std::string, agent_check>>>> checks() override {
        return read("/v1/agent/checks", request_limit, decode_agent_checks);
    }
    awaitable<result<answer<agent_service>>> service(std::string id, blocking b) override {
        auto target = "/v1/agent/service/" + net::percent_encode(id) + query_of(b);
        return read(std::move(target), limit_of(b), decode_agent_service);
    }
    awaitable<result<agent_entry>> entry(std::string id) override;
    awaitable<result<void>> register_service(service_definition definition) override {
        return change("/v1/agent/service/register?replace-existing-checks=true",
                      encode_registration(definition));
    }
    awaitable<result<void>> deregister_service(std::string id) override {
        return change("/v1/agent/service/deregister/" + net::percent_encode(id), "");
    }
    awaitable<result<void>> update_check(std::string check_id, status state,
                                         std::string output) override {
        return change("/v1/agent/check/update/" + net::percent_encode(check_id),
                      encode_check_update(state, output));
    }
    awaitable<result<void>> deregister_check(std::string check_id) override {
        return change("/v1/agent/check/deregister/" + net::percent_encode(check_id), "");
    }
    awaitable<result<void>> service_maintenance(std::string id, bool on,
                                                std::string reason) override {
        auto target = "/v1/agent/service/maintenance/" + net::percent_encode(id) +
                      (on ? "?enable=true&reason=" + net::percent_encode(reason) : "?enable=false");
        return change(std::move(target), "");
    }
    awaitable<result<answer<std::map<std::string, std::vector<std::string>>>>> catalog_services(
        blocking b) override {
        return read("/v1/catalog/services" + query_of(b), limit_of(b), decode_catalog_services);
    }
    awaitable<result<answer<std::vector<health_entry>>>> catalog_service(std::string name,
                                                                         blocking b) override {
        auto target = "/v1/catalog/service/" + net::percent_encode(name) + query_of(b);
        return read(std::move(target), limit_of(b), decode_catalog_service);
    }
    awaitable<result<answer<std::vector<health_entry>>>> health_service(std::string name,
                                                                        bool passing_only,
                                                                        std::string tag,
                                                                        blocking b) override {
        auto target = "/v1/health/service/" + net::percent_encode(name) + query_of(b);
        auto const add = [&target](std::string const& part) {
            target += (target.find('?') == std::string::npos ? "?" : "&") + part;
        };
        if (passing_only) add("passing=1");
        if (!tag.empty()) add("tag=" + net::percent_encode(tag));
        return read(std::move(target), limit_of(b), decode_health_service);
    }
    awaitable<result<answer<std::vector<kv_entry>>>> kv_list(std::string prefix,
                                                             blocking b) override {
        auto target = key_path(prefix) + query_of(b);
        target += target.find('?') == std::string::npos ? "?recurse" : "&recurse";
        return list_entries(std::move(target), limit_of(b));
    }
    awaitable<result<answer<kv_entry>>> kv_get(std::string key, blocking b) override {
        return read(key_path(key) + query_of(b), limit_of(b), first_entry);
    }
    awaitable<result<bool>> kv_put(std::string key, std::string value,
                                   std::optional<std::uint64_t> cas) override {
        auto request = to(cas ? key_path(key) + "?cas=" + std::to_string(*cas) : key_path(key));
        request.method = "PUT";
        request.body = std::move(value);
        request.never_resend = cas.has_value();
        return truth(std::move(request));
    }
    awaitable<result<void>> kv_delete(std::string key) override {
        auto request = to(key_path(key));
        request.method = "DELETE";
        auto const done = co_await truth(std::move(request));
        if (done.has_error()) co_return done.error();
        co_return result<void>();
    }
    awaitable<result<bool>> kv_delete_cas(std::string key, std::uint64_t cas) override {
        auto request = to(key_path(key) + "?cas=" + std::to_string(cas));
        request.method = "DELETE";
        request.never_resend = true;
        return truth(std::move(request));
    }
    awaitable<result<std::string>> transaction(std::string operations) override;
    awaitable<result<void>> reload(bool has_ended) override {
        if (has_ended && peer().transport == net::endpoint::kind::tls) return reload_ended();
        return change("/v1/agent/reload", "");
    }
    awaitable<result<std::string>> token_self() override {
        auto got = co_await ask("/v1/acl/token/self", request_limit);
        if (got.has_error()) co_return got.error();
        co_return decode_token(got->body);
    }

    void set_token(secret token) override { token_ = std::move(token); }
    net::endpoint const& peer() const noexcept override { return http_->peer(); }

private:
    using raw = net::http_response;

    awaitable<result<void>> reload_ended();

    static result<kv_entry> first_entry(std::string_view document) {
        auto all = decode_kv(document);
        if (all.has_error()) return all.error();
        if (all->size() != 1) return failure{errc::bad_answer, "the KV entry: expected one"};
        return std::move(all->front());
    }

    net::http_request to(std::string target) const {
        net::http_request r;
        r.target = std::move(target);
        r.timeout = request_limit;
        if (!token_.empty()) r.secret_headers.emplace_back("X-Consul-Token", token_);
        return r;
    }

    awaitable<result<raw>> exchange(net::http_request request) {
        auto const named = name_of(request);
        auto got = co_await http_->send(std::move(request));
        if (got.has_value() && (got->status < 200 || got->status > 299)) {
            co_return net::status_failure(named, peer(), got->status, got->body);
        }
        co_return got;
    }

    awaitable<result<raw>> ask(std::string target, milliseconds limit) {
        auto request = to(std::move(target));
        request.timeout = limit;
        return exchange(std::move(request));
    }

    /// `with_token` is as the request was sent: set_token() may come while it is under way.
    template <class T>
    static answer<T> with_facts(raw const& got, bool with_token, T value) {
        auto facts = decode_headers(got.headers, with_token);
        answer<T> a;
        a.value = std::move(value);
        a.index = facts.index;
        a.content_hash = std::move(facts.content_hash);
        a.filtered = facts.filtered;
        a.known_leader = facts.known_leader;
        a.last_contact = facts.last_contact;
        return a;
    }

    template <class T>
    awaitable<result<answer<T>>> read(std::string target, milliseconds limit,
                                      result<T> (*decode)(std::string_view)) {
        bool const with_token = !token_.empty();
        auto const got = co_await ask(std::move(target), limit);
        if (got.has_error()) co_return got.error();
        auto value = decode(got->body);
        if (value.has_error()) co_return value.error();
        co_return with_facts(*got, with_token, std::move(*value));
    }

    /// A 404 is an empty list here; but not one that only looks empty because ACLs hid it.
    awaitable<result<answer<std::vector<kv_entry>>>> list_entries(std::string target,
                                                                  milliseconds limit) {
        bool const with_token = !token_.empty();
        auto request = to(std::move(target));
        request.timeout = limit;
        auto const named = name_of(request);
        auto const got = co_await http_->send(std::move(request));
        if (got.has_error()) co_return got.error();
        std::vector<kv_entry> entries;
        if (got->status == 200) {
            auto decoded = decode_kv(got->body);
            if (decoded.has_error()) co_return decoded.error();
            entries = std::move(*decoded);
        } else if (got->status != 404) {
            co_return net::status_failure(named, peer(), got->status, got->body);
        }
        co_return with_facts(*got, with_token, std::move(entries));
    }

    awaitable<result<void>> change(std::string target, std::string body) {
        auto request = to(std::move(target));
        request.method = "PUT";
        request.body = std::move(body);
        auto const got = co_await exchange(std::move(request));
        if (got.has_error()) co_return got.error();
        co_return result<void>();
    }

    /// Consul answers "true" or "false".
    awaitable<result<bool>> truth(net::http_request request) {
        auto const what = request.method + " " + request.target;
        auto const got = co_await exchange(std::move(request));
        if (got.has_error()) co_return got.error();
        auto const word = got->body.substr(0, got->body.find_last_not_of(" \r\n") + 1);
        if (word == "true") co_return true;
        if (word == "false") co_return false;
        co_return failure{errc::bad_answer, what + ": neither true nor false"};
    }

    boost::asio::any_io_executor executor_;
    net::http_client_options how_;
    std::shared_ptr<identity> identity_;
    std::unique_ptr<net::http_client> http_;
    secret token_;
};

awaitable<result<agent_entry>> http_consul::entry(std::string id) {
    auto request = to("/v1/agent/health/service/id/" + net::percent_encode(id) + "?format=json");
    auto const named = name_of(request);
    auto const got = co_await http_->send(std::move(request));
    if (got.has_error()) co_return got.error();
    // The status is the service's: 429 a warning, 503 critical or maintenance. A busy Consul uses
    // the same numbers, with a sentence for a body.
    auto decoded = decode_agent_entry(got->body);
    bool const of_service = got->status == 200 || got->status == 429 || got->status == 503;
    if (of_service && decoded.has_value()) co_return std::move(*decoded);
    if (got->status == 200) co_return decoded.error();
    co_return net::status_failure(named, peer(), got->status, got->body);
}

awaitable<result<void>> http_consul::reload_ended() {
    auto context = identity_->context_for_ended();
    if (context.has_error()) co_return context.error();
    auto how = how_;
    how.tls.current = [with = std::move(*context)] { return result<net::tls_context>(with); };
    http_consul alone(executor_, std::move(how), identity_, token_);
    bool const has_ended = false;
    co_return co_await alone.reload(has_ended);
}

awaitable<result<std::string>> http_consul::transaction(std::string operations) {
    auto request = to("/v1/txn");
    request.method = "PUT";
    request.body = std::move(operations);
    request.never_resend = true;
    auto const named = name_of(request);
    auto got = co_await http_->send(std::move(request));
    if (got.has_error()) co_return got.error();
    if (got->status == 200) co_return std::move(got->body);
    auto const reasons = got->status == 409 ? decode_transaction_errors(got->body)
                                            : result<std::string>(std::string());
    auto const& told = reasons.has_value() && !reasons->empty() ? *reasons : got->body;
    co_return net::status_failure(named, peer(), got->status, told);
}

}  // namespace

result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                            consul_config const& settings,
                                            std::shared_ptr<identity> as, secret token) {
    auto options = options_for(settings, as);
    if (options.has_error()) return options.error();
    // Blocking queries hold theirs; an agent allows 200 an address by default.
    options->connections_max = 64;
    return std::unique_ptr<client>(std::make_unique<http_consul>(
        std::move(executor), std::move(*options), std::move(as), std::move(token)));
}

}  // namespace bevmesh::consul
