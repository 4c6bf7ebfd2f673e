// `bevmesh certs ca rotate`: another CA, step by step, each seen in the whole mesh before the next.
//
// What is next is decided by certs/rollover.hpp from what there is; this looks, shows and does it.
// Talks to Vault itself, as the administrator whose token it is given, and to the daemon of this
// node, which asks the others.
#include <algorithm>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "certs/rollover.hpp"
#include "certs/x509.hpp"
#include "config/format.hpp"
#include "mesh/cli/block_on.hpp"
#include "mesh/cli/ca_operator.hpp"
#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/cli/rollover_view.hpp"
#include "mesh/cli/rotation.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"
#include "mesh/cli/vault_view.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/vault/bootstrap.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::cli {
namespace {

using certs::rollover_move;
using certs::rollover_phase;
using certs::rollover_sight;
using certs::rollover_way;
using nlohmann::json;
using kind = rollover_move::kind;

constexpr milliseconds look_each{250};
/// So often a step may be done again before it is said to be in vain: a server that lags behind
/// signs by the old CA for a moment.
constexpr unsigned repeats_max = 3;

struct arguments {
    operator_options who;
    std::string wait = "5m";
    std::string until = "done";
    bool abort = false;
    bool dry_run = false;
    bool yes = false;
};

class rollover {
public:
    rollover(boost::asio::io_context& loop, ca_operator const& who, settings const& how,
             milliseconds wait)
        : loop_(loop), authority_(*who.vault), mesh_(who.mesh), how_(how), wait_(wait) {}

    result<rollover_sight> look();
    result<void> carry_out(rollover_move const& move, session& run);

private:
    template <class T>
    T call(net::awaitable<T> operation) {
        return block_on(loop_, std::move(operation));
    }
    result<void> add_authorities(std::string const& mount, rollover_sight& into,
                                 std::vector<std::string>& trusted);
    result<void> make(rollover_move const& move);
    result<void> change(rollover_move const& move, certs::authority_seen const& target);
    result<void> rotate(rollover_move const& move, session& run);

    boost::asio::io_context& loop_;
    vault::authority& authority_;
    mesh_config const& mesh_;
    settings const& how_;
    milliseconds wait_;
    json answer_;  // of the daemon, of the last look
};

result<void> rollover::add_authorities(std::string const& mount, rollover_sight& into,
                                       std::vector<std::string>& trusted) {
    auto const found = call(authority_.issuers(mount));
    if (!found) return with_vault_hint(found.error());
    auto const signing = call(authority_.default_issuer(mount));
    if (!signing) return with_vault_hint(signing.error());
    for (auto const& each : *found) {
        auto const is = certs::read_leaf(each.certificate);
        if (!is) return is.error();
        certs::authority_seen seen;
        seen.mount = mount;
        seen.id = each.id;
        seen.name = each.name;
        seen.serial = is->serial;
        seen.since = is->not_before;
        seen.has_key = !each.key_id.empty();
        seen.is_default = each.id == *signing;
        seen.retired = each.name.starts_with(vault::retired_prefix);
        for (auto const& link : each.ca_chain)
            if (auto const root = certs::read_leaf(link); root && certs::is_root(link))
                seen.root = root->serial;
        if (!seen.retired) trusted.push_back(each.certificate);
        into.authorities.push_back(std::move(seen));
    }
    return {};
}

result<rollover_sight> rollover::look() {
    rollover_sight seen;
    std::vector<std::string> trusted;
    auto const& pki = mesh_.vault.pki;
    seen.root_mount = pki.root_mount;
    for (auto const& mount : {pki.root_mount, pki.mount})
        if (auto const added = add_authorities(mount, seen, trusted); !added) return added.error();
    auto hash = certs::bundle_hash(trusted);
    if (!hash) return hash.error();
    seen.bundle = std::move(*hash);
    auto answer = how_.daemon().get("/v1/certs/mesh");
    if (!answer) return answer.error();
    answer_ = std::move(*answer);
    seen.members = members_of(answer_);
    seen.silent = silent_of(answer_);
    return seen;
}

result<void> rollover::make(rollover_move const& move) {
    auto common_name = mesh_.name + " " + move.name;
    std::ranges::replace(common_name, '-', ' ');
    auto name = move.name;
    if (move.what == kind::make_root) {
        auto const made = call(authority_.rotate_root(common_name, name, vault::root_life));
        return made ? result<void>() : made.error();
    }
    auto root = move.targets.at(0).id;
    auto const made =
        call(authority_.new_intermediate(common_name, name, root, vault::intermediate_life));
    return made ? result<void>() : made.error();
}

result<void> rollover::change(rollover_move const& move, certs::authority_seen const& target) {
    switch (move.what) {
        case kind::set_default:
            return call(authority_.set_default_issuer(target.mount, target.id));
        case kind::retire:
            return call(authority_.retire_issuer(target.mount, target.id));
        case kind::restore:
            return call(authority_.restore_issuer(target.mount, target.id));
        case kind::remove:
            return call(authority_.delete_issuer(target.mount, target.id));
        default:
            return {};
    }
}

result<void> rollover::rotate(rollover_move const& move, session& run) {
    std::vector<json> before;
    for (auto const& each : move.members)
        before.push_back(
            find_certificate(answer_, {{"service", each.service}, {"node", each.node}}));
    auto const told = [&](std::size_t, json const& now, milliseconds) {
        run.io().err << "  " << name_of_certificate(now) << ": serial "
                     << printable(text_at(now, "serial").substr(0, 16)) << " is at the wire\n";
    };
    return rotate_all(how_, before, wait_, told);
}

result<void> rollover::carry_out(rollover_move const& move, session& run) {
    if (move.what == kind::rotate) return rotate(move, run);
    if (move.what == kind::make_root || move.what == kind::make_intermediate) {
        auto const made = make(move);
        return made ? made : with_vault_hint(made.error());
    }
    for (auto const& target : move.targets)
        if (auto const done = change(move, target); !done) return with_vault_hint(done.error());
    return {};
}

struct progress {
    std::string last;  // move that was told
    unsigned repeats = 0;
    std::optional<instant> waiting_since;
};

/// True: the rollover is over, for this time; the status is left.
bool is_over(session& run, rollover_move const& move, rollover_phase until, milliseconds wait,
             progress& so_far) {
    auto const text = explain(move);
    bool const again = text == so_far.last;
    if (!again) run.io().err << printable(text) << "\n";
    so_far.repeats = again ? so_far.repeats + 1 : 0;
    so_far.last = text;
    if (move.what == kind::refuse) {
        run.say(text);
        run.finish(exit_status::refused);
        return true;
    }
    if (move.what == kind::done || move.phase > until) return true;
    if (move.what != kind::wait) {
        so_far.waiting_since.reset();
        if (so_far.repeats < repeats_max) return false;
        run.fail({errc::remote_error, text + ": this changes nothing, however often it is done"});
        return true;
    }
    if (!so_far.waiting_since) so_far.waiting_since = net::now();
    if (net::now() - *so_far.waiting_since <= wait) return false;
    run.fail({errc::timed_out,
              text + "\nthe same command goes on from here, --abort goes back; `bevmesh certs "
                     "list` says what is wrong with a service"});
    return true;
}

void go(session& run, settings const& how, arguments const& args, rollover& work,
        rollover_sight seen, rollover_phase until, milliseconds wait) {
    auto const way = args.abort ? rollover_way::abort : rollover_way::forward;
    bool begin = way == rollover_way::forward && !is_under_way(seen);
    progress so_far;
    for (;;) {
        auto const move = next_move(seen, way, begin);
        if (is_over(run, move, until, wait, so_far)) {
            auto const value = to_json(seen, move);
            return run.show(how, value, [&](page const& on) { return draw_rollover(seen, on); });
        }
        begin = false;
        if (move.what == kind::wait) {
            pause_for(look_each);
        } else if (auto const done = work.carry_out(move, run); !done) {
            auto told = done.error();
            told.doing = explain(move) + ": " + told.doing +
                         "\nnothing is lost: the same command goes on from here, --abort goes back";
            return run.fail(told);
        }
        auto now = work.look();
        if (!now) return run.fail(now.error());
        seen = std::move(*now);
    }
}

std::optional<rollover_phase> phase_named(std::string const& text) {
    for (auto const each : {rollover_phase::prepare, rollover_phase::distribute,
                            rollover_phase::activate, rollover_phase::rotate, rollover_phase::gate,
                            rollover_phase::retire, rollover_phase::done})
        if (name(each) == text) return each;
    return std::nullopt;
}

char const* intention(arguments const& args, bool under_way) {
    if (args.abort) return "The old CA signs again, everywhere; then the new one is deleted.";
    return under_way ? "This goes on with the rollover that is under way."
                     : "This begins a rollover: another root and another intermediate.";
}

void rotate(session& run, settings const& how, arguments const& args) {
    auto const wait = config::parse_duration(args.wait);
    if (!wait)
        return run.fail({errc::bad_input, "ca rotate: --wait: no duration such as 30s or 2m"});
    auto const until = phase_named(args.until);
    if (!until || (args.abort && *until != rollover_phase::done))
        return run.fail({errc::bad_input,
                         "ca rotate: --until: expected prepare, distribute, activate, rotate, gate "
                         "or retire, and no --abort"});
    boost::asio::io_context loop(1);
    auto const who = open_ca(run, args.who, loop.get_executor());
    if (!who) return;
    rollover work(loop, *who, how, *wait);
    auto const seen = work.look();
    if (!seen) return run.fail(seen.error());
    bool const under_way = is_under_way(*seen);
    auto const way = args.abort ? rollover_way::abort : rollover_way::forward;
    auto const first = next_move(*seen, way, !under_way);
    run.io().err << draw_rollover(*seen, how.on) << intention(args, under_way) << " Next:\n"
                 << printable(explain(first)) << "\n";
    if (args.dry_run)
        return run.show(how, to_json(*seen, first), [](page const&) { return std::string(); });
    if (first.what != kind::done && first.what != kind::refuse && !run.agreed(args.yes)) return;
    go(run, how, args, work, *seen, *until, *wait);
}

char const* const footer =
    "Makes another root and intermediate, has every service on every node trust both, lets the "
    "new\n"
    "one sign, replaces every certificate in waves, and deletes the old CA once no certificate of\n"
    "it is left and nobody trusts it. Each step is seen in the whole mesh before the next; a node\n"
    "that does not answer holds it up. What is next is read from Vault and the mesh, so that the\n"
    "same command goes on where it was interrupted. --abort goes back, until the old CA is "
    "deleted.\n"
    "The token is an administrator's or one of the policy bevmesh-ca-operator; it is read from\n"
    "--token-file (mode 0600), else from VAULT_TOKEN.\n\n"
    "Exit status: 0 done, 2 a step failed, 4 a gate did not open in time, 5 refused for safety.\n\n"
    "Examples:\n"
    "  bevmesh certs ca rotate --dry-run\n"
    "  bevmesh certs ca rotate --until distribute --yes\n"
    "  bevmesh certs ca rotate --abort";

}  // namespace

void add_certs_ca_command(CLI::App& certs, session& run) {
    auto& ca = *certs.add_subcommand("ca", "The CA itself");
    ca.require_subcommand(1);
    auto& command = *ca.add_subcommand("rotate", "Another root and intermediate, without a gap");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    add_operator_options(command, args->who);
    command.add_option("--wait", args->wait, "So long for each gate, and for each certificate")
        ->type_name("DURATION")
        ->capture_default_str();
    command.add_option("--until", args->until, "Not beyond this step")->type_name("STEP");
    command.add_flag("--abort", args->abort, "Back to the old CA");
    command.add_flag("--dry-run", args->dry_run, "Only say where it is and what is next");
    command.add_flag("--yes,-y", args->yes, "Do not ask");
    add_common_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) rotate(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
