// `bevmesh resolve`: one name, asked of DNS as an application would, and of the daemon.
#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "mesh/base/config.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/resolution.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/net/dns.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

struct arguments {
    std::string name;
    std::string server;
    std::string domain;
};

/// Its records; nothing where the name does not exist, or with `problem` set where nobody knows.
std::vector<net::dns_record> take(net::dns_answer& answer, std::optional<failure>& problem) {
    if (answer) return std::move(*answer);
    if (answer.error().code != errc::not_found && !problem) problem = answer.error();
    return {};
}

/// SRV records name a target each; what listens on the port is the target's addresses.
void follow(std::vector<net::dns_record> const& srv, net::dns_resolver& resolver, dns_side& side) {
    std::vector<net::dns_question> questions;
    for (auto const& record : srv) {
        auto const known = [&](auto const& q) { return q.name == record.target; };
        if (std::ranges::any_of(questions, known)) continue;
        questions.push_back({record.target, net::dns_type::a});
        questions.push_back({record.target, net::dns_type::aaaa});
    }
    auto answers = resolver.ask(questions);
    std::multimap<std::string, std::string> addresses;
    for (std::size_t i = 0; i < questions.size(); ++i)
        for (auto& found : take(answers[i], side.problem))
            addresses.emplace(questions[i].name, std::move(found.address));
    for (auto const& record : srv) {
        auto const [first, last] = addresses.equal_range(record.target);
        for (auto it = first; it != last; ++it)
            side.ports.emplace(it->second, record.port);
    }
}

dns_side ask_dns(net::dns_resolver& resolver, std::string const& name) {
    dns_side side;
    side.servers = resolver.servers();
    auto answers = resolver.ask(
        {{name, net::dns_type::a}, {name, net::dns_type::aaaa}, {name, net::dns_type::srv}});
    for (std::size_t i = 0; i < 2; ++i)
        for (auto& record : take(answers[i], side.problem))
            side.addresses.insert(std::move(record.address));
    auto const srv = take(answers[2], side.problem);
    if (!side.problem) follow(srv, resolver, side);
    return side;
}

/// What the daemon calls the mesh's domain; the default where it does not answer.
std::string domain_of_mesh(daemon_client const& daemon) {
    auto const status = daemon.get("/v1/status");
    auto const domain = status ? text_at(*status, "domain") : std::string();
    return domain.empty() ? mesh_config{}.domain : domain;
}

void resolve(session& run, settings const& how, arguments const& args) {
    auto const daemon = how.daemon();
    auto const domain = args.domain.empty() ? domain_of_mesh(daemon) : args.domain;
    auto const name = complete_name(args.name, domain);
    if (!name) return run.fail(name.error());
    auto const resolver = net::make_dns_resolver(args.server, how.timeout);
    if (!resolver) return run.fail(resolver.error());
    auto const answer = daemon.get("/v1/resolve?name=" + net::percent_encode(name->api));
    api_side api;
    if (answer)
        api.instances = &member_at(*answer, "instances");
    else if (answer.error().code != errc::not_found)
        api.problem = answer.error();
    auto const found = compare(*name, ask_dns(**resolver, name->dns), api);
    run.show(how, to_json(found), [&](page const& on) { return draw(found, on); });
    for (auto const& problem : found.problems)
        run.fail(problem);
    run.finish(judge(found));
}

}  // namespace

void add_resolve_command(CLI::App& app, session& run) {
    auto& command =
        *app.add_subcommand("resolve", "What a service's name resolves to, by DNS and by the API");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    command.add_option("name", args->name, "redis, or primary.redis, or redis.service.consul")
        ->type_name("NAME")
        ->required();
    command
        .add_option("--server", args->server,
                    "The DNS server to ask; else those of /etc/resolv.conf")
        ->type_name("ADDR[:PORT]");
    command.add_option("--domain", args->domain, "The mesh's domain; else the daemon's")
        ->type_name("DOMAIN");
    add_common_options(command, said);
    command.footer(
        "Exit status: 0 both agree, 2 the API or the DNS server failed, 3 they differ or nothing\n"
        "resolves, 4 no answer in time.\n\n"
        "Examples:\n"
        "  bevmesh resolve redis\n"
        "  bevmesh resolve redis --server 127.0.0.1:8600     Consul's own DNS\n"
        "  bevmesh resolve primary.postgres.service.consul --format json");
    command.callback([args, said, &run] {
        if (auto const how = run.understand(*said)) resolve(run, *how, *args);
    });
}

}  // namespace bevmesh::cli
