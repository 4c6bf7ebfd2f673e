#include "mesh/cli/rotation.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "certs/recipes.hpp"
#include "certs/waves.hpp"
#include "mesh/cli/certs_view.hpp"
#include "mesh/cli/fields.hpp"
#include "mesh/cli/pause.hpp"
#include "mesh/cli/text.hpp"
#include "mesh/net/clock.hpp"

namespace bevmesh::cli {

using certs::rotation_step;
using nlohmann::json;

namespace {

constexpr milliseconds look_each{25};
/// A trouble from before is told until the new certificate is under way, and one that an election
/// of Vault's servers brings (2 to 5 s, measured with three of OpenBao) is over by itself.
constexpr milliseconds trouble_counts_after{10'000};

std::string turn_of(json const& one) {
    auto const* const recipe = certs::find_recipe(text_at(one, "recipe"));
    return recipe != nullptr && certs::restarts(*recipe) ? "a restart" : text_at(one, "service");
}

class wave {
public:
    wave(settings const& how, std::vector<json> before, milliseconds wait, rotated done)
        : daemon_(how.daemon()),
          before_(std::move(before)),
          wait_(wait),
          done_(std::move(done)),
          begun_(before_.size()) {
        for (auto const& each : before_)
            steps_.push_back({turn_of(each), rotation_step::waiting});
    }

    /// The first that failed.
    std::optional<std::pair<std::size_t, failure>> run() {
        for (;;) {
            if (!failed_)
                for (auto const i : certs::to_begin(steps_))
                    ask(i);
            look();
            if (!any(rotation_step::under_way) && (failed_ || !any(rotation_step::waiting))) break;
            pause_for(look_each);
        }
        return failed_;
    }

private:
    [[nodiscard]] bool any(auto at) const {
        return std::ranges::any_of(steps_, [at](auto const& each) { return each.at == at; });
    }

    void fail(std::size_t i, failure const& f) {
        steps_[i].at = rotation_step::over;
        if (!failed_) failed_ = {i, f};
    }

    void ask(std::size_t i) {
        begun_[i] = net::now();
        steps_[i].at = rotation_step::under_way;
        auto const told = daemon_.post("/v1/certs/rotate?node=" + text_at(before_[i], "node"),
                                       {{"service", text_at(before_[i], "service")}});
        if (!told) fail(i, told.error());
    }

    /// Each node is asked once for all that is under way there.
    void look() {
        std::map<std::string, result<json>> answers;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (steps_[i].at != rotation_step::under_way) continue;
            auto const node = text_at(before_[i], "node");
            if (!answers.contains(node))
                answers.emplace(node, daemon_.get("/v1/certs?node=" + node));
            judge(i, answers.at(node));
        }
    }

    void judge(std::size_t i, result<json> const& answer) {
        auto const& before = before_[i];
        auto const now = answer ? find_certificate(*answer, before) : json();
        auto const passed = std::chrono::duration_cast<milliseconds>(net::now() - begun_[i]);
        bool const other = text_at(now, "serial") != text_at(before, "serial");
        if (other && is_settled(now)) {
            steps_[i].at = rotation_step::over;
            return done_(i, now, passed);
        }
        auto const trouble = text_at(now, "trouble");
        if (!trouble.empty() && passed > trouble_counts_after)
            return fail(i, {errc::remote_error, trouble});
        if (passed <= wait_) return;
        if (!answer) return fail(i, answer.error());
        fail(i, {errc::timed_out,
                 "the new certificate is not at the wire yet: " + text_at(now, "state")});
    }

    daemon_client daemon_;
    std::vector<json> before_;
    milliseconds wait_;
    rotated done_;
    std::vector<rotation_step> steps_;
    std::vector<instant> begun_;
    std::optional<std::pair<std::size_t, failure>> failed_;
};

}  // namespace

result<void> rotate_all(settings const& how, std::vector<json> const& before, milliseconds wait,
                        rotated const& done) {
    auto const failed = wave(how, before, wait, done).run();
    if (!failed) return {};
    auto const& [which, why] = *failed;
    return failure{why.code, name_of_certificate(before[which]) + ": " + why.doing};
}

result<json> rotate_one(settings const& how, json const& before, milliseconds wait) {
    json after;
    rotated const keep = [&](std::size_t, json const& now, milliseconds) { after = now; };
    auto const failed = wave(how, {before}, wait, keep).run();
    if (failed) return failed->second;
    return {boost::system::in_place_value, std::move(after)};
}

std::string name_of_certificate(json const& one) {
    return printable(text_at(one, "service")) + " on " + printable(text_at(one, "node"));
}

}  // namespace bevmesh::cli
