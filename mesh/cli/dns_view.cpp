#include "mesh/cli/dns_view.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"
#include "registrar/dns/recognise.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;
namespace dns = registrar::dns;

json networks_json(dns::host_facts const& host) {
    auto all = json::array();
    for (auto const& n : host.engine.networks)
        all.push_back({{"name", n.name},
                       {"kind", name(n.kind)},
                       {"subnets", n.subnets},
                       {"gateway", n.gateway}});
    return all;
}

json view_json(dns::view const& v, dns::server_report const& agent) {
    json made{{"from", v.where},
              {"kind", v.is_host ? "this host" : std::string(name(v.kind))},
              {"resolves", resolves(v, agent)}};
    if (v.report) {
        made["report"] = to_json(*v.report);
    } else {
        made["problem"] = v.problem;
    }
    return made;
}

json findings_json(std::vector<dns::finding> const& findings) {
    auto all = json::array();
    for (auto const& f : findings)
        all.push_back({{"code", f.code},
                       {"level", name(f.level)},
                       {"where", f.where},
                       {"text", f.text},
                       {"remedy", f.remedy}});
    return all;
}

std::string is_at(json const& of, char const* key) {
    return text_at(member_at(of, key), "is");
}

/// The words of all servers' answers to one question: "ok" where they are as they should be.
cell cell_of(std::vector<std::string> const& words, std::vector<std::string> const& good) {
    std::string bad;
    for (auto const& word : words)
        if (std::ranges::count(good, word) == 0 && bad.find(word) == std::string::npos)
            bad += (bad.empty() ? "" : ", ") + word;
    if (words.empty()) return {};
    return bad.empty() ? cell{"ok", look::good} : cell{bad, look::bad};
}

struct columns {
    std::string asks;
    std::vector<std::string> a, aaaa, srv, tcp, missing, libc;

    void add(json const& server) {
        asks += (asks.empty() ? "" : ", ") + text_at(server, "server");
        missing.push_back(is_at(server, "missing"));
        for (auto const& n : member_at(server, "names")) {
            a.push_back(is_at(n, "a"));
            aaaa.push_back(is_at(n, "aaaa"));
            srv.push_back(is_at(n, "srv"));
            tcp.push_back(is_at(n, "tcp"));
        }
    }
    [[nodiscard]] std::vector<cell> row(std::string const& from) const {
        return {{from},
                {asks},
                cell_of(a, {"found"}),
                cell_of(aaaa, {"found", "empty"}),
                cell_of(srv, {"found"}),
                cell_of(missing, {"nxdomain"}),
                cell_of(tcp, {"found"}),
                cell_of(libc, {"found"})};
    }
};

std::string draw_places(json const& answer, page const& on) {
    table t({"FROM", "ASKS", "A", "AAAA", "SRV", "NXDOMAIN", "TCP", "LIBC"});
    columns agent;
    agent.add(member_at(answer, "agent"));
    t.add(agent.row("Consul"));
    for (auto const& v : member_at(answer, "views")) {
        columns c;
        auto const& report = member_at(v, "report");
        for (auto const& server : member_at(report, "servers"))
            c.add(server);
        for (auto const& one : member_at(report, "libc"))
            c.libc.push_back(is_at(one, "a"));
        auto const kind = text_at(v, "kind");
        auto const from = text_at(v, "from");
        t.add(c.row(kind == "this host"
                        ? kind
                        : "network " + from + (kind == from ? "" : " (" + kind + ")")));
    }
    return t.draw(on);
}

std::string draw_findings(json const& answer, page const& on) {
    std::string text;
    for (auto const& f : member_at(answer, "findings")) {
        bool const is_error = text_at(f, "level") == "error";
        text += "\n" +
                paint({text_at(f, "level") + " " + text_at(f, "code"),
                       is_error ? look::bad : look::warning},
                      on) +
                "  " + printable(text_at(f, "text")) + "\n    " + printable(text_at(f, "remedy")) +
                "\n";
    }
    if (text.empty()) text = "\nNothing to complain of.\n";
    return text;
}

}  // namespace

json to_json(dns::observations const& seen) {
    auto const findings = judge(seen);
    auto const r = recognise(seen.host.conf, seen.host.listeners);
    auto const& e = seen.host.engine;
    json made;
    made["healthy"] = !is_degraded(findings);
    made["resolver"] = {{"kind", name(r.kind)}, {"address", r.address}, {"text", describe(r)}};
    made["consul"] = {{"dns_address", seen.consul.dns_address},
                      {"version", seen.consul.version},
                      {"max_stale", seen.consul.max_stale}};
    made["docker"] = {{"version", e.version}, {"networks", networks_json(seen.host)}};
    if (!e.problem.empty()) made["docker"]["problem"] = e.problem;
    made["agent"] = to_json(seen.agent);
    made["views"] = json::array();
    for (auto const& v : seen.views)
        made["views"].push_back(view_json(v, seen.agent));
    made["applied"] = seen.journal.applied;
    made["findings"] = findings_json(findings);
    return made;
}

std::string draw_doctor(json const& answer, page const& on) {
    return printable("Resolver: " + text_at(member_at(answer, "resolver"), "text") +
                     (flag_at(answer, "applied") ? "; with what `bevmesh dns apply` wrote" : "")) +
           "\n\n" + draw_places(answer, on) + draw_findings(answer, on);
}

}  // namespace bevmesh::cli
