#include "mesh/daemon/certificates.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sys/stat.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "certs/keeper.hpp"
#include "certs/kept.hpp"
#include "certs/names.hpp"
#include "certs/x509.hpp"
#include "failover/orders.hpp"
#include "mesh/daemon/secret_line.hpp"
#include "mesh/daemon/service_reload.hpp"
#include "mesh/daemon/state.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::daemon {

using net::awaitable;
using nlohmann::json;

namespace {

constexpr milliseconds mesh_limit{4'000};
constexpr unsigned renewal_spread = 150;  // in thousandths of a life

certs::layout layout_of(std::string const& word) {
    if (word == "flat") return certs::layout::flat;
    return word == "inplace" ? certs::layout::inplace : certs::layout::linked;
}

result<std::vector<certs::window>> windows_of(service_tls_config const& tls) {
    std::vector<certs::window> all;
    for (auto const& line : tls.windows) {
        auto one = certs::window::parse(
            line, std::chrono::duration_cast<std::chrono::minutes>(tls.window_length));
        if (!one) return one.error();
        all.push_back(std::move(*one));
    }
    return all;
}

/// What was kept; none is a beginning, and so is one that cannot be read, which is told.
certs::renewal_state read_kept(std::string const& path, log::logger const& log) {
    std::ifstream file(path);
    if (!file) return {};
    std::string const text((std::istreambuf_iterator<char>(file)), {});
    auto kept = certs::decode_kept(text);
    if (kept) return std::move(*kept);
    log.warning("what was kept of a certificate is lost: another one is asked for",
                {{"file", path}, {"reason", bevmesh::describe(kept.error())}});
    return {};
}

void tell(log::logger const& log, certs::weight how, std::string const& text) {
    if (how == certs::weight::alarm)
        log.error(text);
    else if (how == certs::weight::warning)
        log.warning(text);
    else
        log.info(text);
}

awaitable<result<void>> renew_now(std::function<result<void>()> renew) {
    co_return renew();
}

std::string to_text(certs::wall_time at) {
    return failover::to_text(std::chrono::time_point_cast<milliseconds>(at));
}

}  // namespace

struct certificates::kept {
    service_config service;
    std::unique_ptr<certs::keeper> keeper;
};

certificates::certificates(boost::asio::any_io_executor executor, std::string node, peers& others,
                           consul::client& agent)
    : executor_(executor),
      node_(std::move(node)),
      others_(others),
      turn_(agent, node_),
      revocation_(node_, others),
      tasks_(executor, [](std::string_view task, std::string const& what) {
          log::logger("certs").error("a part ended by an exception",
                                     {{"part", std::string(task)}, {"reason", what}});
      }) {}

certificates::~certificates() = default;

result<std::unique_ptr<certificates>> certificates::make(
    boost::asio::any_io_executor executor, mesh_config const& mesh, std::string node, peers& others,
    docker::client& docker, consul::client& agent, vault::client* vault, certificate_hooks hooks) {
    std::unique_ptr<certificates> made(new certificates(executor, std::move(node), others, agent));
    made->hooks_ = std::move(hooks);
    made->vault_ = vault;
    if (vault != nullptr) made->trusted_ = std::make_unique<certs::shared_bundle>(executor, *vault);
    if (vault != nullptr && own_by_vault(mesh)) {
        if (auto const added = made->add_own(mesh, *vault); !added) return added.error();
    }
    if (!mesh.consul.tls.recipe.empty()) {
        if (vault == nullptr)
            made->log_.error("no Vault, so no certificate", {{"service", "consul"}});
        else if (auto const added = made->add_agent(mesh, *vault, docker); !added)
            return failure{added.error().code,
                           "certificate of Consul's agent: " + added.error().doing};
    }
    for (auto const& service : mesh.services) {
        if (service.tls.recipe.empty() || instances_on(service, made->node_).empty()) continue;
        if (vault == nullptr) {
            made->log_.error("no Vault, so no certificate", {{"service", service.name}});
            continue;
        }
        if (auto const added = made->add_service(service, mesh, *vault, docker); !added)
            return failure{added.error().code,
                           "certificate of " + service.name + ": " + added.error().doing};
    }
    return made;
}

/// The one by which the nodes' daemons know each other, and Consul's agent this one.
result<void> certificates::add_own(mesh_config const& mesh, vault::client& vault) {
    service_config own;
    own.name = certs::daemon_name;
    own.tls = peer_tls(mesh.state_dir);
    holder by;
    by.reload = [renew = hooks_.renew_own](certs::dates) { return renew_now(renew); };
    if (peers_by_vault(mesh))
        by.shown_at.push_back({mesh.nodes.at(node_).address, mesh.peers.port, {}});
    return add(own, mesh, vault, std::move(by));
}

/// Consul's agent is no service of the configuration, and has its certificate as one.
result<void> certificates::add_agent(mesh_config const& mesh, vault::client& vault,
                                     docker::client& docker) {
    auto const where = net::parse_endpoint(mesh.consul.address, 0);
    if (!where) return where.error();
    service_config agent;
    agent.name = certs::agent_name;
    agent.tls = mesh.consul.tls;
    auto& instance = agent.instances.emplace_back();
    instance.host = true;
    instance.nodes = {node_};
    instance.address = where->host;
    instance.port = where->port;
    return add_service(agent, mesh, vault, docker);
}

result<void> certificates::add_service(service_config const& service, mesh_config const& mesh,
                                       vault::client& vault, docker::client& docker) {
    auto const& address = mesh.nodes.at(node_).address;
    auto const may_restart = [this, name = service.name]() -> result<void> {
        if (!hooks_.is_primary(name)) return {};
        return failure{errc::conflict, name +
                                           " is the primary of its group here, and a restart is "
                                           "needed: move it first"};
    };
    reload_case here{service, node_, address, docker, hooks_.reload_agent, may_restart, {}};
    for (auto const& instance : service.instances)
        for (auto const& node : instance.nodes)
            if (node != node_)
                here.others.push_back(shown_at(service, instance, mesh.nodes.at(node).address));
    if (!here.others.empty()) here.turn = &turn_;
    auto reload = reload_of(here, certs::change::pair);
    if (!reload) return reload.error();
    auto retrust = reload_of(here, certs::change::bundle);
    if (!retrust) return retrust.error();
    holder by;
    by.reads_crl = crl_check_of(here);
    by.reload = std::move(*reload);
    by.retrust = std::move(*retrust);
    by.ready = ready_of(here);
    for (auto const* instance : instances_on(service, node_))
        by.shown_at.push_back(shown_at(service, *instance, address));
    return add(service, mesh, vault, std::move(by));
}

result<void> certificates::add(service_config const& service, mesh_config const& mesh,
                               vault::client& vault, holder by) {
    auto const& tls = service.tls;
    auto windows = windows_of(tls);
    if (!windows) return windows.error();
    auto const* const recipe = certs::find_recipe(tls.recipe);
    auto const phrase = read_secret_line(tls.pkcs12_password_file, "the keystore's password");
    if (!phrase) return phrase.error();
    auto const folder = mesh.state_dir + "/certs";
    if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return failure{errc::local_error, "make " + folder};
    auto const path = folder + "/" + service.name + ".json";

    certs::keeper_settings how;
    how.who = certs::subject_of(service.name, node_, mesh);
    how.ttl = std::chrono::duration_cast<seconds>(mesh.vault.pki.ttl);
    how.policy.identity = node_ + "/" + service.name;
    how.policy.windows = std::move(*windows);
    how.addresses = std::move(by.shown_at);
    if (recipe != nullptr) how.policy.patience = recipe->patience;
    how.policy.life.earliest = tls.renew_at * 10;
    how.policy.life.latest = tls.renew_at * 10 + renewal_spread;
    how.key.traditional = tls.key_format == "traditional";
    how.key.pkcs12_password = *phrase;
    how.reads_crl = recipe == nullptr || certs::reads_crl(*recipe, tls.crl);
    // Owned by its reader, a key is for nobody else: PostgreSQL takes it only so.
    how.key.mode = tls.owner ? S_IRUSR | S_IWUSR : S_IRUSR | S_IWUSR | S_IRGRP;

    certs::keeper_hooks hooks;
    hooks.reload = std::move(by.reload);
    hooks.retrust = std::move(by.retrust);
    hooks.ready = std::move(by.ready);
    hooks.keep = [path](certs::renewal_state const& now) {
        // Five times a certificate; what a power cut takes costs another signature at worst.
        return overwrite_file(path, certs::encode_kept(now));
    };
    hooks.tell = [log = log_](certs::weight weight, std::string const& text) {
        tell(log, weight, text);
    };
    certs::store files(tls.folder, layout_of(tls.layout), {tls.owner, tls.group, 0755});
    auto one = std::make_unique<kept>();
    one->service = service;
    auto const seed =
        static_cast<std::uint64_t>(net::now().time_since_epoch().count()) + kept_.size();
    certs::keeper_means const means{vault, *trusted_, pool_};
    one->keeper =
        std::make_unique<certs::keeper>(executor_, means, std::move(files), std::move(how),
                                        std::move(hooks), read_kept(path, log_), seed);
    revocation_.add({service.name, tls.recipe, one->keeper.get(), std::move(by.reads_crl)});
    kept_.emplace(service.name, std::move(one));
    return {};
}

void certificates::mount(routes& on) {
    on.add("GET", "/v1/certs", audience::everybody,
           [this](call const&) { return at_once(answer_text(describe())); });
    on.add("GET", "/v1/certs/mesh", audience::local,
           [this](call c) { return whole_mesh(std::move(c)); });
    on.add("GET", "/v1/certs/pem", audience::everybody,
           [this](call c) { return pem(std::move(c)); });
    on.add("POST", "/v1/certs/rotate", audience::everybody,
           [this](call const& c) { return at_once(rotate(c)); });
    revocation_.mount(on);
}

awaitable<void> certificates::run() {
    for (auto const& [name, one] : kept_)
        tasks_.spawn(one->keeper->run(), "certificate of " + name);
    if (!kept_.empty()) tasks_.spawn(watch_trust(), "trust");
    co_await tasks_.join();
}

std::vector<certificate_view> certificates::views() const {
    auto const now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    std::vector<certificate_view> all;
    for (auto const& [name, one] : kept_) {
        auto const& state = one->keeper->state();
        all.push_back({name, &state, certs::due_at(state, now, one->keeper->policy()),
                       one->keeper->sign_calls()});
    }
    return all;
}

awaitable<void> certificates::watch_trust() {
    for (;;) {
        trusted_->forget();
        auto seen = co_await trusted_->get();
        auto const trouble = seen ? std::string() : bevmesh::describe(seen.error());
        if (trouble != std::exchange(trust_trouble_, trouble) && !trouble.empty())
            log_.warning("the CAs in Vault cannot be seen: the bundles stay as they are",
                         {{"reason", trouble}});
        if (seen) bundle_.take(std::move(*seen));
        auto wanted = bundle_.wanted();
        // Also while Vault is away: CRLs end.
        if (!wanted.empty()) co_await revocation_.look(*vault_, std::move(wanted));
        if (seen)
            for (auto const& [name, one] : kept_)
                one->keeper->trust(bundle_.wanted(), revocation_.crls_for(*one->keeper));
        auto const pause = trust_pause;
        co_await net::sleep_for(pause);
    }
}

json certificates::describe_bundle() const {
    auto const hash = certs::bundle_hash(bundle_.wanted());
    auto authorities = json::array();
    for (auto const& each : bundle_.wanted()) {
        auto const is = certs::read_leaf(each);
        if (!is) continue;
        authorities.push_back({{"name", certs::common_name_of(each)},
                               {"serial", is->serial},
                               {"root", certs::is_root(each)},
                               {"expires", to_text(is->not_after)}});
    }
    auto crls = json::array();
    for (auto const& one : revocation_.all())
        crls.push_back({{"issuer", one.issuer},
                        {"number", one.number},
                        {"made", to_text(one.made)},
                        {"ends", to_text(one.ends)},
                        {"revoked", one.revoked.size()}});
    return {{"node", node_},
            {"hash", bundle_.wanted().empty() || !hash ? std::string() : *hash},
            {"authorities", std::move(authorities)},
            {"crls", std::move(crls)},
            {"trouble", trust_trouble_},
            {"crl_trouble", revocation_.trouble()}};
}

json certificates::describe() const {
    auto const now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    auto all = json::array();
    for (auto const& [name, one] : kept_) {
        auto const& state = one->keeper->state();
        json shown{{"service", name},
                   {"node", node_},
                   {"recipe", one->service.tls.recipe},
                   {"folder", one->service.tls.folder},
                   {"generation", state.generation},
                   {"trouble", state.trouble},
                   {"doing", certs::name(state.doing)}};
        shown["state"] = state.coming   ? certs::name(state.coming->at)
                         : state.proven ? certs::name(certs::stage::verified)
                                        : std::string_view("none");
        if (state.back) shown["back"] = certs::name(*state.back);
        shown["verified"] = state.proven.has_value();
        if (state.proven) {
            shown["serial"] = state.proven->serial;
            shown["issuer"] = state.proven->issuer;
            shown["trusted"] = state.proven->trusted;
            shown["issued"] =
                to_text(state.proven->not_before + one->keeper->policy().life.backdated);
            shown["not_before"] = to_text(state.proven->not_before);
            shown["expires"] = to_text(state.proven->not_after);
            shown["renews"] = to_text(certs::due_at(state, now, one->keeper->policy()));
        }
        all.push_back(std::move(shown));
    }
    return {{"node", node_}, {"certificates", std::move(all)}, {"bundle", describe_bundle()}};
}

awaitable<result<std::string>> certificates::whole_mesh(call) {
    auto const here = describe();
    auto all = here["certificates"];
    auto bundles = json::array({here["bundle"]});
    auto silent = json::array();
    peer_question q;
    q.target = "/v1/certs";
    q.deadline = mesh_limit;
    auto const answers = co_await others_.ask_all(std::move(q));
    for (auto const& [node, answer] : answers) {
        auto const told = answer ? json::parse(*answer, nullptr, false) : json();
        if (!told.is_object() || !told.contains("certificates") ||
            !told["certificates"].is_array()) {
            silent.push_back({{"node", node},
                              {"why", answer ? "no answer that can be read"
                                             : bevmesh::describe(answer.error())}});
            continue;
        }
        for (auto const& one : told["certificates"])
            all.push_back(one);
        if (told.contains("bundle")) bundles.push_back(told["bundle"]);
    }
    co_return answer_text(
        {{"node", node_}, {"certificates", all}, {"bundles", bundles}, {"not_answering", silent}});
}

result<std::string> certificates::rotate(call const& c) {
    auto const body = json::parse(c.request.body, nullptr, false);
    if (!body.is_object() || !body.contains("service") || !body["service"].is_string())
        return failure{errc::bad_input, R"(expected {"service": NAME})"};
    auto const found = find(body["service"].get<std::string>());
    if (!found) return found.error();
    (*found)->keeper->rotate();
    return answer_text(describe());
}

awaitable<result<std::string>> certificates::pem(call c) const {
    auto const found = find(c.query("service"));
    if (!found) co_return found.error();
    auto const is = co_await (*found)->keeper->certificate();
    if (!is) co_return is.error();
    co_return answer_text({{"node", node_},
                           {"service", (*found)->service.name},
                           {"serial", is->serial},
                           {"certificate", is->pem}});
}

result<certificates::kept const*> certificates::find(std::string const& service) const {
    auto const found = kept_.find(service);
    if (found == kept_.end())
        return failure{errc::not_found, node_ + " keeps no certificate of " + service};
    return found->second.get();
}

}  // namespace bevmesh::daemon
