// `bevmesh consul bootstrap`: looks, plans, shows, asks, does.
//
// Talks to Consul itself: it is what makes the tokens without which no daemon can.
#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <random>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/consul/policies.hpp"
#include "config/loader.hpp"
#include "mesh/cli/block_on.hpp"
#include "mesh/cli/bootstrap_view.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/secret_files.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/token_files.hpp"
#include "mesh/consul/acl_client.hpp"

namespace bevmesh::cli {
namespace {

using consul::acl_trouble;

struct arguments {
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    std::string address;
    std::string token_file;
    std::string out;
    bool init = false;
    bool dry_run = false;
    bool yes = false;
};

/// A version 4 UUID (RFC 9562), which is what Consul wants of a secret.
secret random_uuid() {
    std::random_device source;
    std::string text;
    for (char const c : std::string_view("xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx")) {
        constexpr std::string_view digits = "0123456789abcdef";
        auto const random = source() & 15U;
        text += c == 'x' ? digits[random] : c == 'y' ? digits[8U | (random & 3U)] : c;
    }
    return secret(std::move(text));
}

/// What the daemon may, with what it needs to tell the agent of another certificate.
std::string daemon_rules(mesh_config const& mesh) {
    std::string rules(config::shipped_daemon_policy());
    if (mesh.consul.tls.recipe == "consul") rules += config::shipped_reload_policy();
    return rules;
}

class bootstrapper {
public:
    bootstrapper(arguments const& args, mesh_config const& mesh) : files_(args.out), mesh_(mesh) {
        for (auto const& [node, _] : mesh.nodes)
            nodes_.push_back(node);
    }

    result<void> connect(arguments const& args, session& run) {
        auto settings = mesh_.consul;
        if (!args.address.empty()) settings.address = args.address;
        auto as = consul::identity::make(settings, mesh_.state_dir,
                                         [&run](bool well, std::string const& how) {
                                             if (!well) run.say("Consul is asked " + how);
                                         });
        if (!as) return as.error();
        auto made =
            consul::make_acl_client(loop_.get_executor(), settings, std::move(*as), secret());
        if (!made) return made.error();
        client_ = std::move(*made);
        return {};
    }

    /// The management token, from where the arguments say, or made (`init`).
    result<void> authenticate(arguments const& args, session& run);
    result<consul::bootstrap_plan> look();
    result<void> apply(consul::bootstrap_plan const& plan, session& run);

    [[nodiscard]] failure explained(failure f) const {
        return with_acl_hint(std::move(f), to_string(client_->peer()));
    }

private:
    template <class T>
    T call(net::awaitable<T> operation) {
        return block_on(loop_, std::move(operation));
    }
    struct presented {
        secret token;
        bool ours = false;  // of the file that --init makes
    };
    result<presented> given_token(arguments const& args) const;
    result<secret> make_management(session& run);
    result<std::map<consul::token_slot, consul::acl_token>> look_at_files();

    boost::asio::io_context loop_{1};
    std::unique_ptr<consul::acl_client> client_;
    token_files files_;
    mesh_config const& mesh_;
    std::vector<std::string> nodes_;
};

result<bootstrapper::presented> bootstrapper::given_token(arguments const& args) const {
    if (!args.token_file.empty()) {
        auto token = read_secret(args.token_file);
        if (!token) return token.error();
        if (token->empty())
            return failure{errc::local_error, args.token_file + ": there is no token in it"};
        return presented{std::move(*token), false};
    }
    auto const* const from_environment = std::getenv("CONSUL_HTTP_TOKEN");
    if (from_environment != nullptr && *from_environment != '\0')
        return presented{secret(from_environment), false};
    auto token = files_.management();
    if (!token) return token.error();
    return presented{std::move(*token), true};
}

/// The secret is in its file before Consul knows it: an interruption in between loses nothing, the
/// next run tries the same one.
result<secret> bootstrapper::make_management(session& run) {
    auto chosen = random_uuid();
    if (auto const kept = files_.write_management(chosen); !kept) return kept.error();
    auto const made = call(client_->bootstrap(chosen));
    if (made) {
        run.io().err << "The ACL system is bootstrapped; the management token is in "
                     << files_.management_path() << "\n";
        return chosen;
    }
    // Without an answer it may have happened.
    bool const refused = made.error().code == errc::forbidden;
    if (refused) files_.remove_management();
    return made.error();
}

result<void> bootstrapper::authenticate(arguments const& args, session& run) {
    auto given = given_token(args);
    if (!given) return given.error();
    auto& [token, ours] = *given;
    if (token.empty() && !args.init)
        return failure{errc::bad_input,
                       "no management token: --token-file FILE, or CONSUL_HTTP_TOKEN; for a "
                       "cluster that never had one, --init"};
    if (token.empty()) {
        auto made = make_management(run);
        if (!made) return explained(made.error());
        token = std::move(*made);
    }
    auto known = call(client_->token_of(token));
    bool const interrupted = !known && args.init && ours &&
                             consul::classify(known.error()) == acl_trouble::unknown_token;
    if (interrupted) known = call(client_->bootstrap(token));
    if (!known) return explained(known.error());
    client_->set_management(std::move(token));
    return {};
}

result<std::map<consul::token_slot, consul::acl_token>> bootstrapper::look_at_files() {
    auto const secrets = files_.read(nodes_);
    if (!secrets) return secrets.error();
    std::map<consul::token_slot, consul::acl_token> found;
    for (auto const& [slot, text] : *secrets) {
        auto is = call(client_->token_of(text));
        if (!is && consul::classify(is.error()) != acl_trouble::unknown_token)
            return explained(is.error());
        found.emplace(slot, is ? std::move(*is) : consul::acl_token());
    }
    return found;
}

result<consul::bootstrap_plan> bootstrapper::look() {
    consul::acl_facts facts;
    auto const listed = call(client_->policies());
    if (!listed) return explained(listed.error());
    for (auto const& name : consul::policy_names(nodes_)) {
        auto const found = std::ranges::find(*listed, name, &consul::acl_policy::name);
        if (found == listed->end()) continue;
        auto whole = call(client_->policy(found->id));
        if (!whole) return explained(whole.error());
        facts.policies.emplace(name, std::move(*whole));
    }
    auto tokens = call(client_->tokens());
    if (!tokens) return explained(tokens.error());
    facts.tokens = std::move(*tokens);
    auto files = look_at_files();
    if (!files) return files.error();
    facts.files = std::move(*files);
    consul::policy_templates const shipped{std::string(config::shipped_agent_policy()),
                                           daemon_rules(mesh_),
                                           std::string(config::shipped_dns_policy())};
    return consul::plan_bootstrap(nodes_, shipped, facts);
}

result<void> bootstrapper::apply(consul::bootstrap_plan const& plan, session& run) {
    for (auto const& step : plan.policies) {
        if (step.what == step_kind::unchanged) continue;
        auto const done = call(client_->put_policy(step.wanted));
        if (!done) return explained(done.error());
    }
    for (auto const& step : plan.tokens) {
        if (step.what == step_kind::unchanged) continue;
        auto const made = call(client_->put_token(step.wanted));
        if (!made) return explained(made.error());
        if (auto const kept = files_.write(step.slot, made->secret_id); !kept) {
            run.say("token " + made->accessor +
                    " is made, and cannot be written; the next run "
                    "does it");
            return kept.error();
        }
    }
    return {};
}

void show_done(session& run, settings const& how, arguments const& args,
               consul::bootstrap_plan const& plan, mesh_config const& mesh, bool applied) {
    auto value = consul::to_json(plan);
    value["applied"] = applied;
    run.show(how, value, [&](page const& on) {
        if (plan.changes() == 0)
            return draw_plan(plan, on) +
                   "Nothing to change: policies, tokens and files are as "
                   "they should be.\n";
        if (!applied) return draw_plan(plan, on);
        return std::to_string(plan.changes()) +
               (plan.changes() == 1 ? " change made.\n" : " changes made.\n") +
               next_steps(args.out, mesh.consul.token_file);
    });
}

void bootstrap(session& run, settings const& how, arguments const& args) {
    auto const loaded = config::load_file(args.config_file);
    for (auto const& problem : loaded.problems)
        run.io().err << config::to_string(problem) << "\n";
    if (!loaded.problems.empty()) return run.finish(exit_status::local_error);
    auto const& mesh = loaded.value;
    bootstrapper work(args, mesh);
    if (auto const ready = work.connect(args, run); !ready) return run.fail(ready.error());
    if (auto const known = work.authenticate(args, run); !known) {
        run.fail(known.error());
        if (consul::classify(known.error()) == acl_trouble::bootstrapped)
            run.finish(exit_status::refused);
        return;
    }
    auto const plan = work.look();
    if (!plan) return run.fail(plan.error());
    if (plan->refused()) {
        run.io().err << draw_plan(*plan, how.on);
        run.say("nothing was done");
        return run.finish(exit_status::refused);
    }
    if (plan->changes() == 0 || args.dry_run) return show_done(run, how, args, *plan, mesh, false);
    run.io().err << draw_plan(*plan, how.on);
    if (!run.agreed(args.yes)) return;
    if (auto const done = work.apply(*plan, run); !done) return run.fail(done.error());
    show_done(run, how, args, *plan, mesh, true);
}

char const* const footer =
    "Makes what is shipped in config/consul: for each node of the configuration a policy and a\n"
    "token for its daemon and for its Consul agent, and a token that may only read, for DNS. It\n"
    "can be run again: what is as it should be stays, what has drifted is shown and mended.\n"
    "The management token is read from --token-file, else from CONSUL_HTTP_TOKEN, else from\n"
    "DIR/management.token. No secret is printed.\n\n"
    "Examples:\n"
    "  bevmesh consul bootstrap --init --out tokens\n"
    "  bevmesh consul bootstrap --token-file management.token --out tokens --dry-run\n"
    "  bevmesh consul bootstrap --token-file management.token --out tokens --yes";

}  // namespace

void add_consul_command(CLI::App& app, session& run) {
    auto& consul = *app.add_subcommand("consul", "What Consul needs for a mesh");
    consul.require_subcommand(1);
    auto& command =
        *consul.add_subcommand("bootstrap", "Make the policies and tokens of the nodes");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("--config,-c", args->config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    command.add_option("--address", args->address, "Consul's HTTP API; else the configuration's")
        ->type_name("HOST:PORT");
    command.add_option("--token-file", args->token_file, "Where the management token is")
        ->type_name("FILE");
    command.add_option("--out", args->out, "Where the tokens go, a directory for each node")
        ->type_name("DIR")
        ->required();
    command.add_flag("--init", args->init,
                     "Bootstrap the ACL system of a new cluster first, if it was not");
    command.add_flag("--dry-run", args->dry_run, "Only show what would be done");
    command.add_flag("--yes,-y", args->yes, "Do it without asking");
    add_output_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) bootstrap(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
