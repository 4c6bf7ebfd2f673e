// `bevmesh certs`: the services' certificates of the whole mesh, whom they trust, and another
// one for them now.
#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "certs/waves.hpp"
#include "config/format.hpp"
#include "failover/orders.hpp"
#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/rotation.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

struct arguments {
    certs_filter filter;
    bool all = false;
    bool canary = false;
    std::string issued_before;
    bool dry_run = false;
    bool yes = false;
    std::string wait = "1m";
};

result<json> selection(settings const& how, certs_filter const& by) {
    auto const answer = how.daemon().get("/v1/certs/mesh");
    if (!answer) return answer.error();
    auto selected = select_certificates(*answer, by);
    auto const there = all_are_there(selected, by);
    if (!there && !(by.services.empty() && by.node.empty())) return there.error();
    return {boost::system::in_place_value, std::move(selected)};
}

void list(session& run, settings const& how, arguments const& args) {
    auto const selected = selection(how, args.filter);
    if (!selected) return run.fail(selected.error());
    run.show(how, *selected, [&](page const& on) { return draw_certificates(*selected, on); });
    if (certificates_are_degraded(*selected)) run.finish(exit_status::degraded);
}

void show(session& run, settings const& how, arguments const& args) {
    auto const selected = selection(how, args.filter);
    if (!selected) return run.fail(selected.error());
    auto const& all = member_at(*selected, "certificates");
    run.show(how, all, [&](page const&) {
        std::string drawn;
        for (auto const& one : all)
            drawn += (drawn.empty() ? "" : "\n") + draw_certificate(one);
        return drawn;
    });
}

void trust(session& run, settings const& how, arguments const& args) {
    auto const selected = selection(how, args.filter);
    if (!selected) return run.fail(selected.error());
    auto const shown = trust_of(*selected);
    run.show(how, shown, [&](page const& on) { return draw_trust(shown, on); });
    if (trust_is_degraded(shown)) run.finish(exit_status::degraded);
}

/// What is left of a rotation, or of one that was interrupted.
result<std::vector<certs::rotation_part>> parts_of(json const& all, arguments const& args) {
    std::optional<failover::utc> before;
    if (!args.issued_before.empty()) {
        auto const read = failover::read_utc(args.issued_before);
        if (!read)
            return failure{errc::bad_input, "rotate: --issued-before: " + read.error().doing};
        before = *read;
    }
    std::vector<certs::rotation_part> parts;
    for (auto const& one : all) {
        certs::rotation_part part{text_at(one, "node"), text_at(one, "service")};
        auto const issued = failover::read_utc(text_at(one, "issued"));
        part.done = before && issued && *issued >= *before && is_settled(one);
        parts.push_back(std::move(part));
    }
    return parts;
}

class rotating {
public:
    rotating(session& run, settings const& how, json const& all,
             std::vector<certs::rotation_part> parts)
        : run_(run), how_(how), all_(all), parts_(std::move(parts)) {}

    [[nodiscard]] std::size_t left() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(parts_, [](auto const& part) { return !part.done; }));
    }
    [[nodiscard]] json const& done() const { return done_; }

    /// True: each of the next wave is at the wire.
    bool wave(milliseconds wait) {
        auto const next = certs::next_wave(parts_);
        run_.io().err << name(next.is) << ": " << next.parts.size() << " of " << left()
                      << " that are left\n";
        std::vector<json> before;
        for (auto const i : next.parts)
            before.push_back(all_[i]);
        auto const told = [&](std::size_t which, json const& now, milliseconds took) {
            tell(next.parts[which], now, took);
        };
        auto const done = rotate_all(how_, before, wait, told);
        if (done) return true;
        run_.fail({done.error().code, done.error().doing + "; " +
                                          std::to_string(all_.size() - left()) + " of " +
                                          std::to_string(all_.size()) + " are rotated"});
        return false;
    }

private:
    void tell(std::size_t i, json const& now, milliseconds took) {
        parts_[i].done = true;
        run_.io().err << all_.size() - left() << "/" << all_.size() << " "
                      << name_of_certificate(now) << ": serial "
                      << printable(text_at(now, "serial").substr(0, 16)) << " is at the wire after "
                      << took.count() << " ms\n";
        done_.push_back(now);
    }

    session& run_;
    settings const& how_;
    json const& all_;
    std::vector<certs::rotation_part> parts_;
    json done_ = json::array();
};

void rotate(session& run, settings const& how, arguments const& args) {
    auto const wait = config::parse_duration(args.wait);
    if (!wait) return run.fail({errc::bad_input, "rotate: --wait: no duration such as 30s or 2m"});
    if (args.filter.services.empty() != args.all)
        return run.fail({errc::bad_input, "rotate: name services, or --all"});
    auto const selected = selection(how, args.filter);
    if (!selected) return run.fail(selected.error());
    auto const& all = member_at(*selected, "certificates");
    if (all.empty()) return run.fail({errc::not_found, "there is no certificate to rotate"});
    auto parts = parts_of(all, args);
    if (!parts) return run.fail(parts.error());
    rotating work(run, how, all, std::move(*parts));
    run.io().err << draw_certificates(*selected, how.on) << work.left() << " of " << all.size()
                 << " get another certificate, each wave seen at the wire before the next: one "
                    "alone, then its node, a quarter, the rest; the first that fails ends it.\n";
    if (args.dry_run) return run.show(how, *selected, [](page const&) { return std::string(); });
    if (work.left() > 0 && !run.agreed(args.yes)) return;
    auto const begun = args.issued_before.empty()
                           ? failover::to_text(std::chrono::time_point_cast<milliseconds>(
                                 std::chrono::system_clock::now()))
                           : args.issued_before;
    bool good = true;
    while (good && work.left() > 0) {
        good = work.wave(*wait);
        if (args.canary) break;
    }
    if (work.left() > 0)
        run.io().err << "To go on: the same command with --issued-before " << begun << "\n";
    if (!good) return;
    json const answer{{"certificates", work.done()}};
    run.show(how, answer, [&](page const& on) { return draw_certificates(answer, on); });
}

using action = void (*)(session&, settings const&, arguments const&);

CLI::App& add(CLI::App& certs, session& run, std::string const& name, std::string const& what,
              std::shared_ptr<arguments> const& args, action act) {
    auto& command = *certs.add_subcommand(name, what);
    auto const said = options_of_environment();
    command.add_option("SERVICE", args->filter.services, "Of these services alone");
    command.add_option("--node", args->filter.node, "On this node alone")->type_name("NODE");
    add_common_options(command, said);
    command.callback([args, said, act, &run] {
        if (auto const how = run.understand(*said)) act(run, *how, *args);
    });
    return command;
}

}  // namespace

void add_certs_command(CLI::App& app, session& run) {
    auto& certs = *app.add_subcommand("certs", "The services' certificates from Vault's PKI");
    certs.require_subcommand(1);
    add(certs, run, "list", "What every node keeps, and whether it is at the wire",
        std::make_shared<arguments>(), list)
        .footer("Exit status: 0 all are verified, 3 not all are, or a node does not answer.");
    add(certs, run, "show", "All that is known of one", std::make_shared<arguments>(), show);
    add(certs, run, "trust", "Whom every service trusts, and the bundle's hash",
        std::make_shared<arguments>(), trust)
        .footer(
            "Exit status: 0 every service trusts what its node sees in Vault and all nodes see the "
            "same,\n3 not so, or a node does not answer.");
    add_certs_revoke_command(certs, run);
    add_certs_ca_command(certs, run);
    auto const args = std::make_shared<arguments>();
    auto& command = add(certs, run, "rotate", "Another certificate, now", args, rotate);
    command.add_flag("--all", args->all, "Every service's");
    command.add_flag("--canary", args->canary, "Only the first wave: one alone, to be looked at");
    command
        .add_option("--issued-before", args->issued_before,
                    "Leave the newer ones out: to go on with a rotation that was interrupted")
        ->type_name("TIME");
    command.add_flag("--dry-run", args->dry_run, "Only say which");
    command.add_flag("--yes", args->yes, "Do not ask");
    command.add_option("--wait", args->wait, "So long for each to be at the wire")
        ->type_name("DURATION");
    certs.footer(
        "Examples:\n"
        "  bevmesh certs list\n"
        "  bevmesh certs rotate redis --node oracle1\n"
        "  bevmesh certs rotate --all --yes\n"
        "  bevmesh certs trust\n"
        "  bevmesh certs ca rotate --dry-run");
}

}  // namespace bevmesh::cli
