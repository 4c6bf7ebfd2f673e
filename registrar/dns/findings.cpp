#include "registrar/dns/findings.hpp"

#include <algorithm>

#include "registrar/dns/drop_ins.hpp"

namespace bevmesh::registrar::dns {
namespace {

std::string joined(std::vector<std::string> const& all) {
    std::string text;
    for (auto const& one : all)
        text += (text.empty() ? "" : ", ") + one;
    return text;
}

bool share_one(std::vector<std::string> const& a, std::vector<std::string> const& b) {
    return std::ranges::any_of(a, [&](auto const& x) { return std::ranges::count(b, x) > 0; });
}

std::string outcome_text(reply const& r) {
    switch (r.is) {
        case outcome::found:
            return joined(r.values);
        case outcome::empty:
            return "no records";
        case outcome::missing:
            return "NXDOMAIN";
        case outcome::silent:
            return "no answer";
        case outcome::refused:
            break;
    }
    return "a failure";
}

/// Consul's own answer to a name; null where it was not asked.
name_report const* truth_of(server_report const& agent, std::string const& name) {
    auto const found = std::ranges::find(agent.names, name, &name_report::name);
    return found == agent.names.end() ? nullptr : &*found;
}

/// The records of a name that the agent has are what the answer must have, one of them at least:
/// answers are shuffled and may be cut.
bool is_right(reply const& r, reply const& truth) {
    if (truth.is != outcome::found) return r.is == truth.is;
    return r.is == outcome::found && share_one(r.values, truth.values);
}

/// musl and glibc give a name up when either family is NXDOMAIN or fails.
bool is_fit(reply const& aaaa) {
    return aaaa.is == outcome::found || aaaa.is == outcome::empty;
}

/// The first thing that is wrong with one server's answers to one name.
struct flaw {
    enum class kind { address, family, tcp, missing };
    kind is = kind::address;
    std::string text;
};

std::optional<flaw> flaw_of(server_report const& s, name_report const& n,
                            name_report const& truth) {
    if (!is_right(n.a, truth.a))
        return flaw{flaw::kind::address, s.server + " answers " + n.name + " with " +
                                             outcome_text(n.a) + ", Consul with " +
                                             outcome_text(truth.a)};
    if (truth.a.is == outcome::found && !is_fit(n.aaaa))
        return flaw{flaw::kind::family, s.server + " answers AAAA of " + n.name + " with " +
                                            outcome_text(n.aaaa) + " although it has an address"};
    if (truth.srv.is == outcome::found && n.srv.is != outcome::found)
        return flaw{flaw::kind::address,
                    s.server + " answers SRV of " + n.name + " with " + outcome_text(n.srv)};
    if (!is_right(n.tcp, truth.a))
        return flaw{flaw::kind::tcp,
                    s.server + " answers " + n.name + " over TCP with " + outcome_text(n.tcp)};
    return std::nullopt;
}

std::optional<flaw> flaw_of(server_report const& s, server_report const& agent) {
    for (auto const& n : s.names)
        if (auto const* truth = truth_of(agent, n.name))
            if (auto found = flaw_of(s, n, *truth)) return found;
    if (s.missing.is != outcome::missing)
        return flaw{flaw::kind::missing, s.server + " answers a name that does not exist with " +
                                             outcome_text(s.missing)};
    return std::nullopt;
}

class judging {
public:
    explicit judging(observations const& seen) : seen_(seen) {}

    std::vector<finding> all() {
        about_agent();
        about_resolver();
        for (auto const& v : seen_.views)
            about_view(v);
        about_containers();
        about_journal();
        return std::move(found_);
    }

private:
    void add(std::string code, severity level, std::string where, std::string text,
             std::string remedy) {
        found_.push_back(
            {std::move(code), level, std::move(where), std::move(text), std::move(remedy)});
    }

    void about_agent() {
        auto const& c = seen_.consul;
        auto const* own = truth_of(seen_.agent, "consul.service." + c.domain);
        auto const& a = own == nullptr ? seen_.agent.missing : own->a;
        if (a.is == outcome::silent || a.is == outcome::refused)
            add("DNS101", severity::error, "consul",
                "Consul's DNS does not answer at " + c.dns_address,
                "start the agent, or set consul.dns_address to where its DNS is");
        else if (a.is != outcome::found)
            add("DNS102", severity::error, "consul",
                "Consul's DNS knows no consul.service." + c.domain +
                    (c.problem.empty() ? "" : " (" + c.problem + ")"),
                "with ACLs on default deny, give the agent a token for DNS: `consul acl "
                "set-agent-token dns TOKEN`, of the policy in dns-policy.hcl; with another "
                "domain, set mesh.domain");
        else if (!is_fit(own->aaaa))
            add("DNS105", severity::error, "consul",
                "Consul answers AAAA of a name that has an address with " +
                    outcome_text(own->aaaa) + ": musl (Alpine) takes that for the whole name",
                "upgrade Consul");
        if (!c.problem.empty()) {
            add("DNS106", severity::warning, "consul",
                "Consul's settings cannot be read: " + c.problem,
                "let consul.token_file name a token with agent:read");
            return;
        }
        if (c.allow_stale && c.max_stale.size() > 1 && c.max_stale.find('h') != std::string::npos)
            add("DNS103", severity::warning, "consul",
                "a server that was cut off answers with what it knew up to " + c.max_stale + " ago",
                "dns_config { max_stale = \"1s\" } in the agent's configuration");
        if (!c.enable_truncate)
            add("DNS104", severity::warning, "consul",
                "answers that are too long for UDP are cut without a word: instances are missing",
                "dns_config { enable_truncate = true } in the agent's configuration");
    }

    void about_resolver() {
        auto const r = recognise(seen_.host.conf, seen_.host.listeners);
        if (r.kind == resolver_kind::none && !seen_.journal.applied)
            add("DNS206", severity::warning, "host", "no resolver on this host: " + describe(r),
                "`bevmesh dns apply` starts a forwarder");
        if (r.kind == resolver_kind::unknown)
            add("DNS207", severity::warning, "host",
                describe(r) + " is no resolver that bevmesh can configure",
                "forward " + seen_.consul.domain + " to " + seen_.consul.dns_address + " there");
    }

    /// Codes of the host end in what those of containers do.
    static std::string code(view const& v, int number) {
        return "DNS" + std::to_string((v.is_host ? 200 : 300) + number);
    }

    void about_view(view const& v) {
        auto const who =
            v.is_host ? std::string("this host")
                      : "containers of network " + v.where + " (" + std::string(name(v.kind)) + ")";
        if (!v.report) {
            add(code(v, 8), severity::warning, v.where,
                "nobody could look from " + who + ": " + v.problem,
                v.is_host ? "see the message" : "is the engine in order? `docker info`");
            return;
        }
        if (resolves(v, seen_.agent)) return;
        auto const& servers = v.report->servers;
        if (servers.empty()) {
            add(code(v, 1), severity::error, v.where, who + " know no server to ask", remedy(v));
            return;
        }
        std::vector<flaw> flaws;
        for (auto const& s : servers)
            if (auto f = flaw_of(s, seen_.agent)) flaws.push_back(std::move(*f));
        if (flaws.empty()) {
            add(code(v, 9), severity::error, v.where,
                "every server answers " + who + " right, and libc does not",
                "look into nsswitch.conf and /etc/hosts there");
            return;
        }
        bool const all = flaws.size() == servers.size();
        int const number = !all                                 ? 5
                           : flaws[0].is == flaw::kind::address ? 1
                           : flaws[0].is == flaw::kind::family  ? 2
                           : flaws[0].is == flaw::kind::tcp     ? 3
                                                                : 4;
        add(code(v, number), severity::error, v.where,
            (all ? who + " do" + (v.is_host ? "es" : "") + " not resolve the mesh's names: "
                 : "the servers of " + who + " differ, and musl takes the first answer: ") +
                flaws[0].text,
            all ? remedy(v) : "leave only servers in its resolv.conf that know the mesh");
    }

    [[nodiscard]] std::string remedy(view const& v) const {
        if (v.is_host || !seen_.journal.applied) return "`bevmesh dns apply`";
        auto const& all = seen_.host.engine.networks;
        auto const at = std::ranges::find(all, v.where, &network::name);
        if (v.kind == network_kind::internal && at != all.end() && !at->gateway.empty())
            return "give its containers `dns: [" + at->gateway + "]`";
        if (v.kind == network_kind::default_bridge)
            return "`bevmesh dns apply --restart-docker`, or give its containers `--dns` with "
                   "the gateway's address";
        return "is port 53 of the bridge's gateway open in the firewall (INPUT)?";
    }

    void about_containers() {
        for (auto const& c : seen_.stale)
            add("DNS306", severity::warning, c.name,
                "container " + c.name + " still asks " + joined(c.nameservers) +
                    ": it was started before",
                "restart it");
    }

    void about_journal() {
        auto const& j = seen_.journal;
        if (j.interrupted)
            add("DNS402", severity::error, "host",
                "a `bevmesh dns apply` or `remove` was interrupted",
                "`bevmesh dns apply` or `bevmesh dns remove`: each takes back what it left");
        for (auto const& path : j.changed)
            add("DNS401", severity::error, "host", path + " is no longer as bevmesh wrote it",
                "`bevmesh dns apply` writes it again where it is gone; a changed one is yours to "
                "move away first");
        if (j.outdated && !j.interrupted)
            add("DNS404", severity::warning, "host",
                "Docker's networks or the resolver changed since `bevmesh dns apply`",
                "`bevmesh dns apply` again");
    }

    observations const& seen_;
    std::vector<finding> found_;
};

}  // namespace

bool resolves(view const& v, server_report const& agent) {
    if (!v.report || v.report->servers.empty()) return false;
    for (auto const& s : v.report->servers)
        if (flaw_of(s, agent)) return false;
    for (auto const& l : v.report->libc)
        if (auto const* truth = truth_of(agent, l.name))
            if (!is_right(l.a, truth->a)) return false;
    return v.report->libc_missing.is == outcome::missing;
}

std::vector<finding> judge(observations const& seen) {
    return judging(seen).all();
}

bool is_degraded(std::vector<finding> const& findings) {
    return std::ranges::any_of(findings, [](auto const& f) { return f.level == severity::error; });
}

std::string_view name(severity s) noexcept {
    return s == severity::error ? "error" : "warning";
}

}  // namespace bevmesh::registrar::dns
