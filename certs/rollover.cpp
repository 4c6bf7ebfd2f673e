#include "certs/rollover.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace bevmesh::certs {
namespace {

using kind = rollover_move::kind;

bool is_root_of_ours(authority_seen const& a, rollover_sight const& seen) {
    return a.mount == seen.root_mount && a.has_key && a.root == a.serial;
}

/// The oldest first.
std::vector<authority_seen> roots_of(rollover_sight const& seen) {
    std::vector<authority_seen> roots;
    for (auto const& each : seen.authorities)
        if (is_root_of_ours(each, seen)) roots.push_back(each);
    std::ranges::stable_sort(roots, {}, &authority_seen::since);
    return roots;
}

/// The number that a name ends in, such as 2 of "root-2"; 0: it ends in none.
unsigned number_of(std::string_view name) {
    auto const dash = name.rfind('-');
    if (dash == std::string_view::npos) return 0;
    unsigned number = 0;
    auto const* const end = name.data() + name.size();
    auto const read = std::from_chars(name.data() + dash + 1, end, number);
    return read.ec == std::errc() && read.ptr == end ? number : 0;
}

/// One more than any of this mount has, and than there are.
std::string next_name(std::string const& stem, rollover_sight const& seen, bool of_roots) {
    unsigned highest = 1;
    for (auto const& each : seen.authorities)
        if ((each.mount == seen.root_mount) == of_roots && each.has_key)
            highest = std::max(highest, number_of(each.name));
    return stem + "-" + std::to_string(highest + 1);
}

class decision {
public:
    decision(rollover_sight const& seen, rollover_way way, bool begin)
        : seen_(seen), way_(way), begin_(begin), roots_(roots_of(seen)) {}

    rollover_move take() {
        if (roots_.empty())
            return refuse(rollover_phase::prepare,
                          "there is no root; `bevmesh vault bootstrap` makes the first");
        if (roots_.size() == 1) return idle();
        keep_ = way_ == rollover_way::forward ? roots_.back() : roots_.front();
        if (way_ == rollover_way::forward && keep_.retired)
            return refuse(rollover_phase::retire,
                          "the newest root is retired: an abort is under way; go on with --abort");
        auto const* const ours = intermediate();
        if (ours == nullptr) return without_intermediate();
        if (auto back = retired_of_kept(); !back.empty())
            return change(kind::restore, std::move(back));
        if (!keep_.is_default || !ours->is_default) return activate(*ours);
        if (auto wave = rotation(*ours); !wave.members.empty()) return wave;
        if (auto gate = unproven(*ours); !is_open(gate)) return gate;
        return retire();
    }

private:
    rollover_move idle() const {
        if (begin_ && way_ == rollover_way::forward) {
            auto m = move(kind::make_root, rollover_phase::prepare);
            m.name = next_name("root", seen_, true);
            return m;
        }
        auto m = move(kind::done, rollover_phase::done);
        m.of = m.confirmed = seen_.members.size();
        m.why = way_ == rollover_way::abort ? "there is one root: nothing is left to abort"
                                            : "there is one root, and it is the only one trusted";
        return m;
    }

    rollover_move without_intermediate() const {
        // An old CA of which a part is deleted cannot come back.
        if (way_ == rollover_way::abort)
            return refuse(rollover_phase::retire,
                          "the old intermediate is deleted: it is too late to abort");
        auto m = move(kind::make_intermediate, rollover_phase::prepare);
        m.targets = {keep_};
        m.name = next_name("services", seen_, false);
        return m;
    }

    rollover_move activate(authority_seen const& ours) const {
        auto gate = unconfirmed(rollover_phase::distribute);
        bool const for_members = !gate.members.empty();
        if (for_members || (way_ == rollover_way::forward && !gate.silent.empty())) return gate;
        auto m = move(kind::set_default, rollover_phase::activate);
        for (auto const& each : {keep_, ours})
            if (!each.is_default) m.targets.push_back(each);
        m.of = m.confirmed = seen_.members.size();
        return m;
    }

    rollover_move rotation(authority_seen const& ours) const {
        auto m = move(kind::rotate, rollover_phase::rotate);
        std::vector<rotation_part> all;
        for (auto const& each : seen_.members)
            all.push_back({each.node, each.service, each.issuer == ours.serial});
        auto const next = next_wave(all);
        m.in = next.is;
        for (auto const i : next.parts)
            m.members.push_back(all[i]);
        m.of = all.size();
        m.confirmed = static_cast<std::size_t>(
            std::ranges::count_if(all, [](auto const& each) { return each.done; }));
        return m;
    }

    rollover_move unproven(authority_seen const& ours) const {
        return waiting(rollover_phase::gate, [&](member_seen const& each) {
            return each.settled && each.issuer == ours.serial;
        });
    }

    rollover_move unconfirmed(rollover_phase phase) const {
        return waiting(phase, [this](member_seen const& each) {
            return each.settled && each.trusted == seen_.bundle;
        });
    }

    template <class Confirms>
    rollover_move waiting(rollover_phase phase, Confirms confirms) const {
        auto m = move(kind::wait, phase);
        m.silent = seen_.silent;
        for (auto const& each : seen_.members)
            if (confirms(each))
                ++m.confirmed;
            else
                m.members.push_back({each.node, each.service, false});
        m.of = seen_.members.size();
        return m;
    }

    static bool is_open(rollover_move const& gate) {
        return gate.members.empty() && gate.silent.empty();
    }

    rollover_move retire() const {
        auto const old = of_dropped();
        std::vector<authority_seen> live;
        std::ranges::copy_if(old, std::back_inserter(live),
                             [](auto const& each) { return !each.retired; });
        if (!live.empty()) return change(kind::retire, std::move(live));
        if (auto gate = unconfirmed(rollover_phase::retire); !is_open(gate)) return gate;
        return change(kind::remove, old);
    }

    rollover_move change(kind what, std::vector<authority_seen> these) const {
        auto m = move(what, rollover_phase::retire);
        m.targets = std::move(these);
        m.of = m.confirmed = seen_.members.size();
        return m;
    }

    [[nodiscard]] std::vector<authority_seen> retired_of_kept() const {
        std::vector<authority_seen> all;
        for (auto const& each : seen_.authorities)
            if (each.root == keep_.serial && each.retired) all.push_back(each);
        return all;
    }

    /// Of the other roots: the intermediates, whose chain Vault knows as long as the root is beside
    /// them, then that, then the root itself, so that what an interrupted removal left is found.
    /// CAs of strangers stay.
    [[nodiscard]] std::vector<authority_seen> of_dropped() const {
        std::vector<authority_seen> all;
        for (auto const& root : roots_) {
            if (root.serial == keep_.serial) continue;
            for (auto const& each : seen_.authorities)
                if (each.root == root.serial && each.serial != root.serial) all.push_back(each);
            for (auto const& each : seen_.authorities)
                if (each.serial == root.serial && each != root) all.push_back(each);
            all.push_back(root);
        }
        return all;
    }

    /// The newest of the root that is kept.
    [[nodiscard]] authority_seen const* intermediate() const {
        authority_seen const* found = nullptr;
        for (auto const& each : seen_.authorities) {
            bool const fits = each.mount != seen_.root_mount && each.has_key &&
                              each.root == keep_.serial && each.serial != each.root;
            if (fits && (found == nullptr || each.since > found->since)) found = &each;
        }
        return found;
    }

    static rollover_move move(kind what, rollover_phase phase) {
        rollover_move m;
        m.what = what;
        m.phase = phase;
        return m;
    }

    static rollover_move refuse(rollover_phase phase, std::string why) {
        auto m = move(kind::refuse, phase);
        m.why = std::move(why);
        return m;
    }

    rollover_sight const& seen_;
    rollover_way way_;
    bool begin_;
    std::vector<authority_seen> roots_;
    authority_seen keep_;
};

std::string joined(std::vector<std::string> const& parts) {
    std::string all;
    for (auto const& each : parts)
        all += (all.empty() ? "" : ", ") + each;
    return all;
}

std::string named(authority_seen const& a) {
    return (a.name.empty() ? "serial " + a.serial.substr(0, 16) : a.name) + " in " + a.mount;
}

std::string targets_of(rollover_move const& m) {
    std::vector<std::string> parts;
    for (auto const& each : m.targets)
        parts.push_back(named(each));
    return joined(parts);
}

std::string members_of(rollover_move const& m) {
    std::vector<std::string> parts;
    for (auto const& each : m.members)
        parts.push_back(each.service + " on " + each.node);
    return joined(parts);
}

std::string waits_for(rollover_move const& m) {
    auto text =
        std::to_string(m.confirmed) + " of " + std::to_string(m.of) + " confirmed, waiting for ";
    text += members_of(m);
    if (m.silent.empty()) return text;
    return text + (m.members.empty() ? "" : ", and ") +
           "nodes that do not answer: " + joined(m.silent);
}

std::string what_of(rollover_move const& m) {
    switch (m.what) {
        case kind::make_root:
            return "make the root " + m.name;
        case kind::make_intermediate:
            return "make the intermediate " + m.name + " under " + targets_of(m);
        case kind::set_default:
            return std::to_string(m.confirmed) + " of " + std::to_string(m.of) +
                   " trust it; from now on these sign: " + targets_of(m);
        case kind::rotate:
            return std::to_string(m.confirmed) + " of " + std::to_string(m.of) +
                   " are rotated; next (" + std::string(name(m.in)) + "): " + members_of(m);
        case kind::retire:
            return std::to_string(m.confirmed) + " of " + std::to_string(m.of) +
                   " are of the new CA; nobody is to trust these any more: " + targets_of(m);
        case kind::restore:
            return "these are trusted again: " + targets_of(m);
        case kind::remove:
            return std::to_string(m.confirmed) + " of " + std::to_string(m.of) +
                   " trust it no more; delete " + targets_of(m);
        case kind::wait:
            return waits_for(m);
        case kind::refuse:
        case kind::done:
            return m.why;
    }
    return {};
}

}  // namespace

rollover_move next_move(rollover_sight const& seen, rollover_way way, bool begin) {
    return decision(seen, way, begin).take();
}

bool is_under_way(rollover_sight const& seen) {
    return roots_of(seen).size() > 1;
}

std::string explain(rollover_move const& m) {
    return std::string(name(m.phase)) + ": " + what_of(m);
}

std::string_view name(rollover_phase p) noexcept {
    switch (p) {
        case rollover_phase::prepare:
            return "prepare";
        case rollover_phase::distribute:
            return "distribute";
        case rollover_phase::activate:
            return "activate";
        case rollover_phase::rotate:
            return "rotate";
        case rollover_phase::gate:
            return "gate";
        case rollover_phase::retire:
            return "retire";
        case rollover_phase::done:
            return "done";
    }
    return "unknown";
}

std::string_view name(rollover_move::kind k) noexcept {
    switch (k) {
        case kind::make_root:
            return "make_root";
        case kind::make_intermediate:
            return "make_intermediate";
        case kind::set_default:
            return "set_default";
        case kind::rotate:
            return "rotate";
        case kind::retire:
            return "retire";
        case kind::restore:
            return "restore";
        case kind::remove:
            return "remove";
        case kind::wait:
            return "wait";
        case kind::refuse:
            return "refuse";
        case kind::done:
            return "done";
    }
    return "unknown";
}

}  // namespace bevmesh::certs
