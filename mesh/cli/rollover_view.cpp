#include "mesh/cli/rollover_view.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/fields.hpp"

namespace bevmesh::cli {

using nlohmann::json;

namespace {

std::string name_of(certs::authority_seen const& a) {
    return a.name.empty() ? a.serial.substr(0, 16) : a.name;
}

/// The name of the CA with this serial, where Vault has one with a key.
std::string issuer_name(certs::rollover_sight const& seen, std::string const& serial) {
    for (auto const& each : seen.authorities)
        if (each.serial == serial && each.has_key) return name_of(each);
    return serial.substr(0, 16);
}

cell state_of(certs::authority_seen const& a) {
    if (a.retired) return {"retired", look::muted};
    if (!a.has_key) return {"trusted", look::plain};
    return a.is_default ? cell{"signs", look::good} : cell{"trusted, signs nothing", look::warning};
}

}  // namespace

std::vector<certs::member_seen> members_of(json const& answer) {
    std::vector<certs::member_seen> all;
    for (auto const& one : member_at(answer, "certificates"))
        all.push_back({text_at(one, "node"), text_at(one, "service"), text_at(one, "issuer"),
                       text_at(one, "trusted"), is_settled(one)});
    return all;
}

std::vector<std::string> silent_of(json const& answer) {
    std::vector<std::string> all;
    for (auto const& one : member_at(answer, "not_answering"))
        all.push_back(text_at(one, "node"));
    return all;
}

json to_json(certs::rollover_sight const& seen, certs::rollover_move const& next) {
    auto authorities = json::array();
    for (auto const& each : seen.authorities)
        authorities.push_back({{"mount", each.mount},
                               {"name", each.name},
                               {"serial", each.serial},
                               {"root", each.root},
                               {"signs", each.is_default && each.has_key},
                               {"retired", each.retired}});
    auto members = json::array();
    for (auto const& each : seen.members)
        members.push_back({{"service", each.service},
                           {"node", each.node},
                           {"issuer", issuer_name(seen, each.issuer)},
                           {"trusts_all", each.trusted == seen.bundle},
                           {"settled", each.settled}});
    return {{"phase", name(next.phase)},
            {"next", name(next.what)},
            {"text", explain(next)},
            {"confirmed", next.confirmed},
            {"of", next.of},
            {"bundle", seen.bundle},
            {"authorities", std::move(authorities)},
            {"certificates", std::move(members)},
            {"not_answering", seen.silent}};
}

std::string draw_rollover(certs::rollover_sight const& seen, page const& on) {
    table authorities({"CA", "MOUNT", "SERIAL", "STATE"});
    for (auto const& each : seen.authorities)
        authorities.add(
            {{name_of(each)}, {each.mount}, {each.serial.substr(0, 16)}, state_of(each)});
    table members({"SERVICE", "NODE", "SIGNED BY", "TRUSTS ALL", "AT THE WIRE"});
    auto const yes_or_no = [](bool is) {
        return is ? cell{"yes", look::good} : cell{"no", look::warning};
    };
    for (auto const& each : seen.members)
        members.add({{each.service},
                     {each.node},
                     {issuer_name(seen, each.issuer)},
                     yes_or_no(each.trusted == seen.bundle),
                     yes_or_no(each.settled)});
    return authorities.draw(on) + (members.empty() ? "" : "\n" + members.draw(on));
}

}  // namespace bevmesh::cli
