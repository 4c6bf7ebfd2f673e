#include "registrar/reconcile.hpp"

#include <algorithm>

namespace bevmesh::registrar {
namespace {

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

constexpr std::string_view shares_network_of = "container:";

/// The daemon's own entry. Other nodes find the daemons by it, and a blocking query on it tells at
/// once when the agent restarted or lost its state. It has no check: a dead daemon removes nothing.
registration own_service(std::string const& id, std::string const& node,
                         mesh_config const& config) {
    registration r;
    r.service.id = id;
    r.service.name = "bevmesh";
    if (auto const at = config.nodes.find(node); at != config.nodes.end())
        r.service.address = at->second.address;
    return r;
}

}  // namespace

reconciler::reconciler(mesh_config const& config, std::string node, std::uint64_t seed)
    : config_(&config),
      node_(std::move(node)),
      random_(seed),
      containers_(config.registrar),
      services_(node_) {
    recompute_node();
}

std::vector<action> reconciler::handle(event const& e, instant now) {
    std::visit(
        overloaded{
            [&](tick) {},
            [&](engine_up const& up) {
                bool const renamed = std::exchange(engine_host_, up.info.name) != engine_host_;
                if (renamed) recompute_all(now);
                containers_.on_engine_up(now, out_);
            },
            [&](engine_down) { containers_.on_engine_down(); },
            [&](containers_listed const& l) { containers_.on_listed(l, now, out_); },
            [&](listing_failed) { containers_.on_listing_failed(now, random_); },
            [&](container_hint const& h) { containers_.on_hint(h, now, out_); },
            [&](container_inspected const& i) { containers_.on_inspected(i.container, now, out_); },
            [&](container_missing const& m) { containers_.on_missing(m.id, now, out_); },
            [&](inspection_failed const& f) {
                containers_.on_inspection_failed(f.id, now, random_, out_);
            },
            [&](agent_listed const& l) { services_.on_agent_listed(l); },
            [&](agent_failed) { services_.on_agent_failed(now, random_); },
            [&](looked_up const& l) { services_.on_looked_up(l); },
            [&](look_up_failed const& f) { services_.on_look_up_failed(f, now, random_); },
            [&](probed const& p) { services_.on_probed(p, now); },
            [&](written const& w) { services_.on_written(w, now, random_); },
            [&](maintenance_asked const& m) {
                services_.want_maintenance(m.service, m.on ? m.reason : std::string());
            },
            [&](configured const& c) {
                config_ = c.config;
                containers_.reconfigure(config_->registrar, now);
                services_.look_now(now);
                recompute_node();
                recompute_all(now);
            },
        },
        e);
    for (auto const& id : containers_.take_changed())
        recompute(id, now);
    if (containers_.complete()) services_.allow_removals();
    containers_.on_tick(now, out_);
    services_.settle(now, config_->registrar.resync, random_, out_);
    return std::exchange(out_, {});
}

std::optional<instant> reconciler::next_wake() const {
    auto const a = containers_.next_wake();
    auto const b = services_.next_wake();
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

std::vector<note> reconciler::notes() const {
    std::vector<note> all;
    for (auto const& [by, notes] : notes_)
        all.insert(all.end(), notes.begin(), notes.end());
    return all;
}

void reconciler::recompute(std::string const& id, instant now) {
    auto const* container = containers_.find(id);
    refresh(id, now);
    // Whoever shares this container's network has its addresses and bindings.
    std::set<std::string> affected;
    for (auto const& [shared, sharers] : sharers_)
        if (shared == id || (container && shared == container->name))
            affected.insert(sharers.begin(), sharers.end());
    for (auto const& sharer : affected)
        refresh(sharer, now);
}

void reconciler::refresh(std::string const& id, instant now) {
    auto const* container = containers_.find(id);
    desired wanted;
    if (container) wanted = services_of(*container, where());
    services_.claim(id, wanted.services);
    take_notes(id, std::move(wanted.notes));
    if (wanted.incomplete) containers_.look_again(id, now);

    for (auto& [shared, sharers] : sharers_)
        sharers.erase(id);
    std::erase_if(sharers_, [](auto const& e) { return e.second.empty(); });
    if (container && container->network_mode.starts_with(shares_network_of))
        sharers_[container->network_mode.substr(shares_network_of.size())].insert(id);
}

void reconciler::recompute_all(instant now) {
    for (auto const& id : containers_.ids())
        recompute(id, now);
}

void reconciler::recompute_node() {
    auto wanted = host_services(where());
    wanted.services.push_back(own_service(own_service_id(), node_, *config_));
    services_.claim("", wanted.services);
    take_notes("", std::move(wanted.notes));
}

void reconciler::take_notes(std::string const& by, std::vector<note> notes) {
    auto& before = notes_[by];
    for (auto const& n : notes)
        if (std::ranges::find(before, n) == before.end()) out_.emplace_back(tell{n});
    before = std::move(notes);
    if (before.empty()) notes_.erase(by);
}

context reconciler::where() const {
    return {config_, node_, engine_host_,
            [this](std::string_view id) { return containers_.find(id); }};
}

}  // namespace bevmesh::registrar
