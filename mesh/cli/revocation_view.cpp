#include "mesh/cli/revocation_view.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "certs/names.hpp"
#include "mesh/cli/fields.hpp"

namespace bevmesh::cli {

using nlohmann::json;

namespace {

/// From the worst to the best: what will not change by itself is no worse than what may.
constexpr std::array<std::string_view, 6> words{"pending", "unread",  "never",
                                                "off",     "unknown", "enforced"};

std::size_t rank_of(json const& verifier) {
    auto const* const found = std::ranges::find(words, text_at(verifier, "does"));
    return static_cast<std::size_t>(found - words.begin());
}

bool is_daemon(json const& verifier) {
    return text_at(verifier, "service") == certs::daemon_name;
}

using by_place = std::map<std::pair<std::string, std::string>, json>;  // service and node

by_place worst_of(json const& answers) {
    by_place worst;
    for (auto const& answer : answers)
        for (auto const& node : member_at(answer, "nodes"))
            for (auto const& one : member_at(node, "verifiers")) {
                auto const place = std::pair(text_at(one, "service"), text_at(one, "node"));
                auto const [at, fresh] = worst.try_emplace(place, one);
                if (!fresh && rank_of(one) < rank_of(at->second)) at->second = one;
            }
    return worst;
}

/// Every node, and why it did not answer; empty: it did, each time.
std::map<std::string, std::string> nodes_of(json const& answers) {
    std::map<std::string, std::string> nodes;
    for (auto const& answer : answers) {
        for (auto const& node : member_at(answer, "nodes"))
            nodes.try_emplace(text_at(node, "node"));
        for (auto const& silent : member_at(answer, "not_answering"))
            nodes[text_at(silent, "node")] = text_at(silent, "why");
    }
    return nodes;
}

struct effect {
    std::string text;
    look style;
};

effect effect_of(json const& verifier, std::string const& until) {
    auto const does = text_at(verifier, "does");
    auto const why = text_at(verifier, "why");
    auto const takes_it = "takes it until it ends at " + until;
    if (does == "enforced") return {"refuses it", look::good};
    if (does == "pending") return {"not yet: " + why, look::bad};
    if (does == "unread") return {takes_it + ": " + why, look::bad};
    if (does == "unknown")
        return {"has the CRL and was told of it; whether it reads it cannot be asked",
                look::warning};
    if (does == "off")
        return {takes_it + ": it is given no CRL, which `crl: true` in its `tls` changes",
                look::warning};
    return {takes_it + ": " + text_at(verifier, "recipe") + " reads no CRL", look::warning};
}

}  // namespace

result<json> select_kept(json const& answer, std::string const& what) {
    auto kept = json::array();
    std::set<std::string> known;
    for (auto const& node : member_at(answer, "nodes"))
        for (auto const& one : member_at(node, "kept"))
            if (known.insert(text_at(one, "serial")).second) kept.push_back(one);
    if (!kept.empty()) return {boost::system::in_place_value, json{{"certificates", kept}}};
    std::string silent;
    for (auto const& one : member_at(answer, "not_answering"))
        silent += (silent.empty() ? "; not asked: " : ", ") + text_at(one, "node");
    return failure{errc::not_found,
                   "no node keeps a certificate with the serial " + what +
                       ", and Vault, which stores none, revokes by the certificate itself" +
                       silent + "\nrevoke it with --certificate FILE"};
}

json enforcement_of(json const& answers) {
    auto const nodes = nodes_of(answers);
    auto verifiers = json::array();
    auto not_yet = json::array();
    std::size_t refuse = 0;
    auto const worst = worst_of(answers);
    for (auto const& [_, one] : worst)
        if (!is_daemon(one)) verifiers.push_back(one);
    for (auto const& [node, silent] : nodes) {
        auto const found = worst.find({std::string(certs::daemon_name), node});
        auto why = silent;
        if (why.empty() && found == worst.end())
            why = "its daemon has no certificate of Vault, and looks at no CRL";
        else if (why.empty() && text_at(found->second, "does") != "enforced")
            why = text_at(found->second, "why");
        else if (why.empty())
            ++refuse;
        if (!why.empty()) not_yet.push_back({{"node", node}, {"why", why}});
    }
    // A mesh of one node has no peers.
    if (nodes.size() == 1 &&
        !worst.contains({std::string(certs::daemon_name), nodes.begin()->first}))
        not_yet = json::array();
    return {
        {"peers",
         {{"nodes", not_yet.size() + refuse}, {"refuse", refuse}, {"not_yet", std::move(not_yet)}}},
        {"verifiers", std::move(verifiers)}};
}

bool is_awaited(json const& enforcement) {
    if (!member_at(member_at(enforcement, "peers"), "not_yet").empty()) return true;
    auto const& all = member_at(enforcement, "verifiers");
    return std::any_of(all.begin(), all.end(),
                       [](json const& one) { return text_at(one, "does") == "pending"; });
}

std::string draw_enforcement(json const& enforcement, std::string const& until, page const& on) {
    table t({"VERIFIER", "NODE", "FROM NOW ON"});
    auto const& peers = member_at(enforcement, "peers");
    if (number_at(peers, "nodes") > 0) {
        auto const refuse = text_at(peers, "refuse");
        auto const nodes = text_at(peers, "nodes");
        t.add({{"peers"},
               {"all"},
               {refuse + " of " + nodes + " nodes refuse it",
                refuse == nodes ? look::good : look::bad}});
    }
    for (auto const& one : member_at(peers, "not_yet"))
        t.add({{"peers"}, {text_at(one, "node")}, {"not yet: " + text_at(one, "why"), look::bad}});
    for (auto const& one : member_at(enforcement, "verifiers")) {
        auto const is = effect_of(one, until);
        t.add({{text_at(one, "service")}, {text_at(one, "node")}, {is.text, is.style}});
    }
    return t.empty() ? std::string() : "\n" + t.draw(on);
}

std::string draw_kept(json const& certificates, page const& on) {
    table t({"SERVICE", "NODE", "SERIAL", "ENDS"});
    for (auto const& one : certificates)
        t.add({{text_at(one, "service")},
               {text_at(one, "node")},
               {text_at(one, "serial").substr(0, 16)},
               {text_at(one, "expires")}});
    return t.draw(on);
}

std::string draw_revoked(json const& revoked, page const& on) {
    table t({"SERVICE", "NODE", "SERIAL", "REVOKED AT", "ENDS"});
    for (auto const& one : revoked)
        t.add({{text_at(one, "service")},
               {text_at(one, "node")},
               {text_at(one, "serial").substr(0, 16)},
               {text_at(one, "revoked_at")},
               {text_at(one, "good_until")}});
    return t.draw(on);
}

}  // namespace bevmesh::cli
