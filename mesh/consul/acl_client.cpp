#include "mesh/consul/acl_client.hpp"

#include "mesh/base/json_fields.hpp"

namespace bevmesh::consul {
namespace {

using net::awaitable;

// Without a leader an agent waits for one before it says so, 10 to 20 s (seen with 1.22.7).
constexpr milliseconds request_limit{30'000};

class http_acl final : public acl_client {
public:
    http_acl(std::unique_ptr<net::http_client> http, secret management)
        : http_(std::move(http)), management_(std::move(management)) {}

    awaitable<result<acl_token>> token_of(secret presented) override {
        return exchange(to("GET", "/v1/acl/token/self", std::move(presented)), decode_acl_token);
    }
    awaitable<result<std::vector<acl_policy>>> policies() override {
        return exchange(to("GET", "/v1/acl/policies", management_), decode_policies);
    }
    awaitable<result<acl_policy>> policy(std::string id) override {
        auto target = "/v1/acl/policy/" + net::percent_encode(id);
        return exchange(to("GET", std::move(target), management_), decode_policy);
    }
    awaitable<result<acl_policy>> put_policy(acl_policy policy) override {
        auto request = put("/v1/acl/policy", policy.id);
        request.body = encode_policy(policy);
        return exchange(std::move(request), decode_policy);
    }
    awaitable<result<std::vector<acl_token>>> tokens() override {
        return exchange(to("GET", "/v1/acl/tokens", management_), decode_tokens);
    }
    awaitable<result<acl_token>> token(std::string accessor) override {
        auto target = "/v1/acl/token/" + net::percent_encode(accessor);
        return exchange(to("GET", std::move(target), management_), decode_acl_token);
    }
    awaitable<result<acl_token>> put_token(acl_token token) override {
        auto request = put("/v1/acl/token", token.accessor);
        request.body = encode_token(token);
        return exchange(std::move(request), decode_acl_token);
    }
    awaitable<result<acl_token>> bootstrap(secret chosen) override {
        auto request = to("PUT", "/v1/acl/bootstrap", secret());
        request.never_resend = true;
        request.body = json::dump({{"BootstrapSecret", chosen.reveal()}});
        return exchange(std::move(request), decode_acl_token);
    }

    void set_management(secret token) override { management_ = std::move(token); }
    net::endpoint const& peer() const noexcept override { return http_->peer(); }

private:
    static net::http_request to(std::string method, std::string target, secret token) {
        net::http_request r;
        r.method = std::move(method);
        r.target = std::move(target);
        r.timeout = request_limit;
        if (!token.empty()) r.secret_headers.emplace_back("X-Consul-Token", std::move(token));
        return r;
    }
    /// Without an ID the PUT makes something: sent twice, it would be there twice.
    net::http_request put(std::string const& path, std::string const& id) const {
        auto r = to("PUT", id.empty() ? path : path + "/" + net::percent_encode(id), management_);
        r.never_resend = id.empty();
        return r;
    }

    template <class T>
    awaitable<result<T>> exchange(net::http_request request,
                                  result<T> (*decode)(std::string_view)) {
        net::http_request named;
        named.method = request.method;
        named.target = request.target;
        auto const got = co_await http_->send(std::move(request));
        if (got.has_error()) co_return got.error();
        if (got->status < 200 || got->status > 299)
            co_return net::status_failure(named, peer(), got->status, got->body);
        co_return decode(got->body);
    }

    std::unique_ptr<net::http_client> http_;
    secret management_;
};

}  // namespace

result<std::unique_ptr<acl_client>> make_acl_client(boost::asio::any_io_executor executor,
                                                    consul_config const& settings,
                                                    std::shared_ptr<identity> as,
                                                    secret management) {
    auto options = options_for(settings, std::move(as));
    if (options.has_error()) return options.error();
    auto http = net::make_http_client(std::move(executor), std::move(*options));
    if (http.has_error()) return http.error();
    return std::unique_ptr<acl_client>(
        std::make_unique<http_acl>(std::move(*http), std::move(management)));
}

}  // namespace bevmesh::consul
