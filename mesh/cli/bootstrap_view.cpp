#include "mesh/cli/bootstrap_view.hpp"

#include "mesh/cli/plan_view.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {

std::string draw_plan(consul::bootstrap_plan const& plan, page const& on) {
    std::string drawn;
    std::size_t policies_kept = 0;
    std::size_t tokens_kept = 0;
    for (auto const& step : plan.policies) {
        policies_kept += static_cast<std::size_t>(step.what == step_kind::unchanged);
        if (step.what == step_kind::unchanged) continue;
        drawn += headline(step.what,
                          "policy " + step.wanted.name + ": " + std::string(name(step.what)), on);
        drawn += draw_diff(step.diff, on);
    }
    for (auto const& step : plan.tokens) {
        tokens_kept += static_cast<std::size_t>(step.what == step_kind::unchanged);
        if (step.what == step_kind::unchanged) continue;
        auto text = "token of the " + std::string(name(step.slot.role)) + " on " + step.slot.node +
                    ", with " + step.wanted.policies.front() + ": " + std::string(name(step.what));
        if (!step.why.empty()) text += " (" + step.why + ")";
        drawn += headline(step.what, text, on);
    }
    if (policies_kept + tokens_kept > 0)
        drawn += headline(step_kind::unchanged,
                          counted(policies_kept, "policy", "policies") + " and " +
                              counted(tokens_kept, "token", "tokens") + " stay as they are",
                          on);
    for (auto const& note : plan.notes)
        drawn += "  note: " + printable(note) + "\n";
    return drawn;
}

failure with_acl_hint(failure f, std::string const& address) {
    using consul::acl_trouble;
    switch (consul::classify(f)) {
        case acl_trouble::disabled:
            f.doing +=
                "\nthis agent runs without ACLs: every server needs acl { enabled = true, "
                "default_policy = \"deny\" } (config/consul/server.hcl) and a restart; then --init";
            break;
        case acl_trouble::bootstrapped:
            f.doing +=
                "\nthis cluster has a management token already; give it with --token-file, "
                "or reset it as Consul's \"ACL Bootstrap Reset\" describes";
            break;
        case acl_trouble::unknown_token:
            f.doing += "\nConsul does not know this token; a cluster that never had one: --init";
            break;
        case acl_trouble::denied:
            f.doing += "\nthe token needs acl = \"write\": a management token has it";
            break;
        case acl_trouble::no_leader:
            f.doing +=
                "\nConsul has no leader, so nothing can be written: `consul operator raft "
                "list-peers`, and the logs of its servers";
            break;
        case acl_trouble::other:
            if (f.code == errc::unreachable || f.code == errc::timed_out)
                f.doing += "\nis Consul's agent running at " + address +
                           "? --address names another, as the configuration's consul.address does";
            break;
    }
    return f;
}

std::string next_steps(std::string const& directory, std::string const& token_file) {
    return "Each node gets its own of " + directory + "/NODE:\n  consul.token     to " +
           (token_file.empty() ? std::string("/etc/bevmesh/consul.token") : token_file) +
           " (mode 0600); then `systemctl reload bevmesh`\n"
           "  acl-tokens.json  to the agent's /etc/consul.d (for Consul's user, mode 0600); then "
           "`consul reload`\n";
}

}  // namespace bevmesh::cli
