#include "mesh/vault/transport.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "mesh/base/fnv1a.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/task_group.hpp"
#include "mesh/vault/codec.hpp"

namespace bevmesh::vault {
namespace {

// A server that hangs must leave time for the others; a leader's fsync may take a second.
constexpr milliseconds request_limit{5'000};
constexpr milliseconds health_limit{3'000};

/// Which server a node tries first: its own where it has one, else one that its address chooses.
std::size_t first_of(std::vector<net::endpoint> const& servers, std::string const& near) {
    for (std::size_t i = 0; i < servers.size(); ++i)
        if (servers[i].host == near) return i;
    fnv1a hash;
    hash.add(near);
    return static_cast<std::size_t>(hash.value() % servers.size());
}

/// Without a query, as failures name it.
net::http_request named(call const& wanted) {
    net::http_request r;
    r.method = wanted.method;
    r.target = "/v1/" + wanted.path;
    return r;
}

failure told(call const& wanted, net::endpoint const& peer, unsigned status, verdict const& v) {
    auto f = net::status_failure(named(wanted), peer, status, v.reason);
    if (v.what == meaning::absent) f.code = errc::not_found;
    return f;
}

awaitable<void> report(net::http_client* server, net::http_request request,
                       result<node_health>* into) {
    auto const got = co_await server->send(std::move(request));
    if (got.has_error())
        *into = got.error();
    else
        *into = decode_health(got->status, got->body);
}

}  // namespace

transport::transport(std::vector<std::unique_ptr<net::http_client>> servers, std::string space,
                     std::size_t first)
    : servers_(std::move(servers)), space_(std::move(space)), book_(servers_.size(), first) {
    for (auto const& server : servers_)
        origins_.push_back(net::to_string(server->peer()));
}

result<std::unique_ptr<transport>> transport::make(boost::asio::any_io_executor executor,
                                                   vault_config const& settings,
                                                   std::string const& near) {
    std::vector<std::unique_ptr<net::http_client>> servers;
    std::vector<net::endpoint> peers;
    for (auto const& address : settings.addresses) {
        auto peer = net::parse_endpoint(address, 8200);
        if (peer.has_error()) return peer.error();
        if (peer->transport != net::endpoint::kind::tls)
            return failure{errc::bad_input, "Vault at " + address +
                                                ": expected https://, tokens are not sent in the "
                                                "clear"};
        net::http_client_options options;
        options.peer = *peer;
        options.tls.ca_file = settings.ca_file;
        options.tls.server_name = settings.server_name;
        auto made = net::make_http_client(executor, std::move(options));
        if (made.has_error()) return made.error();
        peers.push_back(std::move(*peer));
        servers.push_back(std::move(*made));
    }
    if (servers.empty()) return failure{errc::bad_input, "Vault: no address is configured"};
    auto const first = first_of(peers, near);
    return std::make_unique<transport>(std::move(servers), settings.space, first);
}

net::http_request transport::request_for(call const& wanted) const {
    auto r = named(wanted);
    r.body = wanted.body;
    r.timeout = request_limit;
    r.body_limit = 4U << 20U;
    if (!wanted.body.empty()) r.headers.emplace_back("Content-Type", "application/json");
    if (!space_.empty()) r.headers.emplace_back("X-Vault-Namespace", space_);
    if (wanted.wrap.count() > 0)
        r.headers.emplace_back("X-Vault-Wrap-TTL", std::to_string(wanted.wrap.count()) + "s");
    if (!wanted.token.empty()) r.secret_headers.emplace_back("X-Vault-Token", wanted.token);
    return r;
}

awaitable<result<std::string>> transport::ask(call wanted) {
    auto got = co_await exchange(std::move(wanted));
    co_return std::move(got.body);
}

awaitable<std::vector<std::size_t>> transport::order() {
    if (follows_ && !active_) {
        auto const reports = co_await health();
        for (std::size_t i = 0; i < reports.size(); ++i)
            if (reports[i].health.has_value() && reports[i].health->state == node_state::active)
                active_ = i;
    }
    auto servers = book_.order(net::now());
    if (follows_ && active_) {
        auto const active = std::ranges::find(servers, *active_);
        std::rotate(servers.begin(), active, active + 1);
    }
    co_return servers;
}

awaitable<transport::reply> transport::exchange(call wanted) {
    reply out{failure{}, false};
    auto servers = co_await order();
    route way(std::move(servers), origins_, wanted.doubt_wrong);
    for (auto server = way.next(); server; server = way.next()) {
        auto& at = *servers_[*server];
        auto got = co_await at.send(request_for(wanted));
        if (got.has_error()) {
            auto const code = got.error().code;
            out.body = got.error();
            // What this machine failed at, another server does not mend.
            if (code == errc::canceled || code == errc::bad_input || code == errc::local_error)
                co_return out;
            book_.failed(*server, net::now());
            active_.reset();
            way.failed(got.error());
            continue;
        }
        auto const v = judge(got->status, got->header("Location"), got->body);
        if (v.what == meaning::elsewhere)
            book_.failed(*server, net::now());
        else
            book_.answered(*server);
        if (v.what == meaning::elsewhere || v.what == meaning::redirect) active_.reset();
        if (v.what == meaning::good) {
            out.body = std::move(got->body);
            co_return out;
        }
        auto why = told(wanted, at.peer(), got->status, v);
        out.body = why;
        if (way.answered(v, std::move(why))) co_return out;
    }
    out.body = way.outcome();
    out.token_unknown = way.token_unknown();
    co_return out;
}

awaitable<std::vector<node_report>> transport::health() {
    std::vector<node_report> reports;
    for (auto const& origin : origins_)
        reports.push_back({origin, failure{errc::canceled, "not asked"}});
    auto const executor = co_await boost::asio::this_coro::executor;
    net::task_group group(executor, nullptr);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        call wanted;
        wanted.path = "sys/health";
        auto request = request_for(wanted);
        request.timeout = health_limit;
        group.spawn(report(servers_[i].get(), std::move(request), &reports[i].health), origins_[i]);
    }
    co_await group.join();
    co_return reports;
}

}  // namespace bevmesh::vault
