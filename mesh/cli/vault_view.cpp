#include "mesh/cli/vault_view.hpp"

#include "mesh/cli/plan_view.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {

std::string draw_plan(vault::setup_plan const& plan, page const& on) {
    std::string drawn;
    std::size_t kept = 0;
    for (auto const& step : plan.steps) {
        if (step.what == step_kind::unchanged) {
            ++kept;
            continue;
        }
        auto text = step.label + ": " + std::string(name(step.what));
        if (!step.why.empty()) text += " (" + step.why + ")";
        drawn += headline(step.what, printable(text), on);
        drawn += draw_diff(step.diff, on);
    }
    if (kept > 0)
        drawn += headline(step_kind::unchanged,
                          counted(kept, "thing stays", "things stay") + " as " +
                              (kept == 1 ? "it is" : "they are"),
                          on);
    for (auto const& note : plan.notes)
        drawn += "  note: " + printable(note) + "\n";
    return drawn;
}

failure with_vault_hint(failure f) {
    auto const says = [&f](char const* words) { return f.doing.find(words) != std::string::npos; };
    if (says("Vault is sealed"))
        f.doing +=
            "\nunseal its servers first, `bao operator unseal`; a new one is initialized before "
            "that, `bao operator init`";
    else if (f.code == errc::forbidden)
        f.doing += "\nthe token must be an administrator's: mounts, policies and roles are written";
    else if (f.code == errc::unreachable || f.code == errc::timed_out)
        f.doing += "\nare Vault's servers running where vault.addresses says?";
    return f;
}

std::string vault_next_steps(std::string const& directory, approle_config const& settings,
                             bool wrapped) {
    return "Each node gets its own of " + directory + "/NODE (mode 0600):\n  vault.role-id    to " +
           settings.role_id_file + "\n" +
           (wrapped ? "  vault.wrapped    to " + (settings.wrapped_secret_id_file.empty()
                                                      ? "vault.auth.approle.wrapped_secret_id_file"
                                                      : settings.wrapped_secret_id_file)
                    : "  vault.secret-id  to " + settings.secret_id_file) +
           "\nthen `systemctl restart bevmesh`. From then on the node makes its own secret IDs.\n";
}

}  // namespace bevmesh::cli
