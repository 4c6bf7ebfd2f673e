#include "mesh/cli/certs_view.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {

using nlohmann::json;

namespace {

cell state_of(json const& one) {
    auto const state = text_at(one, "state");
    if (!text_at(one, "trouble").empty()) return {state, look::bad};
    return {state, state == "verified" ? look::good : look::warning};
}

std::string silent_nodes(json const& answer) {
    std::string drawn;
    for (auto const& silent : member_at(answer, "not_answering"))
        drawn += printable(text_at(silent, "node")) +
                 " does not answer: " + printable(text_at(silent, "why")) + "\n";
    return drawn;
}

json bundle_of(json const& bundles, std::string const& node) {
    for (auto const& one : bundles)
        if (text_at(one, "node") == node) return one;
    return {};
}

/// The CRLs that each node has, and below them what is wrong with them.
std::string draw_crls(json const& bundles, page const& on) {
    table t({"NODE", "CRL OF", "NUMBER", "REVOKED", "ENDS"});
    std::string troubles;
    for (auto const& one : bundles) {
        for (auto const& crl : member_at(one, "crls"))
            t.add({{text_at(one, "node")},
                   {text_at(crl, "issuer")},
                   {text_at(crl, "number")},
                   {text_at(crl, "revoked")},
                   {text_at(crl, "ends")}});
        if (auto const trouble = text_at(one, "crl_trouble"); !trouble.empty())
            troubles += printable(text_at(one, "node")) + ": " + printable(trouble) + "\n";
    }
    return (t.empty() ? std::string() : "\n" + t.draw(on)) + troubles;
}

bool fits(json const& one, certs_filter const& by) {
    if (!by.node.empty() && text_at(one, "node") != by.node) return false;
    auto const service = text_at(one, "service");
    return by.services.empty() || std::ranges::find(by.services, service) != by.services.end();
}

}  // namespace

json select_certificates(json const& answer, certs_filter const& by) {
    auto selected = answer;
    auto kept = json::array();
    for (auto const& one : member_at(answer, "certificates"))
        if (fits(one, by)) kept.push_back(one);
    if (!selected.is_object()) selected = json::object();
    selected["certificates"] = std::move(kept);
    if (by.node.empty()) return selected;
    for (auto const* const key : {"not_answering", "bundles"}) {
        auto of_node = json::array();
        for (auto const& one : member_at(answer, key))
            if (text_at(one, "node") == by.node) of_node.push_back(one);
        selected[key] = std::move(of_node);
    }
    return selected;
}

std::string draw_certificates(json const& answer, page const& on) {
    table t({"SERVICE", "NODE", "SERIAL", "EXPIRES", "RENEWS AT", "STATE", "VERIFIED"});
    std::string troubles;
    for (auto const& one : member_at(answer, "certificates")) {
        bool const verified = flag_at(one, "verified");
        t.add({{text_at(one, "service")},
               {text_at(one, "node")},
               {text_at(one, "serial").substr(0, 16)},
               {text_at(one, "expires")},
               {text_at(one, "renews")},
               state_of(one),
               {verified ? "yes" : "no", verified ? look::good : look::bad}});
        if (auto const trouble = text_at(one, "trouble"); !trouble.empty())
            troubles += printable(text_at(one, "service")) + " on " +
                        printable(text_at(one, "node")) + ": " + printable(trouble) + "\n";
    }
    auto drawn = t.empty() ? std::string("no service of the configuration has `tls`\n")
                           : t.draw(on) + troubles;
    return drawn + silent_nodes(answer);
}

std::string draw_certificate(json const& one) {
    std::string drawn;
    for (auto const* key :
         {"service", "node", "serial", "issuer", "trusted", "not_before", "expires", "renews",
          "state", "generation", "recipe", "folder", "trouble"}) {
        auto const text = text_at(one, key);
        if (!text.empty()) drawn += std::string(key) + ": " + printable(text) + "\n";
    }
    return drawn + "verified: " + (flag_at(one, "verified") ? "yes" : "no") + "\n";
}

json trust_of(json const& answer) {
    auto const& bundles = member_at(answer, "bundles");
    auto services = json::array();
    for (auto const& one : member_at(answer, "certificates")) {
        auto const bundle = bundle_of(bundles, text_at(one, "node"));
        auto const trusted = text_at(one, "trusted");
        services.push_back({{"service", text_at(one, "service")},
                            {"node", text_at(one, "node")},
                            {"trusted", trusted},
                            {"current", !trusted.empty() && trusted == text_at(bundle, "hash")},
                            {"settled", is_settled(one)}});
    }
    auto seen = json::array();
    for (auto const& one : bundles)
        // A node that keeps no certificate does not look.
        if (!text_at(one, "hash").empty() || !text_at(one, "trouble").empty()) seen.push_back(one);
    return {{"bundles", std::move(seen)},
            {"services", std::move(services)},
            {"not_answering", member_at(answer, "not_answering")}};
}

bool trust_is_degraded(json const& trust) {
    if (!member_at(trust, "not_answering").empty()) return true;
    auto const& bundles = member_at(trust, "bundles");
    for (auto const& one : bundles)
        if (text_at(one, "hash").empty() || text_at(one, "hash") != text_at(bundles[0], "hash"))
            return true;
    auto const& services = member_at(trust, "services");
    return !std::all_of(services.begin(), services.end(), [](json const& one) {
        return flag_at(one, "current") && flag_at(one, "settled");
    });
}

std::string draw_trust(json const& trust, page const& on) {
    std::string drawn;
    table bundles({"NODE", "BUNDLE", "CA", "SERIAL", "EXPIRES"});
    for (auto const& one : member_at(trust, "bundles")) {
        if (auto const trouble = text_at(one, "trouble"); !trouble.empty())
            drawn += printable(text_at(one, "node")) +
                     " cannot see the CAs in Vault: " + printable(trouble) + "\n";
        for (auto const& ca : member_at(one, "authorities"))
            bundles.add({{text_at(one, "node")},
                         {text_at(one, "hash").substr(0, 16)},
                         {text_at(ca, "name")},
                         {text_at(ca, "serial").substr(0, 16)},
                         {text_at(ca, "expires")}});
    }
    table services({"SERVICE", "NODE", "TRUSTS", "CURRENT", "STATE"});
    for (auto const& one : member_at(trust, "services")) {
        bool const current = flag_at(one, "current");
        bool const settled = flag_at(one, "settled");
        services.add({{text_at(one, "service")},
                      {text_at(one, "node")},
                      {text_at(one, "trusted").substr(0, 16)},
                      {current ? "yes" : "no", current ? look::good : look::bad},
                      {settled ? "settled" : "under way", settled ? look::good : look::warning}});
    }
    auto tables = bundles.draw(on);
    if (!services.empty()) tables += "\n" + services.draw(on);
    return tables + drawn + draw_crls(member_at(trust, "bundles"), on) + silent_nodes(trust);
}

bool is_settled(json const& one) {
    return flag_at(one, "verified") && text_at(one, "state") == "verified" &&
           text_at(one, "trouble").empty();
}

bool certificates_are_degraded(json const& answer) {
    if (!member_at(answer, "not_answering").empty()) return true;
    auto const& all = member_at(answer, "certificates");
    return !std::all_of(all.begin(), all.end(), is_settled);
}

json find_certificate(json const& answer, json const& like) {
    for (auto const& one : member_at(answer, "certificates"))
        if (text_at(one, "service") == text_at(like, "service") &&
            text_at(one, "node") == text_at(like, "node"))
            return one;
    return {};
}

std::string plain_serial(std::string const& text) {
    constexpr std::size_t digits_min = 8;
    std::string plain;
    for (char c : text) {
        if (c == ':') continue;
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
        bool const digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (!digit) return {};
        plain += c;
    }
    return plain.size() < digits_min ? std::string() : plain;
}

result<json> select_revoked(json const& answer, std::string const& what, std::string const& node) {
    auto const serial = plain_serial(what);
    auto selected = select_certificates(answer, {{}, node});
    auto kept = json::array();
    for (auto const& one : member_at(selected, "certificates")) {
        bool const named = text_at(one, "service") == what;
        bool const begins = !serial.empty() && text_at(one, "serial").starts_with(serial);
        if (named || begins) kept.push_back(one);
    }
    if (kept.empty())
        return failure{errc::not_found,
                       "no certificate in use is of the service, or has the serial, " + what +
                           (node.empty() ? "" : " on node " + node)};
    selected["certificates"] = std::move(kept);
    return {boost::system::in_place_value, std::move(selected)};
}

result<void> all_are_there(json const& selected, certs_filter const& by) {
    auto const& all = member_at(selected, "certificates");
    for (auto const& service : by.services) {
        auto const is = [&](json const& one) { return text_at(one, "service") == service; };
        if (std::none_of(all.begin(), all.end(), is))
            return failure{errc::not_found, "no node" + (by.node.empty() ? "" : " " + by.node) +
                                                " keeps a certificate of " + service};
    }
    if (all.empty())
        return failure{errc::not_found,
                       "there is no certificate" + (by.node.empty() ? "" : " on node " + by.node)};
    return {};
}

}  // namespace bevmesh::cli
