// What the daemon listens to: its users' socket, the other nodes, who reads its metrics.
#include "mesh/daemon/process.hpp"

namespace bevmesh::daemon {

result<void> process::listen() {
    auto const executor = context_.get_executor();
    net::listen_options listen;
    listen.socket_path = config_->api.socket;
    listen.group = config_->api.group;
    auto server = net::make_http_server(
        executor, std::move(listen),
        [this](net::http_request request) { return routes_->answer({std::move(request), {}}); });
    if (!server) return server.error();
    server_ = std::move(*server);
    open_metrics();
    if (peers_->enabled()) return listen_to_peers();
    if (peers_->awaited())
        log_.info("other nodes' daemons are asked once Vault has signed this one's certificate");
    else if (config_->nodes.size() > 1)
        log_.info(
            "neither `tls` nor `vault` in the configuration: other nodes' daemons are not asked");
    return {};
}

result<void> process::listen_to_peers() {
    auto peer_server = peers_->listen([this](net::http_request request) {
        auto from = request.peer;
        return routes_->answer({std::move(request), std::move(from)});
    });
    if (!peer_server) return peer_server.error();
    peer_server_ = std::move(*peer_server);
    return {};
}

/// The files of Vault's certificate for this daemon are others, or there for the first time.
result<void> process::renew_own() {
    // Neither goes without because the other one fails.
    auto const asked = identity_->renew();
    if (peers_by_vault(*config_)) {
        if (auto const renewed = renew_peers(); !renewed) return renewed.error();
    }
    return asked;
}

result<void> process::renew_peers() {
    if (auto const renewed = peers_->renew(); !renewed) return renewed.error();
    if (peer_server_) return {};
    if (auto const opened = listen_to_peers(); !opened) return opened.error();
    tasks_.spawn(peer_server_->run(), "peers' API");
    return {};
}

/// A daemon without its metrics still does its work: a port that is taken is told, no more.
void process::open_metrics() {
    if (config_->metrics.address == "off") return;
    auto const at = net::parse_endpoint(config_->metrics.address, 0);
    net::listen_options o;
    o.address = at.has_value() ? at->host : std::string();
    o.port = at.has_value() ? at->port : std::uint16_t(0);
    metrics_ = std::make_unique<metrics>(
        metrics_sources{*core_, *driver_, *peers_, *failover_, *certificates_, BEVMESH_VERSION});
    auto server = net::make_http_server(
        context_.get_executor(), std::move(o),
        [this](net::http_request request) { return answer_metrics(std::move(request)); });
    if (server)
        metrics_server_ = std::move(*server);
    else
        log_.warning("no metrics", {{"reason", describe(server.error())}});
}

net::awaitable<net::http_response> process::answer_metrics(net::http_request request) {
    if (failover_groups::is_health(request.target)) co_return failover_->health(request.target);
    co_return co_await metrics_->handle(std::move(request));
}

/// A local user's question about another node, put to its daemon.
net::awaitable<result<std::string>> process::forward(std::string node, call c) {
    peer_question what;
    what.method = c.request.method;
    what.target = c.request.target;
    what.body = std::move(c.request.body);
    co_return co_await peers_->request(std::move(node), std::move(what));
}

}  // namespace bevmesh::daemon
