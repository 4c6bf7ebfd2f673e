#include "mesh/cli/rotation.hpp"

#include <nlohmann/json.hpp>

#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::cli {

using nlohmann::json;

namespace {

constexpr milliseconds look_each{25};
/// A trouble from before is told until the new certificate is under way.
constexpr milliseconds trouble_counts_after{3'000};

}  // namespace

result<json> rotate_one(settings const& how, json const& before, milliseconds wait) {
    auto const daemon = how.daemon();
    auto const node = text_at(before, "node");
    json const asked{{"service", text_at(before, "service")}};
    auto const told = daemon.post("/v1/certs/rotate?node=" + node, asked);
    if (!told) return told.error();
    auto const begun = net::now();
    for (;;) {
        auto const answer = daemon.get("/v1/certs?node=" + node);
        auto const now = answer ? find_certificate(*answer, before) : json();
        auto const passed = net::now() - begun;
        bool const other = text_at(now, "serial") != text_at(before, "serial");
        if (other && is_settled(now)) return {boost::system::in_place_value, now};
        auto const trouble = text_at(now, "trouble");
        if (!trouble.empty() && passed > trouble_counts_after)
            return failure{errc::remote_error, trouble};
        if (passed > wait)
            return answer
                       ? failure{errc::timed_out, "the new certificate is not at the wire yet: " +
                                                      text_at(now, "state")}
                       : answer.error();
        pause_for(look_each);
    }
}

}  // namespace bevmesh::cli
