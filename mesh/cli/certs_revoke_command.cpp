// `bevmesh certs revoke`: a certificate that somebody else may have is replaced, and put on Vault's
// CRL.
//
// The PKI roles store no certificate, so Vault is given the certificate itself, which the daemon
// has.
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
#include "mesh/cli/rotation.hpp"
#include "mesh/cli/text.hpp"
#include "mesh/cli/vault_view.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

char const* const not_enforced =
    "No service of the mesh reads the CRL yet: each takes a revoked certificate until it ends.\n";

struct arguments {
    operator_options who;
    std::string what;
    std::string node;
    std::string wait = "1m";
    bool keep = false;
    bool dry_run = false;
    bool yes = false;
};

class revoking {
public:
    revoking(boost::asio::io_context& loop, ca_operator const& who, settings const& how,
             std::optional<milliseconds> rotate)
        : loop_(loop), who_(who), how_(how), rotate_(rotate) {}

    /// What was revoked. Replaced first: whoever reads the CRL would cut the service off.
    result<json> one(json const& is) {
        auto const& service = text_at(is, "service");
        auto const answer =
            how_.daemon().get("/v1/certs/pem?service=" + service + "&node=" + text_at(is, "node"));
        if (!answer) return answer.error();
        auto certificate = text_at(*answer, "certificate");
        if (text_at(*answer, "serial") != text_at(is, "serial"))
            return failure{errc::conflict, "it has got another certificate meanwhile"};
        if (rotate_)
            if (auto const now = rotate_one(how_, is, *rotate_); !now) return now.error();
        auto const done = block_on(loop_, who_.vault->revoke(std::move(certificate)));
        if (!done) return with_vault_hint(done.error());
        auto const at = std::chrono::time_point_cast<milliseconds>(done->at);
        return {boost::system::in_place_value, json{{"service", service},
                                                    {"node", text_at(is, "node")},
                                                    {"serial", text_at(is, "serial")},
                                                    {"revoked_at", failover::to_text(at)},
                                                    {"good_until", text_at(is, "expires")},
                                                    {"replaced", rotate_.has_value()},
                                                    {"enforced_by", json::array()}}};
    }

private:
    boost::asio::io_context& loop_;
    ca_operator const& who_;
    settings const& how_;
    std::optional<milliseconds> rotate_;
};

std::string draw_revoked(json const& all, page const& on) {
    table t({"SERVICE", "NODE", "SERIAL", "REVOKED AT", "ENDS"});
    for (auto const& one : all)
        t.add({{text_at(one, "service")},
               {text_at(one, "node")},
               {text_at(one, "serial").substr(0, 16)},
               {text_at(one, "revoked_at")},
               {text_at(one, "good_until")}});
    return t.draw(on) + not_enforced;
}

void revoke(session& run, settings const& how, arguments const& args) {
    auto const wait = config::parse_duration(args.wait);
    if (!wait) return run.fail({errc::bad_input, "revoke: --wait: no duration such as 30s or 2m"});
    boost::asio::io_context loop(1);
    auto const who = open_ca(run, args.who, loop.get_executor());
    if (!who) return;
    auto const answer = how.daemon().get("/v1/certs/mesh");
    if (!answer) return run.fail(answer.error());
    auto const selected = select_revoked(*answer, args.what, args.node);
    if (!selected) return run.fail(selected.error());
    run.io().err << draw_certificates(*selected, how.on)
                 << (args.keep ? "These are revoked, and stay in use.\n"
                               : "These are replaced, each seen at the wire, and then revoked.\n");
    if (args.dry_run) return run.show(how, *selected, [](page const&) { return std::string(); });
    if (!run.agreed(args.yes)) return;
    auto const rotate = args.keep ? std::nullopt : std::optional(*wait);
    revoking work(loop, *who, how, rotate);
    auto done = json::array();
    for (auto const& is : member_at(*selected, "certificates")) {
        auto now = work.one(is);
        if (!now) {
            run.fail({now.error().code, text_at(is, "service") + " on " + text_at(is, "node") +
                                            ": " + now.error().doing + "; " +
                                            std::to_string(done.size()) + " are revoked"});
            break;
        }
        done.push_back(std::move(*now));
    }
    json const told{{"revoked", done}};
    run.show(how, told, [&](page const& on) { return draw_revoked(done, on); });
}

char const* const footer =
    "The service gets another certificate first, so that it is never without one that is good.\n"
    "The token is an administrator's or one of the policy bevmesh-ca-operator; it is read from\n"
    "--token-file (mode 0600), else from VAULT_TOKEN.\n\n"
    "Examples:\n"
    "  bevmesh certs revoke redis --node oracle1\n"
    "  bevmesh certs revoke 4f0a16b2";

}  // namespace

void add_certs_revoke_command(CLI::App& certs, session& run) {
    auto& command = *certs.add_subcommand("revoke", "Replace a certificate and revoke the old one");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("WHAT", args->what, "A service, or how a serial begins")->required();
    command.add_option("--node", args->node, "On this node alone")->type_name("NODE");
    add_operator_options(command, args->who);
    command.add_option("--wait", args->wait, "So long for the other one to be at the wire")
        ->type_name("DURATION")
        ->capture_default_str();
    command.add_flag("--keep", args->keep, "Only revoke: the service goes on with it");
    command.add_flag("--dry-run", args->dry_run, "Only say which");
    command.add_flag("--yes,-y", args->yes, "Do not ask");
    add_common_options(command, said);
    command.footer(footer);
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) revoke(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
