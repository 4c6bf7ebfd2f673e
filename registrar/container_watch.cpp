#include "registrar/container_watch.hpp"

#include <algorithm>
#include <array>

namespace bevmesh::registrar {
namespace {

constexpr backoff_policy retry{milliseconds(100), milliseconds(10'000)};

/// After a run's end the engine may tell the old state for so long.
constexpr milliseconds ended_settles{250};

bool serves(docker::run_state s) {
    return s == docker::run_state::running || s == docker::run_state::paused ||
           s == docker::run_state::restarting;
}

/// Of two times in UTC as the engine writes them, with any number of decimals.
bool earlier(std::string_view a, std::string_view b) {
    return a.substr(0, a.find('Z')) < b.substr(0, b.find('Z'));
}

}  // namespace

void container_watch::reconfigure(registrar_config const& policy, instant now) {
    policy_ = &policy;
    if (connected_) list_at_ = now;
}

void container_watch::on_engine_up(instant now, std::vector<action>& out) {
    connected_ = true;
    list_failures_ = 0;
    // Whatever was under way on the old connection is answered or failed on its own; what is listed
    // now is inspected afresh, because the gap may hide a change back and forth.
    for (auto& [id, k] : known_)
        k.fingerprint.clear();
    list_at_ = now;
    on_tick(now, out);
}

void container_watch::on_engine_down() {
    connected_ = false;
    list_at_.reset();
    passing_ = false;
    pass_.clear();
    queue_.clear();
    for (auto& [id, k] : known_)
        k.look_at.reset();
}

void container_watch::on_listed(containers_listed const& e, instant now, std::vector<action>& out) {
    listing_ = false;
    if (!connected_) return;
    list_failures_ = 0;
    list_at_ = now + policy_->resync;
    passing_ = true;
    pass_.clear();
    std::set<std::string> listed;
    for (auto const& [id, fingerprint] : e.entries) {
        listed.insert(id);
        auto& k = known_[id];
        if (k.last && k.fingerprint == fingerprint && !k.inspecting) continue;
        k.listed_fingerprint = fingerprint;
        pass_.insert(id);
        want_inspect(id, k, out);
    }
    for (auto& [id, k] : known_) {
        if (listed.contains(id)) continue;
        pass_.insert(id);
        want_inspect(id, k, out);
    }
    passed({}, now);
}

void container_watch::on_listing_failed(instant now, random_source& random) {
    listing_ = false;
    if (connected_) list_at_ = now + backoff_delay(retry, list_failures_++, random);
}

void container_watch::on_hint(container_hint const& e, instant now, std::vector<action>& out) {
    if (!connected_) return;
    auto const& id = e.id;
    auto& k = known_[id];
    if (!e.ended_at.empty() && k.last && earlier(k.last->started_at, e.ended_at)) {
        k.ended_run = k.last->started_at;
        k.fingerprint.clear();
        k.last.reset();
        changed_.insert(id);
    }
    auto const repeated = std::exchange(k.hinted, e.kind) == e.kind;
    if (k.inspecting) {
        k.again = true;
    } else if (repeated && k.inspected_at && now - *k.inspected_at < policy_->debounce) {
        auto const at = *k.inspected_at + policy_->debounce;
        k.look_at = k.look_at ? std::min(*k.look_at, at) : at;
    } else {
        want_inspect(id, k, out);
    }
}

void container_watch::on_inspected(docker::container const& c, instant now,
                                   std::vector<action>& out) {
    auto const it = known_.find(c.id);
    if (it == known_.end()) return;
    auto& k = it->second;
    k.failures = 0;
    k.fingerprint = std::exchange(k.listed_fingerprint, {});
    // The engine answered before the run's end, or is not done with it.
    bool const outdated = c.state != docker::run_state::restarting && !k.ended_run.empty() &&
                          c.started_at == k.ended_run;
    if (serves(c.state) && outdated) {
        // Once: what the next look finds is believed against the event.
        k.ended_run.clear();
        k.look_at = now + ended_settles;
    } else if (serves(c.state)) {
        if (k.last != c) {
            if (!k.last || k.last->started_at != c.started_at) k.late_looks = 0;
            k.last = c;
            changed_.insert(c.id);
        }
    } else if (k.last) {
        k.last.reset();
        changed_.insert(c.id);
    }
    done_inspecting(c.id, k, now, out);
}

void container_watch::on_missing(std::string const& id, instant now, std::vector<action>& out) {
    auto const it = known_.find(id);
    if (it == known_.end()) return;
    if (it->second.last) changed_.insert(id);
    it->second.last.reset();
    done_inspecting(id, it->second, now, out);
}

void container_watch::on_inspection_failed(std::string const& id, instant now,
                                           random_source& random, std::vector<action>& out) {
    auto const it = known_.find(id);
    if (it == known_.end()) return;
    auto& k = it->second;
    if (k.inspecting) {
        k.inspecting = false;
        --inspecting_;
    }
    k.again = false;
    k.fingerprint.clear();
    if (connected_) k.look_at = now + backoff_delay(retry, k.failures++, random);
    pump(out);
}

void container_watch::on_tick(instant now, std::vector<action>& out) {
    if (!connected_) return;
    if (!listing_ && list_at_ && *list_at_ <= now) {
        list_at_.reset();
        listing_ = true;
        out.emplace_back(list_containers{});
    }
    for (auto& [id, k] : known_) {
        if (!k.look_at || *k.look_at > now) continue;
        k.look_at.reset();
        want_inspect(id, k, out);
    }
}

void container_watch::look_again(std::string const& id, instant now) {
    static constexpr std::array waits{milliseconds(50), milliseconds(200), milliseconds(1000)};
    auto const it = known_.find(id);
    if (it == known_.end() || it->second.late_looks >= waits.size()) return;
    auto& k = it->second;
    k.look_at = now + waits.at(k.late_looks++);
}

docker::container const* container_watch::find(std::string_view id_or_name) const {
    auto const exact = known_.find(std::string(id_or_name));
    if (exact != known_.end()) return exact->second.last ? &*exact->second.last : nullptr;
    for (auto const& [id, k] : known_)
        if (k.last && k.last->name == id_or_name) return &*k.last;
    return nullptr;
}

std::vector<std::string> container_watch::ids() const {
    std::vector<std::string> all;
    all.reserve(known_.size());
    for (auto const& [id, k] : known_)
        all.push_back(id);
    return all;
}

bool container_watch::idle() const {
    return connected_ && complete_ && !listing_ && !passing_ && inspecting_ == 0 &&
           queue_.empty() &&
           std::ranges::none_of(known_, [](auto const& e) { return e.second.look_at.has_value(); });
}

std::optional<instant> container_watch::next_wake() const {
    if (!connected_) return {};
    auto earliest = listing_ ? std::nullopt : list_at_;
    for (auto const& [id, k] : known_)
        if (k.look_at && (!earliest || *k.look_at < *earliest)) earliest = k.look_at;
    return earliest;
}

void container_watch::want_inspect(std::string const& id, known& k, std::vector<action>& out) {
    if (k.inspecting) {
        k.again = true;
        return;
    }
    k.look_at.reset();
    queue_.insert(id);
    pump(out);
}

void container_watch::pump(std::vector<action>& out) {
    while (inspecting_ < inspecting_max && !queue_.empty()) {
        auto const id = queue_.extract(queue_.begin()).value();
        auto const it = known_.find(id);
        if (it == known_.end()) continue;
        it->second.inspecting = true;
        ++inspecting_;
        out.emplace_back(inspect_container{id});
    }
}

void container_watch::done_inspecting(std::string const& id, known& k, instant now,
                                      std::vector<action>& out) {
    if (k.inspecting) {
        k.inspecting = false;
        --inspecting_;
    }
    k.inspected_at = now;
    if (std::exchange(k.again, false)) {
        // The answer may be older than the hint.
        queue_.insert(id);
    } else {
        passed(id, now);
        if (!k.last && !k.look_at) known_.erase(id);
    }
    pump(out);
}

void container_watch::passed(std::string const& id, instant) {
    pass_.erase(id);
    if (passing_ && pass_.empty()) {
        passing_ = false;
        complete_ = true;
    }
}

}  // namespace bevmesh::registrar
