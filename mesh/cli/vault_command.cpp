// `bevmesh vault bootstrap`: looks, plans, shows, asks, does.
//
// Talks to Vault itself, as the administrator whose token it is given.
#include <ostream>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/loader.hpp"
#include "config/vault/policies.hpp"
#include "mesh/cli/admin_token.hpp"
#include "mesh/cli/block_on.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/cli/secret_files.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/vault_view.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/vault/admin.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::cli {
namespace {

constexpr milliseconds ready_limit{10'000};
constexpr milliseconds ready_look{200};

struct arguments {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string token_file;
    std::string out;
    std::vector<std::string> renew;
    unsigned wrap_minutes = 0;
    bool dry_run = false;
    bool yes = false;
};

class setup {
public:
    setup(arguments const& args, mesh_config const& mesh) : args_(args), mesh_(mesh) {}

    result<void> connect(secret const& token) {
        auto made = vault::make_admin(loop_.get_executor(), mesh_.vault, token);
        if (!made) return made.error();
        admin_ = std::move(*made);
        auto authority = vault::make_authority(loop_.get_executor(), mesh_.vault, token);
        if (!authority) return authority.error();
        authority_ = std::move(*authority);
        auto const known = call(admin_->self());
        if (!known) return known.error();
        return {};
    }
    result<vault::setup_plan> look();
    result<void> apply(vault::setup_plan const& plan, session& run);

private:
    template <class T>
    T call(net::awaitable<T> operation) {
        return block_on(loop_, std::move(operation));
    }
    result<void> apply(vault::setup_step const& step);
    result<void> write(vault::setup_step const& step);
    result<void> hand_out(vault::setup_step const& step);

    boost::asio::io_context loop_{1};
    std::unique_ptr<vault::admin> admin_;
    std::unique_ptr<vault::authority> authority_;
    arguments const& args_;
    mesh_config const& mesh_;
};

result<vault::setup_plan> setup::look() {
    // Before anything is made in Vault, that then had no place.
    if (auto const ours = check_directory(args_.out); !ours) return ours.error();
    vault::setup_facts facts;
    for (auto const& path : vault::documents_of(mesh_)) {
        auto found = call(admin_->read(path));
        if (!found) return found.error();
        if (*found) facts.documents.emplace(path, std::move(**found));
    }
    std::set<std::string> const renew(args_.renew.begin(), args_.renew.end());
    vault::policy_templates const shipped{std::string(config::shipped_vault_node_policy()),
                                          std::string(config::shipped_vault_secret_policy()),
                                          std::string(config::shipped_vault_ca_operator_policy())};
    auto const first = vault::plan_setup(mesh_, shipped, facts, renew);
    for (auto const& step : first.steps) {
        if (step.how != vault::setup_call::credentials || !facts.documents.contains(step.path))
            continue;
        auto const count = call(admin_->count_secret_ids(step.path));
        if (!count) return count.error();
        facts.secret_ids[step.node] = *count;
    }
    return vault::plan_setup(mesh_, shipped, facts, renew);
}

/// The role's ID first: without it a secret ID is of no use.
result<void> setup::hand_out(vault::setup_step const& step) {
    auto const document = call(admin_->read(step.path + "/role-id"));
    if (!document) return document.error();
    if (!*document || !(*document)->contains("role_id"))
        return failure{errc::bad_answer, step.path + ": it has no role ID"};
    auto const directory = args_.out + "/" + step.node;
    auto const role_id = (*document)->at("role_id").get<std::string>();
    auto kept = write_secret(args_.out, directory + "/vault.role-id", secret(role_id + "\n"));
    if (!kept) return kept;
    auto const made = call(admin_->make_secret_id(step.path, seconds(args_.wrap_minutes * 60)));
    if (!made) return made.error();
    auto const* const name = args_.wrap_minutes > 0 ? "/vault.wrapped" : "/vault.secret-id";
    return write_secret(args_.out, directory + name, secret(std::string(made->reveal()) + "\n"));
}

/// A KV 2 engine takes nothing for a moment after it was mounted, and a cluster while it elects.
result<void> setup::write(vault::setup_step const& step) {
    auto const begun = net::now();
    for (;;) {
        auto done = call(admin_->write(step.method, step.path, step.body));
        if (done || done.error().code != errc::remote_error || net::now() - begun > ready_limit)
            return done;
        pause_for(ready_look);
    }
}

result<void> setup::apply(vault::setup_step const& step) {
    auto const text = [&step](char const* key) { return step.body.at(key).get<std::string>(); };
    switch (step.how) {
        case vault::setup_call::write:
            return write(step);
        case vault::setup_call::credentials:
            return hand_out(step);
        case vault::setup_call::root: {
            seconds const ttl(step.body.at("ttl").get<std::int64_t>());
            auto const made =
                call(authority_->rotate_root(text("common_name"), text("issuer_name"), ttl));
            if (!made) return made.error();
            return {};
        }
        case vault::setup_call::intermediate: {
            seconds const ttl(step.body.at("ttl").get<std::int64_t>());
            auto const made = call(
                authority_->new_intermediate(text("common_name"), text("issuer_name"), "", ttl));
            if (!made) return made.error();
            return {};
        }
    }
    return {};
}

result<void> setup::apply(vault::setup_plan const& plan, session& run) {
    for (auto const& step : plan.steps) {
        if (step.what == step_kind::unchanged) continue;
        if (auto done = apply(step); !done) {
            run.say("stopped at " + step.label + "; the next run goes on from there");
            return done;
        }
    }
    return {};
}

void show_done(session& run, settings const& how, arguments const& args,
               vault::setup_plan const& plan, mesh_config const& mesh, bool applied) {
    auto value = vault::to_json(plan);
    value["applied"] = applied;
    run.show(how, value, [&](page const& on) {
        if (plan.changes() == 0)
            return draw_plan(plan, on) + "Nothing to change: Vault has what the mesh needs.\n";
        if (!applied) return draw_plan(plan, on);
        return std::to_string(plan.changes()) +
               (plan.changes() == 1 ? " change made.\n" : " changes made.\n") +
               vault_next_steps(args.out, mesh.vault.approle, args.wrap_minutes > 0);
    });
}

/// What can be said before Vault is asked.
result<void> check(arguments const& args, mesh_config const& mesh) {
    if (mesh.vault.addresses.empty())
        return failure{errc::bad_input,
                       args.config_file + ": vault: is not there; expected vault.addresses"};
    for (auto const& node : args.renew)
        if (!mesh.nodes.contains(node))
            return failure{errc::bad_input, "--renew " + node + ": is no node of this mesh"};
    return {};
}

void bootstrap(session& run, settings const& how, arguments const& args) {
    auto const loaded = config::load_file(args.config_file);
    for (auto const& problem : loaded.problems)
        run.io().err << config::to_string(problem) << "\n";
    if (!loaded.problems.empty()) return run.finish(exit_status::local_error);
    auto const& mesh = loaded.value;
    if (auto const good = check(args, mesh); !good) return run.fail(good.error());
    auto const token = admin_token(args.token_file);
    if (!token) return run.fail(token.error());
    setup work(args, mesh);
    if (auto const ready = work.connect(*token); !ready)
        return run.fail(with_vault_hint(ready.error()));
    auto const plan = work.look();
    if (!plan) return run.fail(with_vault_hint(plan.error()));
    if (plan->refused()) {
        run.io().err << draw_plan(*plan, how.on);
        run.say("nothing was done");
        return run.finish(exit_status::refused);
    }
    if (plan->changes() == 0 || args.dry_run) return show_done(run, how, args, *plan, mesh, false);
    run.io().err << draw_plan(*plan, how.on);
    if (!run.agreed(args.yes)) return;
    if (auto const done = work.apply(*plan, run); !done)
        return run.fail(with_vault_hint(done.error()));
    show_done(run, how, args, *plan, mesh, true);
}

char const* const footer =
    "Makes what the mesh needs of Vault or OpenBao: a root and an intermediate CA, for each node "
    "a\n"
    "PKI role for names of its own, an AppRole and the policies of config/vault, and the paths of\n"
    "the mesh's secrets, empty. It can be run again: what is as it should be stays, what has\n"
    "drifted is shown and mended. Each node's first secret ID goes to a file of DIR; it makes its\n"
    "next ones itself. The token is read from --token-file (mode 0600), else from VAULT_TOKEN. No\n"
    "secret is printed.\n\n"
    "Examples:\n"
    "  bevmesh vault bootstrap --token-file admin.token --out credentials --dry-run\n"
    "  bevmesh vault bootstrap --token-file admin.token --out credentials --yes\n"
    "  bevmesh vault bootstrap --out credentials --renew oracle1 --wrap 60";

}  // namespace

void add_vault_command(CLI::App& app, session& run) {
    auto& vault = *app.add_subcommand("vault", "What Vault needs for a mesh");
    vault.require_subcommand(1);
    auto& command = *vault.add_subcommand("bootstrap", "Make CA, roles, policies and logins");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("--config,-c", args->config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    command.add_option("--token-file", args->token_file, "Where an administrator's token is")
        ->type_name("FILE");
    command.add_option("--out", args->out, "Where the nodes' credentials go, a directory for each")
        ->type_name("DIR")
        ->required();
    command.add_option("--renew", args->renew, "Give this node another secret ID")
        ->type_name("NODE");
    command
        .add_option("--wrap", args->wrap_minutes,
                    "Hand secret IDs out wrapped: to be unwrapped once, within so many minutes")
        ->type_name("MINUTES")
        ->check(CLI::Range(1U, 10'080U));
    command.add_flag("--dry-run", args->dry_run, "Only show what would be done");
    command.add_flag("--yes,-y", args->yes, "Do it without asking");
    add_output_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) bootstrap(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
