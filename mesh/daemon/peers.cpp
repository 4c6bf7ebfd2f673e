#include "mesh/daemon/peers.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "certs/names.hpp"
#include "mesh/base/own_certificate.hpp"
#include "mesh/base/service_names.hpp"
#include "mesh/daemon/bodies.hpp"
#include "mesh/daemon/service_reload.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"
#include "mesh/net/task_group.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;

/// One and the same complaint (a stranger that knocks all the time) is told once in so long.
constexpr seconds complaint_pause{60};

std::int64_t wall_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::shared_ptr<net::http_client> client_for(boost::asio::any_io_executor const& executor,
                                             net::tls_context context, std::string const& address,
                                             std::uint16_t port, std::string uri) {
    net::http_client_options o;
    o.peer.transport = net::endpoint::kind::tls;
    o.peer.host = address;
    o.peer.port = port;
    o.tls.context = std::move(context);
    o.tls.server_uri = std::move(uri);
    o.connections_max = 4;
    auto made = net::make_http_client(executor, std::move(o));
    // With a ready context there is nothing left to fail.
    return std::shared_ptr<net::http_client>(std::move(*made));
}

peers::sources sources_of(mesh_config const& config, std::string const& node) {
    peers::sources from;
    from.uri = peer_uri(config.name, node);
    from.configured = {config.tls.certificate, config.tls.key, config.tls.ca, {}};
    if (!peers_by_vault(config)) return from;
    auto const files = own_files(peer_tls(config.state_dir));
    from.vault = {files.certificate, files.key, files.trusted, files.crls};
    return from;
}

result<net::mutual_tls> load(net::mutual_tls_files const& files, std::string const& uri) {
    auto loaded = net::load_mutual_tls(files);
    if (!loaded || std::ranges::find(loaded->uris, uri) != loaded->uris.end()) return loaded;
    return failure{errc::local_error, "TLS certificate " + files.certificate + ": is for " +
                                          (loaded->uris.empty() ? "no URI" : loaded->uris.front()) +
                                          "; expected the alternative name URI:" + uri};
}

/// That of Vault, and beside it that of `tls:`, which has no need to serve any more.
result<net::mutual_tls> load_vault(peers::sources const& from, log::logger const& log) {
    auto vault = load(from.vault, from.uri);
    if (!vault || from.configured.certificate.empty()) return vault;
    auto configured = load(from.configured, from.uri);
    if (configured) return net::show_either(std::move(*vault), std::move(*configured));
    log.warning("the certificate of `tls` is left out",
                {{"reason", bevmesh::describe(configured.error())}});
    return vault;
}

/// No context: there is none, or none yet.
result<net::mutual_tls> load_any(peers::sources const& from, log::logger const& log) {
    std::error_code ignored;
    if (!from.vault.certificate.empty() &&
        std::filesystem::exists(from.vault.certificate, ignored)) {
        auto vault = load_vault(from, log);
        if (vault) return vault;
        log.warning("Vault's certificate for the daemon does not serve",
                    {{"reason", bevmesh::describe(vault.error())}});
    }
    if (from.configured.certificate.empty()) return net::mutual_tls();
    return load(from.configured, from.uri);
}

}  // namespace

peer_question same_question(call const& c) {
    peer_question q;
    q.method = c.request.method;
    q.target = c.request.target;
    q.body = c.request.body;
    q.never_resend = q.method != "GET";
    return q;
}

std::string peer_uri(std::string const& mesh, std::string const& node) {
    return uri_of(mesh, node, std::string(certs::daemon_name));
}

bool peers_by_vault(mesh_config const& mesh) {
    return mesh.nodes.size() > 1 && !mesh.vault.addresses.empty();
}

bool own_by_vault(mesh_config const& mesh) {
    return !mesh.vault.addresses.empty() &&
           (peers_by_vault(mesh) || mesh.consul.certificates == "vault");
}

service_tls_config peer_tls(std::string const& state_dir) {
    service_tls_config tls;
    tls.recipe = "peers";
    tls.folder = own_certificate_in(state_dir).folder;
    tls.owner = ::geteuid();
    return tls;
}

peers::peers(boost::asio::any_io_executor executor, std::string node)
    : executor_(std::move(executor)), node_(std::move(node)) {
    tls_->identify = [this](std::vector<std::string> const& uris) { return identify(uris); };
}

result<std::unique_ptr<peers>> peers::make(boost::asio::any_io_executor executor,
                                           mesh_config const& config, std::string node,
                                           std::string fingerprint) {
    std::unique_ptr<peers> made(new peers(std::move(executor), std::move(node)));
    if (auto const configured = made->configure(config, std::move(fingerprint)); !configured)
        return configured.error();
    return made;
}

result<void> peers::configure(mesh_config const& config, std::string fingerprint) {
    auto from = sources_of(config, node_);
    auto fresh = load_any(from, log_);
    if (!fresh) return fresh.error();
    if (!fresh->context) {
        // A listener that is open goes on with what it has until the daemon is restarted.
        fresh->context = tls_->context;
        fresh->expires = expires_;
    }
    mesh_ = config.name;
    address_ = config.nodes.at(node_).address;
    port_ = config.peers.port;
    fingerprint_ = std::move(fingerprint);
    from_ = std::move(from);
    std::erase_if(views_, [&](auto const& v) { return !config.nodes.contains(v.first); });
    for (auto const& [name, node] : config.nodes)
        if (name != node_) views_[name].address = node.address;
    show(std::move(*fresh));
    return {};
}

result<void> peers::renew() {
    auto fresh = load_vault(from_, log_);
    if (!fresh) return fresh.error();
    show(std::move(*fresh));
    return {};
}

void peers::show(net::mutual_tls fresh) {
    expires_ = fresh.expires;
    tls_->context = std::move(fresh.context);
    clients_.clear();
    if (!enabled()) return;
    for (auto const& [name, view] : views_)
        clients_[name] =
            client_for(executor_, tls_->context, view.address, port_, peer_uri(mesh_, name));
}

awaitable<result<std::string>> peers::request(std::string node, peer_question what) {
    auto const view = views_.find(node);
    if (view == views_.end())
        co_return failure{errc::not_found,
                          node == node_ ? node + " is this node" : "no node is called " + node};
    if (!enabled())
        co_return failure{errc::unreachable, "node " + node + " cannot be asked: " + why_silent()};
    auto const client = clients_.at(node);  // lives on over a reload
    net::http_request r;
    r.method = what.method;
    r.target = what.target;
    r.timeout = what.deadline;
    r.never_resend = what.never_resend;
    if (!what.body.empty()) r.headers.emplace_back("Content-Type", "application/json");
    r.body = std::move(what.body);
    auto answer = co_await client->send(std::move(r));
    if (!answer) {
        auto f = answer.error();
        f.doing = "node " + node + ": " + f.doing;
        if (auto const still = views_.find(node); still != views_.end()) ++still->second.errors;
        co_return f;
    }
    if (answer->status < 200 || answer->status > 299) co_return refusal(*answer, node);
    co_return std::move(answer->body);
}

std::string peers::why_silent() const {
    if (awaited()) return "this node has no certificate of Vault yet";
    return "the configuration has neither `tls` nor `vault`, so daemons do not talk to each other";
}

awaitable<void> peers::ask_into(std::string node, peer_question what,
                                std::shared_ptr<answers> all) {
    auto got = co_await request(node, std::move(what));
    all->insert_or_assign(std::move(node), std::move(got));
}

awaitable<peers::answers> peers::ask_all(peer_question what) {
    auto const all = std::make_shared<answers>();
    auto const failed = [all](std::string_view node, std::string const& why) {
        all->insert_or_assign(std::string(node), failure{errc::local_error, why});
    };
    net::task_group group(executor_, failed);
    for (auto const& [node, view] : views_)
        group.spawn(ask_into(node, what, all), node);
    co_await group.join();
    co_return std::move(*all);
}

void peers::mount(routes& on, std::function<json()> describe) {
    on.add("GET", "/v1/peer", audience::everybody,
           [describe = std::move(describe)](call) { return at_once(describe().dump() + "\n"); });
}

result<std::unique_ptr<net::http_server>> peers::listen(net::http_handler handler) {
    net::listen_options o;
    o.address = address_;
    o.port = port_;
    o.tls = tls_;
    o.body_limit = 4U << 20U;
    o.on_error = [this](std::string const& what) { complain(what); };
    return net::make_http_server(executor_, std::move(o), std::move(handler));
}

result<std::string> peers::identify(std::vector<std::string> const& uris) const {
    auto const is = [&](std::string const& name) {
        return std::ranges::find(uris, peer_uri(mesh_, name)) != uris.end();
    };
    for (auto const& [name, view] : views_)
        if (is(name)) return name;
    // The keeper looks whether this listener shows what it installed.
    if (is(node_)) return node_;
    return failure{errc::forbidden, "the certificate is for " +
                                        (uris.empty() ? "no URI" : uris.front()) +
                                        ", which is no node of this mesh"};
}

void peers::complain(std::string const& what) {
    ++refused_;
    if (what == complaint_ && net::now() - complained_ < complaint_pause) return;
    complaint_ = what;
    complained_ = net::now();
    log_.warning("a connection was refused", {{"reason", what}});
}

/// What is shown has ended: the files of `tls:` serve again, if there are any that do. Else it
/// stays, and others refuse it.
void peers::replace_ended() {
    if (!enabled() || expires_ * 1'000 > wall_ms() || expires_ == told_ended_) return;
    told_ended_ = expires_;
    auto fresh = load_any(from_, log_);
    if (fresh && fresh->context) {
        log_.warning("the daemon's certificate has ended; another one takes its place");
        return show(std::move(*fresh));
    }
    log_.error("the daemon's certificate has ended, and there is no other",
               {{"reason", fresh ? "`tls` names none" : bevmesh::describe(fresh.error())}});
}

awaitable<void> peers::watch() {
    while (enabled() || awaited()) {
        replace_ended();
        if (enabled()) co_await look_at_all();
        auto const wait = pause;
        co_await net::sleep_for(wait);
    }
}

awaitable<void> peers::look_at_all() {
    net::task_group group(executor_, nullptr);
    for (auto const& [node, view] : views_)
        group.spawn(look_at(node), node);
    co_await group.join();
}

awaitable<void> peers::look_at(std::string node) {
    peer_question who;
    who.target = "/v1/peer";
    who.deadline = milliseconds(2'000);
    auto const sent = net::now();
    auto const said = co_await request(node, std::move(who));
    auto const view = views_.find(node);
    if (view == views_.end()) co_return;
    if (said)
        take(view->second, node, *said, net::now() - sent);
    else
        lost(view->second, node, describe(said.error()));
}

void peers::take(peer_view& view, std::string const& node, std::string const& body,
                 nanoseconds round_trip) {
    auto const said = json::parse(body, nullptr, false);
    if (!said.is_object()) return lost(view, node, "answers, but not as a bevmesh daemon");
    auto const config = text_at(said, "config");
    auto const version = text_at(said, "version");
    bool const up = !view.reachable;
    if (up || version != view.version) log_.info("peer up", {{"node", node}, {"version", version}});
    if (config != fingerprint_ && (up || config != view.config))
        log_.warning("peer has another configuration",
                     {{"node", node}, {"theirs", config}, {"ours", fingerprint_}});
    if (config == fingerprint_ && !up && config != view.config)
        log_.info("peer has the same configuration", {{"node", node}});
    view.asked = view.reachable = true;
    view.detail.clear();
    view.version = version;
    view.config = config;
    view.boot_id = text_at(said, "boot_id");
    view.round_trip = round_trip;
    auto const theirs = said.find("time_ms");
    if (theirs != said.end() && theirs->is_number_integer())
        view.clock_offset = milliseconds(theirs->get<std::int64_t>() - wall_ms()) +
                            std::chrono::duration_cast<milliseconds>(round_trip / 2);
}

void peers::lost(peer_view& view, std::string const& node, std::string why) {
    if (view.reachable || !view.asked) log_.warning("peer down", {{"node", node}, {"reason", why}});
    view.asked = true;
    view.reachable = false;
    view.round_trip.reset();
    view.clock_offset.reset();
    view.detail = std::move(why);
}

}  // namespace bevmesh::daemon
