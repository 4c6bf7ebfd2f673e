#include "certs/kept.hpp"

#include <array>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::certs {
namespace {

constexpr std::array kept_stages{stage::issued, stage::installed, stage::reloaded};

json::value encode(leaf const& l) {
    return {{"generation", l.generation},
            {"serial", l.serial},
            {"not_before", l.not_before.time_since_epoch().count()},
            {"not_after", l.not_after.time_since_epoch().count()},
            {"wanted", l.wanted},
            {"issuer", l.issuer},
            {"trusted", l.trusted},
            {"crl", l.crl}};
}

leaf decode(json::value const& v) {
    return {json::number<unsigned>(v, "generation"),
            json::text(v, "serial"),
            wall_time(seconds(json::number<std::int64_t>(v, "not_before"))),
            wall_time(seconds(json::number<std::int64_t>(v, "not_after"))),
            json::text(v, "wanted"),
            json::text(v, "issuer"),
            json::text(v, "trusted"),
            json::text(v, "crl")};
}

stage stage_named(json::value const& v, char const* key) {
    auto const text = json::text(v, key);
    for (auto const each : kept_stages)
        if (name(each) == text) return each;
    json::wrong(key, "issued, installed or reloaded");
}

}  // namespace

std::string encode_kept(renewal_state const& state) {
    json::value out{
        {"generation", state.generation}, {"previous", state.previous}, {"asked", state.asked}};
    if (state.proven) out["proven"] = encode(*state.proven);
    if (state.hold)
        out["hold"] = {{"until", state.hold->until.time_since_epoch().count()},
                       {"wanted", state.hold->wanted}};
    // What is in memory alone is not there after a restart.
    if (state.coming && state.coming->at != stage::granted) {
        out["coming"] = encode(state.coming->is);
        out["coming"]["at"] = name(state.coming->at);
        if (state.back) out["back"] = name(*state.back);
    }
    return out.dump(2) + "\n";
}

result<renewal_state> decode_kept(std::string_view document) {
    return json::decode(document, "the kept renewal", [](json::value const& v) {
        renewal_state s;
        s.generation = json::number<unsigned>(v, "generation");
        s.previous = json::number<unsigned>(v, "previous");
        s.asked = json::flag(v, "asked");
        auto const& proven = json::member(v, "proven");
        if (!proven.is_null()) s.proven = decode(proven);
        auto const& coming = json::member(v, "coming");
        if (!coming.is_null()) s.coming = coming_leaf{decode(coming), stage_named(coming, "at")};
        auto const& hold = json::member(v, "hold");
        if (!hold.is_null())
            s.hold = grant_hold{wall_time(seconds(json::number<std::int64_t>(hold, "until"))),
                                json::text(hold, "wanted")};
        if (!json::member(v, "back").is_null()) s.back = stage_named(v, "back");
        if (s.back && !(s.coming && s.proven))
            json::wrong("back", "a way between two certificates");
        return s;
    });
}

}  // namespace bevmesh::certs
