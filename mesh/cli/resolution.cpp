#include "mesh/cli/resolution.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <map>
#include <string_view>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

/// RFC 1035: labels of 1 to 63 bytes, 253 in all; of the characters that Consul's names may have.
bool is_dns_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    std::size_t label = 0;
    for (char const c : name) {
        bool const fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (c == '.' ? label == 0 : !fits) return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63) return false;
    }
    return label > 0;
}

/// What DNS should answer.
bool is_answered(std::string const& status) {
    return status == "passing" || status == "warning";
}

using rows_by_place = std::map<address_port, resolution::row>;

resolution::row& row_at(rows_by_place& rows, address_port const& place) {
    auto& row = rows[place];
    row.address = place.first;
    row.port = place.second;
    return row;
}

rows_by_place rows_of(dns_side const& dns, api_side const& api) {
    rows_by_place rows;
    if (api.instances != nullptr) {
        for (auto const& i : *api.instances) {
            auto const address = text_at(i, "address");
            auto& row = row_at(rows, {canonical_address(address).value_or(address),
                                      static_cast<std::uint16_t>(number_at(i, "port"))});
            // Registered twice: the one that DNS answers is what the place is judged by.
            if (is_answered(row.status)) continue;
            row.node = text_at(i, "node");
            row.id = text_at(i, "id");
            row.status = text_at(i, "status");
        }
    }
    for (auto const& place : dns.ports)
        row_at(rows, place).in_srv_records = true;
    for (auto const& address : dns.addresses) {
        bool known = false;
        for (auto& [place, row] : rows) {
            if (place.first != address) continue;
            row.in_address_records = true;
            known = true;
        }
        if (!known) row_at(rows, {address, 0}).in_address_records = true;
    }
    return rows;
}

std::string whose(resolution::row const& r) {
    return address_and_port(r.address, r.port) + " (" + r.node + ", " + r.status + ")";
}

/// Several instances may share an address: an A record is right if one of them is to be answered.
bool address_is_wanted(std::vector<resolution::row> const& rows, std::string const& address) {
    return std::ranges::any_of(
        rows, [&](auto const& r) { return r.address == address && is_answered(r.status); });
}

void explain(std::vector<resolution::row> const& rows, std::vector<std::string>& differences) {
    for (auto const& r : rows) {
        bool const known = !r.node.empty() || !r.status.empty();
        bool const literal = canonical_address(r.address).has_value();
        if (known && is_answered(r.status)) {
            // An address that is a name reaches DNS as a CNAME: it has no record of its own to
            // show.
            if (!literal) continue;
            if (!r.in_address_records && !r.in_srv_records)
                differences.push_back("DNS does not answer " + whose(r));
            else if (!r.in_address_records)
                differences.push_back("DNS has an SRV record but no address record for " +
                                      whose(r));
            else if (!r.in_srv_records)
                differences.push_back("DNS has an address record but no SRV record for " +
                                      whose(r));
        } else if (known && (r.in_srv_records ||
                             (r.in_address_records && !address_is_wanted(rows, r.address)))) {
            differences.push_back("DNS answers " + whose(r) + ", which it should not");
        } else if (!known) {
            differences.push_back("DNS answers " + address_and_port(r.address, r.port) +
                                  ", which the API does not know");
        }
    }
}

std::string_view name_of(resolution::verdict v) {
    switch (v) {
        case resolution::verdict::agree:
            return "agree";
        case resolution::verdict::differ:
            return "differ";
        case resolution::verdict::nothing:
            return "nothing";
        case resolution::verdict::unknown:
            break;
    }
    return "unknown";
}

cell mark(bool yes) {
    return yes ? cell{"yes", look::good} : cell{"no", look::muted};
}

std::string verdict_line(resolution const& r, page const& on) {
    std::string const word(name_of(r.is));
    std::string servers;
    for (auto const& s : r.servers)
        servers += (servers.empty() ? "" : ", ") + s;
    if (r.is == resolution::verdict::nothing)
        return paint({word, look::bad}, on) + " answers to " + r.name.dns + ": DNS (" + servers +
               ") and the API have no instance that is passing\n";
    if (r.is == resolution::verdict::unknown) return {};
    return "DNS (" + servers + ") and the API " + paint({word, look_of_status(word)}, on) + "\n";
}

}  // namespace

result<service_name> complete_name(std::string const& name, std::string const& domain) {
    auto text = name;
    if (text.ends_with('.')) text.pop_back();
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (!is_dns_name(text))
        return failure{errc::bad_input,
                       "\"" + name +
                           "\" cannot be a name in DNS; expected letters, digits, - and " +
                           "dots, such as redis"};
    if (text.ends_with("." + domain)) {
        text.resize(text.size() - domain.size() - 1);
        if (!text.ends_with(".service"))
            return failure{errc::bad_input, name + " is not the name of a service; expected " +
                                                "NAME or NAME.service." + domain};
    }
    if (text.ends_with(".service")) text.resize(text.size() - std::string_view(".service").size());
    return service_name{text + ".service." + domain, text};
}

std::optional<std::string> canonical_address(std::string const& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    for (int const family : {AF_INET, AF_INET6})
        if (::inet_pton(family, text.c_str(), bytes.data()) == 1)
            return ::inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
    return std::nullopt;
}

resolution compare(service_name name, dns_side const& dns, api_side const& api) {
    resolution r;
    r.name = std::move(name);
    r.servers = dns.servers;
    for (auto& [place, row] : rows_of(dns, api))
        r.rows.push_back(std::move(row));
    for (auto const& problem : {api.problem, dns.problem})
        if (problem) r.problems.push_back(*problem);
    if (!r.problems.empty()) return r;
    explain(r.rows, r.differences);
    bool const answered = std::ranges::any_of(r.rows, [](auto const& row) {
        return row.in_address_records || row.in_srv_records || is_answered(row.status);
    });
    r.is = !r.differences.empty() ? resolution::verdict::differ
           : answered             ? resolution::verdict::agree
                                  : resolution::verdict::nothing;
    return r;
}

exit_status judge(resolution const& r) {
    if (!r.problems.empty()) return status_of(r.problems.front().code);
    return r.is == resolution::verdict::agree ? exit_status::done : exit_status::degraded;
}

json to_json(resolution const& r) {
    json rows = json::array();
    for (auto const& row : r.rows)
        rows.push_back({{"address", row.address},
                        {"port", row.port},
                        {"node", row.node},
                        {"id", row.id},
                        {"status", row.status},
                        {"dns_address", row.in_address_records},
                        {"dns_srv", row.in_srv_records}});
    json problems = json::array();
    for (auto const& p : r.problems)
        problems.push_back({{"code", name(p.code)}, {"text", p.doing}});
    json all;
    all["name"] = r.name.dns;
    all["servers"] = r.servers;
    all["instances"] = std::move(rows);
    all["differences"] = r.differences;
    all["problems"] = std::move(problems);
    all["verdict"] = name_of(r.is);
    return all;
}

std::string draw(resolution const& r, page const& on) {
    table t({"ADDRESS", "PORT", "NODE", "INSTANCE", "STATUS (API)", "A/AAAA", "SRV"});
    for (auto const& row : r.rows)
        t.add({{row.address},
               {row.port == 0 ? std::string() : std::to_string(row.port)},
               {row.node},
               {row.id},
               {row.status.empty() ? "unknown" : row.status, look_of_status(row.status)},
               mark(row.in_address_records),
               mark(row.in_srv_records)});
    auto drawn = paint({r.name.dns, look::title}, on) + "\n";
    if (!t.empty()) drawn += t.draw(on);
    drawn += verdict_line(r, on);
    for (auto const& d : r.differences)
        drawn += "  " + paint({d}, on) + "\n";
    return drawn;
}

}  // namespace bevmesh::cli
