// The rules for failover groups: members, names, and the protocol's inequalities.
#include <algorithm>
#include <set>

#include "config/findings.hpp"
#include "config/format.hpp"
#include "config/validate.hpp"
#include "failover/configured.hpp"

namespace bevmesh::config {
namespace {

class group_rules {
public:
    group_rules(mesh_config const& config, failover_group_config const& group, findings& found)
        : config_(config), group_(group), found_(found), base_(join("failover", group.name)) {}

    void check() {
        check_members();
        check_names();
        check_places();
        check_files();
        check_timing();
    }

private:
    [[nodiscard]] bool is_member(std::string const& node) const {
        return std::ranges::find(group_.members, node) != group_.members.end();
    }

    void check_members() {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < group_.members.size(); ++i) {
            auto const path = join(join(base_, "members"), i);
            check_node_name(group_.members[i], path, config_, found_);
            if (!seen.insert(group_.members[i]).second)
                found_.report(path, in_quotes(group_.members[i]) + " is there twice",
                              "each node once");
        }
        auto const must_be_member = [&](std::string const& node, std::string const& path) {
            if (!is_member(node) && !found_.where().damaged_below(join(base_, "members")))
                found_.report(
                    path, in_quotes(node) + " is no member" + did_you_mean(node, group_.members),
                    "one of the group's members");
        };
        if (!group_.preferred.empty()) must_be_member(group_.preferred, join(base_, "preferred"));
        for (auto const& [node, member] : group_.on)
            must_be_member(node, join(join(base_, "on"), node));
        if (config_.tls.certificate.empty() && config_.vault.addresses.empty())
            found_.report(base_,
                          "needs `vault` or `tls`, and neither is there: members ask each other",
                          "vault: with addresses, or tls: with certificate, key and ca");
    }

    // GROUP-primary and GROUP-replica are names of services.
    void check_names() {
        if (!formats::label.accepts(group_.name)) return;
        for (auto const* suffix : {"-primary", "-replica"}) {
            auto const name = group_.name + suffix;
            if (!formats::label.accepts(name))
                found_.report(base_, in_quotes(name) + " would be the name of a service",
                              std::string(formats::label.expected));
            auto const same = [&](service_config const& s) { return s.name == name; };
            if (std::ranges::any_of(config_.services, same))
                found_.report(
                    join("services", name),
                    "is the name under which failover group " + group_.name + " is announced",
                    "another name");
        }
    }

    [[nodiscard]] bool each_has_a_place() const {
        return std::ranges::all_of(group_.members, [&](std::string const& node) {
            auto const own = group_.on.find(node);
            return own != group_.on.end() &&
                   !(own->second.container.empty() && own->second.unit.empty());
        });
    }

    void check_places() {
        if (!group_.container.empty() && !group_.unit.empty())
            found_.report(join(base_, "unit"), "stands beside `container`", "one of both");
        if (group_.container.empty() && group_.unit.empty() && !each_has_a_place())
            found_.report(base_, "does not say which container or unit it is",
                          "`container` or `unit`, or a service " + group_.name +
                              " with `match: {container: ...}`");
        for (auto const& [node, member] : group_.on)
            if (!member.container.empty() && !member.unit.empty())
                found_.report(join(join(join(base_, "on"), node), "unit"),
                              "stands beside `container`", "one of both");
        for (auto const& other : config_.failover) {
            if (&other == &group_) break;
            for (auto const& node : group_.members) {
                if (std::ranges::find(other.members, node) == other.members.end()) continue;
                auto const ours = failover::placement_of(group_, node);
                auto const theirs = failover::placement_of(other, node);
                if (ours.port != theirs.port || ours.address != theirs.address) continue;
                return found_.report(join(base_, "port"),
                                     std::to_string(ours.port) + " on " + node +
                                         " is the database of group " + other.name,
                                     "a port of its own for each group");
            }
        }
    }

    void check_files() {
        auto const& tls = group_.tls;
        if (tls.cert_file.empty() != tls.key_file.empty())
            found_.report(
                join(join(base_, "tls"), tls.cert_file.empty() ? "key_file" : "cert_file"),
                "stands alone", "cert_file and key_file together");
        if (!tls.enabled && tls != failover_tls_config())
            found_.report(join(base_, "tls"), "has no use: `enabled` is not true", "enabled: true");
        if (!group_.user.empty() && group_.password_file.empty() && tls.cert_file.empty())
            found_.report(join(base_, "user"), "has no password",
                          "password_file, or a certificate in tls");
    }

    void check_timing() {
        // With a member twice or none at all the sentence would be about that.
        if (group_.members.empty() || !is_sane()) return;
        auto const made = failover::policy_of(group_, group_.members.front());
        if (made) return;
        auto const own = group_.timing != failover_timing_config();
        found_.report(join(base_, own ? "timing" : "profile"), made.error().doing,
                      "durations that keep two primaries apart");
    }
    [[nodiscard]] bool is_sane() const {
        std::set<std::string> const distinct(group_.members.begin(), group_.members.end());
        return distinct.size() == group_.members.size();
    }

    mesh_config const& config_;
    failover_group_config const& group_;
    findings& found_;
    std::string base_;
};

}  // namespace

void check_failover(mesh_config const& config, findings& found) {
    for (auto const& group : config.failover)
        group_rules(config, group, found).check();
}

}  // namespace bevmesh::config
