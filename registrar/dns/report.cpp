#include "registrar/dns/report.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::registrar::dns {
namespace {

using json::value;

constexpr std::array outcomes{outcome::found, outcome::empty, outcome::missing, outcome::silent,
                              outcome::refused};

value to_json(reply const& r) {
    value made{{"is", name(r.is)}};
    if (!r.values.empty()) made["values"] = r.values;
    return made;
}

value to_json(name_report const& r) {
    return {{"name", r.name},
            {"a", to_json(r.a)},
            {"aaaa", to_json(r.aaaa)},
            {"srv", to_json(r.srv)},
            {"tcp", to_json(r.tcp)}};
}

reply read_reply(value const& v, char const* key) {
    auto const& at = json::member(v, key);
    auto const word = json::text(at, "is");
    for (auto const o : outcomes)
        if (name(o) == word) return {o, json::text_list(at, "values")};
    json::wrong(key, "an answer");
}

template <class T, class Read>
std::vector<T> read_list(value const& v, char const* key, Read read) {
    std::vector<T> all;
    for (auto const& one : json::member(v, key))
        all.push_back(read(one));
    return all;
}

name_report read_name(value const& v) {
    return {json::text(v, "name"), read_reply(v, "a"), read_reply(v, "aaaa"), read_reply(v, "srv"),
            read_reply(v, "tcp")};
}

server_report read_server(value const& v) {
    return {json::text(v, "server"), read_list<name_report>(v, "names", read_name),
            read_reply(v, "missing")};
}

libc_report read_libc(value const& v) {
    return {json::text(v, "name"), read_reply(v, "a")};
}

}  // namespace

std::string_view name(outcome o) noexcept {
    switch (o) {
        case outcome::found:
            return "found";
        case outcome::empty:
            return "empty";
        case outcome::missing:
            return "nxdomain";
        case outcome::silent:
            return "silent";
        case outcome::refused:
            break;
    }
    return "refused";
}

nlohmann::json to_json(server_report const& r) {
    value made{{"server", r.server}, {"missing", to_json(r.missing)}, {"names", value::array()}};
    for (auto const& n : r.names)
        made["names"].push_back(to_json(n));
    return made;
}

nlohmann::json to_json(view_report const& r) {
    value made{{"servers", value::array()},
               {"libc", value::array()},
               {"libc_missing", to_json(r.libc_missing)}};
    for (auto const& s : r.servers)
        made["servers"].push_back(to_json(s));
    for (auto const& l : r.libc)
        made["libc"].push_back({{"name", l.name}, {"a", to_json(l.a)}});
    return made;
}

result<view_report> read_view(std::string_view document) {
    return json::decode(document, "a probe's report", [](value const& v) {
        view_report r;
        r.servers = read_list<server_report>(v, "servers", read_server);
        r.libc = read_list<libc_report>(v, "libc", read_libc);
        r.libc_missing = read_reply(v, "libc_missing");
        return r;
    });
}

}  // namespace bevmesh::registrar::dns
