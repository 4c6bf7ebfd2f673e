// `bevmesh certs revoke`: a certificate that somebody else may have is replaced and put on Vault's
// CRL; then it is seen who refuses it.
//
// The PKI roles store no certificate, so Vault is given the certificate itself: that in use, one of
// a generation that a node keeps, or a file.
#include <algorithm>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "certs/x509.hpp"
#include "config/format.hpp"
#include "failover/orders.hpp"
#include "mesh/cli/block_on.hpp"
#include "mesh/cli/ca_operator.hpp"
#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/cli/revocation_view.hpp"
#include "mesh/cli/rotation.hpp"
#include "mesh/cli/secret_files.hpp"
#include "mesh/cli/vault_view.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

constexpr milliseconds look_each{250};

struct arguments {
    operator_options who;
    std::string what;
    std::string file;  // with the certificate
    std::string node;
    std::string wait = "1m";
    bool at_once = false;
    bool dry_run = false;
    bool yes = false;
};

/// The certificate (PEM) of a file, as an entry of the daemons' lists.
result<json> read_certificate(std::string const& path) {
    auto const text = read_whole(path);
    if (!text) return text.error();
    auto const all = certs::split_pem(*text);
    auto const is = certs::read_leaf(all.empty() ? std::string() : all.front());
    if (!is) return failure{errc::bad_input, path + ": expected a certificate, PEM"};
    auto const ends = std::chrono::time_point_cast<milliseconds>(is->not_after);
    return {boost::system::in_place_value, json{{"serial", is->serial},
                                                {"expires", failover::to_text(ends)},
                                                {"certificate", all.front()}}};
}

/// What is to be revoked, as `certificates`: those in use have no `certificate` in them.
result<json> select(settings const& how, arguments const& args) {
    auto const in_use = how.daemon().get("/v1/certs/mesh");
    if (!in_use) return in_use.error();
    if (args.file.empty()) {
        auto selected = select_revoked(*in_use, args.what, args.node);
        auto const serial = plain_serial(args.what);
        if (selected || serial.empty() || !args.node.empty()) return selected;
        auto const kept = how.daemon().get("/v1/certs/kept/mesh?serial=" + serial);
        if (!kept) return kept.error();
        return select_kept(*kept, args.what);
    }
    auto const given = read_certificate(args.file);
    if (!given) return given.error();
    if (auto selected = select_revoked(*in_use, text_at(*given, "serial"), "")) return selected;
    return {boost::system::in_place_value, json{{"certificates", json::array({*given})}}};
}

class revoking {
public:
    revoking(boost::asio::io_context& loop, ca_operator const& who, settings const& how,
             std::optional<milliseconds> rotate)
        : loop_(loop), who_(who), how_(how), rotate_(rotate) {}

    /// What was revoked. Replaced first: whoever reads the CRL would cut the service off.
    result<json> one(json const& is) {
        bool const in_use = !is.contains("certificate");
        auto certificate = in_use ? shown(is) : result<std::string>(text_at(is, "certificate"));
        if (!certificate) return certificate.error();
        bool const replace = in_use && rotate_;
        if (replace)
            if (auto const now = rotate_one(how_, is, *rotate_); !now) return now.error();
        auto const done = block_on(loop_, who_.vault->revoke(std::move(*certificate)));
        if (!done) return with_vault_hint(done.error());
        auto const at = std::chrono::time_point_cast<milliseconds>(done->at);
        return {boost::system::in_place_value, json{{"service", text_at(is, "service")},
                                                    {"node", text_at(is, "node")},
                                                    {"serial", text_at(is, "serial")},
                                                    {"revoked_at", failover::to_text(at)},
                                                    {"good_until", text_at(is, "expires")},
                                                    {"replaced", replace}}};
    }

private:
    /// The certificate that is in use, still.
    result<std::string> shown(json const& is) const {
        auto const answer = how_.daemon().get("/v1/certs/pem?service=" + text_at(is, "service") +
                                              "&node=" + text_at(is, "node"));
        if (!answer) return answer.error();
        if (text_at(*answer, "serial") != text_at(is, "serial"))
            return failure{errc::conflict, "it has got another certificate meanwhile"};
        return text_at(*answer, "certificate");
    }

    boost::asio::io_context& loop_;
    ca_operator const& who_;
    settings const& how_;
    std::optional<milliseconds> rotate_;
};

/// Who refuses them, as soon as nobody is waited for, or after `wait`.
result<json> watch(settings const& how, json const& done, milliseconds wait) {
    auto const begun = net::now();
    for (;;) {
        auto answers = json::array();
        for (auto const& one : done) {
            auto answer =
                how.daemon().get("/v1/certs/revoked/mesh?serial=" + text_at(one, "serial"));
            if (!answer) return answer.error();
            answers.push_back(std::move(*answer));
        }
        auto seen = enforcement_of(answers);
        if (!is_awaited(seen) || net::now() - begun > wait)
            return {boost::system::in_place_value, std::move(seen)};
        pause_for(look_each);
    }
}

/// Each that is revoked; up to the first that is not, which is told.
json revoke_each(session& run, revoking& work, json const& selected) {
    auto done = json::array();
    for (auto const& is : member_at(selected, "certificates")) {
        auto now = work.one(is);
        if (!now) {
            auto const service = text_at(is, "service");
            auto const whose =
                service.empty() ? text_at(is, "serial") : service + " on " + text_at(is, "node");
            run.fail({now.error().code, whose + ": " + now.error().doing + "; " +
                                            std::to_string(done.size()) + " are revoked"});
            break;
        }
        done.push_back(std::move(*now));
    }
    return done;
}

std::string last_end(json const& done) {
    std::string last;
    for (auto const& one : done)
        last = std::max(last, text_at(one, "good_until"));
    return last;
}

void announce(session& run, settings const& how, json const& selected, bool at_once) {
    auto const& all = member_at(selected, "certificates");
    bool const in_use = std::none_of(all.begin(), all.end(),
                                     [](json const& is) { return is.contains("certificate"); });
    auto& err = run.io().err;
    if (!in_use) {
        err << draw_kept(all, how.on) << "None of these is in use. They are revoked.\n";
        return;
    }
    err << draw_certificates(selected, how.on);
    if (at_once)
        err << "These are revoked, and each is replaced as soon as its node sees that.\n";
    else
        err << "These are replaced, each seen at the wire, and then revoked.\n";
}

void revoke(session& run, settings const& how, arguments const& args) {
    auto const wait = config::parse_duration(args.wait);
    if (!wait) return run.fail({errc::bad_input, "revoke: --wait: no duration such as 30s or 2m"});
    if (args.what.empty() == args.file.empty())
        return run.fail(
            {errc::bad_input, "revoke: expected one of: a service, a serial, --certificate FILE"});
    boost::asio::io_context loop(1);
    auto const who = open_ca(run, args.who, loop.get_executor());
    if (!who) return;
    auto const selected = select(how, args);
    if (!selected) return run.fail(selected.error());
    announce(run, how, *selected, args.at_once);
    if (args.dry_run) return run.show(how, *selected, [](page const&) { return std::string(); });
    if (!run.agreed(args.yes)) return;
    revoking work(loop, *who, how, args.at_once ? std::nullopt : std::optional(*wait));
    auto const done = revoke_each(run, work, *selected);
    json enforcement;
    if (!done.empty()) {
        auto seen = watch(how, done, *wait);
        if (seen)
            enforcement = std::move(*seen);
        else
            run.fail({seen.error().code, "who refuses it now: " + seen.error().doing});
    }
    run.show(how, {{"revoked", done}, {"enforcement", enforcement}}, [&](page const& on) {
        return draw_revoked(done, on) + draw_enforcement(enforcement, last_end(done), on);
    });
    if (run.status() == 0 && is_awaited(enforcement)) run.finish(exit_status::degraded);
}

char const* const footer =
    "The service gets another certificate first, so that it is never without one that is good.\n"
    "Then it is watched until each daemon, and each service that reads a CRL, has the new one. "
    "Who\n"
    "reads none is named: it takes the certificate until that ends. Exit status 3: after --wait\n"
    "somebody who reads one has the old one still.\n"
    "Vault keeps no certificate: one that is not in use any more is looked for among the files "
    "that\n"
    "the nodes keep; else it is needed as a file.\n"
    "The token is an administrator's or one of the policy bevmesh-ca-operator; it is read from\n"
    "--token-file (mode 0600), else from VAULT_TOKEN.\n\n"
    "Examples:\n"
    "  bevmesh certs revoke redis --node oracle1\n"
    "  bevmesh certs revoke 4f0a16b2\n"
    "  bevmesh certs revoke --certificate stolen.pem";

}  // namespace

void add_certs_revoke_command(CLI::App& certs, session& run) {
    auto& command = *certs.add_subcommand("revoke", "Replace a certificate and revoke the old one");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("WHAT", args->what, "A service, or how a serial begins");
    command.add_option("--certificate", args->file, "The one in this file (PEM)")
        ->type_name("FILE");
    command.add_option("--node", args->node, "On this node alone")->type_name("NODE");
    add_operator_options(command, args->who);
    command
        .add_option("--wait", args->wait,
                    "So long for another one to be at the wire, and for the CRL to be read")
        ->type_name("DURATION")
        ->capture_default_str();
    command.add_flag("--at-once", args->at_once,
                     "Revoke first, because somebody uses it, and replace it then");
    command.add_flag("--dry-run", args->dry_run, "Only say which");
    command.add_flag("--yes,-y", args->yes, "Do not ask");
    add_common_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) revoke(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
