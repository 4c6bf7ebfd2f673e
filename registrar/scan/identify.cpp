#include "registrar/scan/identify.hpp"

#include <algorithm>
#include <set>

namespace bevmesh::registrar::scan {
namespace {

using endpoints = std::vector<endpoint const*>;

std::string joined(std::set<std::string> const& all) {
    std::string text;
    for (auto const& one : all)
        text += (text.empty() ? "" : ", ") + one;
    return text;
}

std::set<std::string> services_of(endpoints const& at) {
    std::set<std::string> names;
    for (auto const* e : at)
        names.insert(e->service);
    return names;
}

class identification {
public:
    identification(reference const& ref, inventory const& mesh)
        : ref_(ref), mesh_(mesh), here_(mesh.at(ref.what.host)), port_(ref.port) {
        where_ = mesh.node_of(ref.what.host);
        if (where_.empty()) where_ = ref.what.host;
    }

    verdict run() {
        if (here_.empty() && mesh_.node_of(ref_.what.host).empty())
            return unknown(ref_.what.name ? "no node has this name"
                                          : "no node and no service has this address");
        if (here_.empty()) return unknown("no service is known on " + where_);
        if (!port_) {
            port_ = port_of_scheme(ref_.what.scheme);
            implied_ = port_.has_value();
        }
        return port_ ? by_port() : by_words(here_, "no port, and ");
    }

private:
    verdict unknown(std::string reason, std::set<std::string> const& candidates = {}) const {
        return {
            confidence::unknown, "", "", {candidates.begin(), candidates.end()}, std::move(reason)};
    }

    [[nodiscard]] std::string said_port() const {
        auto const number = "port " + std::to_string(*port_);
        if (implied_) return ref_.what.scheme + ":// means " + number + ", which";
        return number + (ref_.port_key.empty() ? "" : " (" + ref_.port_key + ")");
    }

    verdict by_port() {
        endpoints same;
        for (auto const* e : here_)
            if (e->port == *port_) same.push_back(e);
        auto const names = services_of(same);
        if (names.empty()) return no_such_port();
        if (names.size() > 1) return by_words(same, said_port() + " is several services', and ");
        auto const& service = *names.begin();
        return settle(confidence::high, service, said_port() + " of " + where_ + " is " + service,
                      same.front());
    }

    /// The services of `among` that the nearest hint fits best; the nearest that fits any decides.
    [[nodiscard]] std::set<std::string> fitting(endpoints const& among, std::string& by) const {
        for (auto const& hint : ref_.hints) {
            unsigned best = 0;
            std::set<std::string> fit;
            for (auto const& service : services_of(among)) {
                auto const how_well = fits(hint, service);
                if (how_well == 0 || how_well < best) continue;
                if (how_well > best) fit.clear();
                best = how_well;
                fit.insert(service);
            }
            if (fit.empty()) continue;
            for (auto const& word : hint)
                by += (by.empty() ? "" : " ") + word;
            return fit;
        }
        return {};
    }

    verdict no_such_port() {
        std::string by;
        auto const fit = fitting(here_, by);
        std::set<std::string> ports;
        for (auto const* e : here_)
            if (fit.contains(e->service)) ports.insert(std::to_string(e->port));
        auto reason = where_ + " has no service on port " + std::to_string(*port_) +
                      (implied_ ? " (" + ref_.what.scheme + "://)" : "");
        if (!fit.empty()) reason += "; " + joined(fit) + " has " + joined(ports) + " there";
        return unknown(std::move(reason), fit);
    }

    verdict by_words(endpoints const& among, std::string const& why) {
        std::string by;
        auto const fit = fitting(among, by);
        auto const all = services_of(among);
        if (fit.size() == 1) {
            auto const& service = *fit.begin();
            auto const* first = *std::ranges::find(among, service, &endpoint::service);
            return settle(
                confidence::medium, service,
                why + "of the services of " + where_ + " only " + service + " fits \"" + by + "\"",
                first);
        }
        if (fit.size() > 1) return unknown(why + "several fit \"" + by + "\"", fit);
        return unknown(why + "nothing says which service of " + where_ + " is meant", all);
    }

    [[nodiscard]] bool contradicts(std::string_view service) const {
        auto const wanted = family_of(ref_.what.scheme.substr(0, ref_.what.scheme.find('+')));
        auto const is = family_of_service(service);
        return !wanted.empty() && !is.empty() && wanted != is;
    }

    /// The name reaches every healthy instance: all of them must be what is referred to.
    verdict settle(confidence sure, std::string const& service, std::string reason,
                   endpoint const* found) const {
        std::set<std::string> nodes, deaf;
        bool live = false;
        auto const all = mesh_.of(service);
        for (auto const* e : all) {
            nodes.insert(e->node);
            live = live || e->live;
            bool const hears = !port_ || std::ranges::any_of(all, [&](auto const* other) {
                return other->address == e->address && other->port == *port_;
            });
            if (!hears) deaf.insert(e->node);
        }
        verdict made{sure, service, mesh_.name_of(service), {}, std::move(reason)};
        if (nodes.size() > 1)
            made.reason += "; the name reaches whichever is healthy of " + joined(nodes);
        if (mesh_.has_catalog() && !live) {
            made.sure = confidence::low;
            made.reason += "; it is not in the catalog, so the name does not resolve now";
        } else if (mesh_.has_catalog() && !found->live) {
            made.sure = std::min(sure, confidence::medium);
            made.reason += "; it is not there now but elsewhere";
        }
        if (contradicts(service)) {
            made.sure = confidence::low;
            made.reason += "; " + ref_.what.scheme + ":// says otherwise";
        }
        if (!deaf.empty()) {
            made.sure = confidence::low;
            made.name.clear();
            made.reason +=
                "; the name also reaches " + joined(deaf) + ", where the port is another";
        }
        if (made.name.empty() && deaf.empty()) {
            made.sure = confidence::low;
            made.reason += "; its name cannot stand in DNS";
        }
        return made;
    }

    reference const& ref_;
    inventory const& mesh_;
    endpoints here_;
    std::optional<std::uint16_t> port_;
    bool implied_ = false;  // by the scheme
    std::string where_;
};

}  // namespace

std::string_view name(confidence c) noexcept {
    switch (c) {
        case confidence::low:
            return "low";
        case confidence::medium:
            return "medium";
        case confidence::high:
            return "high";
        default:
            return "unknown";
    }
}

verdict identify(reference const& ref, inventory const& mesh) {
    return identification(ref, mesh).run();
}

}  // namespace bevmesh::registrar::scan
