// The names of the mesh as each node is told them: by Consul's DNS and by the host's resolver.
#include <algorithm>
#include <set>

#include "registrar/ip_text.hpp"
#include "registrar/verify/judge_parts.hpp"

namespace bevmesh::registrar::verify {
namespace {

/// What Consul's DNS must give: the addresses of instances that are not critical. A name whose
/// instance is known by a host name only has none.
std::map<std::string, std::set<std::string>> wanted_answers(mesh_facts const& facts) {
    std::map<std::string, std::set<std::string>> wanted;
    if (!facts.catalog) return wanted;
    for (auto const& [name, entries] : *facts.catalog)
        for (auto const& e : entries) {
            auto const& address = e.service.address.empty() ? e.node_address : e.service.address;
            bool const healthy = std::ranges::all_of(e.checks, [](auto const& c) {
                return c.status == consul::status::passing || c.status == consul::status::warning;
            });
            if (healthy && (is_ipv4(address) || is_ipv6(address))) wanted[name].insert(address);
        }
    return wanted;
}

class names_of_node {
public:
    names_of_node(mesh_config const& config, node_facts const& own)
        : config_(config), own_(own), row_{"names", own.node, category::names, {}, {}} {}

    row judge(std::map<std::string, std::set<std::string>> const& wanted) {
        auto const consul_works = judge_consul(wanted);
        if (consul_works) judge_host(wanted);
        return std::move(row_);
    }

private:
    [[nodiscard]] std::string full(std::string const& name) const {
        return name + ".service." + config_.domain;
    }

    bool judge_consul(std::map<std::string, std::set<std::string>> const& wanted) {
        auto const silent = [](auto const& entry) { return !entry.second.trouble.empty(); };
        auto const& answers = own_.consul_dns;
        if (!answers.empty() && std::ranges::all_of(answers, silent)) {
            add(row_, code::consul_dns_silent,
                "Consul's DNS on " + own_.node + " (" + config_.consul.dns_address +
                    ") does not answer: " + answers.begin()->second.trouble,
                "on " + own_.node +
                    ": is ports.dns of Consul's agent what consul.dns_address of "
                    "the configuration says?");
            return false;
        }
        for (auto const& [name, addresses] : wanted) {
            auto const found = answers.find(name);
            if (found != answers.end()) judge_answer(name, addresses, found->second);
        }
        return true;
    }

    void judge_answer(std::string const& name, std::set<std::string> const& wanted,
                      name_fact const& answer) {
        if (answer.addresses.empty())
            return add(row_, code::name_unknown,
                       full(name) + " has healthy instances and does not resolve on " + own_.node +
                           (answer.trouble.empty() ? "" : ": " + answer.trouble),
                       "on " + own_.node +
                           ": bevmesh dns doctor; its token for DNS may lack "
                           "service_prefix read");
        for (auto const& address : answer.addresses)
            if (!wanted.contains(address))
                add(row_, code::name_elsewhere,
                    full(name) + " resolves to " + address + " on " + own_.node +
                        ", where Consul has no healthy instance",
                    "verify again; if it stays: bevmesh resolve " + name);
    }

    void judge_host(std::map<std::string, std::set<std::string>> const& wanted) {
        std::vector<std::string> ignored;
        std::size_t known = 0;
        std::string trouble;
        for (auto const& [name, addresses] : wanted) {
            auto const by_consul = own_.consul_dns.find(name);
            auto const by_host = own_.host_dns.find(name);
            if (by_consul == own_.consul_dns.end() || by_consul->second.addresses.empty() ||
                by_host == own_.host_dns.end())
                continue;
            if (!by_host->second.addresses.empty()) {
                ++known;
                continue;
            }
            ignored.push_back(name);
            trouble = by_host->second.trouble;
        }
        auto const remedy = "on " + own_.node + ": bevmesh dns doctor, then bevmesh dns apply";
        auto const why = trouble.empty() ? std::string() : " (" + trouble + ")";
        if (known == 0 && !ignored.empty())
            return add(row_, code::host_dns_ignorant,
                       "the resolver of " + own_.node + " knows no name of the mesh, " +
                           full(ignored.front()) + " for one" + why,
                       remedy);
        for (auto const& name : ignored)
            add(row_, code::host_name_unknown,
                "the resolver of " + own_.node + " does not know " + full(name) +
                    ", which Consul's DNS does" + why,
                remedy);
    }

    mesh_config const& config_;
    node_facts const& own_;
    row row_;
};

}  // namespace

std::vector<row> judge_names(mesh_config const& config, mesh_facts const& facts) {
    std::vector<row> rows;
    auto const wanted = wanted_answers(facts);
    for (auto const& [node, report] : facts.nodes)
        if (report.facts && report.facts->consul.ok)
            rows.push_back(names_of_node(config, *report.facts).judge(wanted));
    return rows;
}

}  // namespace bevmesh::registrar::verify
