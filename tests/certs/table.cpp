#include "tests/certs/table.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace bevmesh::test {

using namespace bevmesh::certs;

table::table() {
    using namespace std::chrono_literals;
    begin_ = wall_ = wall_time(std::chrono::sys_days(2026y / 11 / 27));
    policy.identity = "thanos/redis";
}

void table::give(renewal_event e) {
    waiting_.push_back(std::move(e));
    while (!waiting_.empty()) {
        auto const next = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        auto turn = step(std::move(state), next, now(), policy, random_);
        state = std::move(turn.state);
        wake_ = turn.wake;
        auto const at = std::chrono::duration_cast<minutes>(steady_ - instant(seconds(1'000)));
        for (auto const& action : turn.actions) {
            lines_.push_back(std::to_string(at.count()) + "m " + to_string(action));
            if (auto const* p = std::get_if<certs::perform>(&action)) perform(*p);
        }
    }
}

void table::perform(certs::perform const& a) {
    bool const dies = a.what == dies_in;
    if (dies && !dies_after) return;
    if (a.what == operation::sign) ++signs;
    if (auto const found = fails.find(a.what); found != fails.end()) {
        auto answer = found->second;
        answer.of = a.what;
        waiting_.emplace_back(std::move(answer));
        return;
    }
    succeeded answer{a.what, {}};
    if (a.what == operation::sign) {
        answer.granted = {0, "s" + std::to_string(signs), wall_ - policy.life.backdated,
                          wall_ + ttl};
        answer.granted.issuer = "ca";
        answer.granted.trusted = bundle;
        answer.granted.crl = crl;
    }
    if (a.what == operation::trust) {
        answer.granted = a.on;
        answer.granted.trusted = bundle;
        answer.granted.crl = crl;
    }
    if (a.what == operation::swap) in_use = a.on.generation;
    if (a.what == operation::reload && reload_works) shown = in_use;
    if (dies) return;
    if (a.what == operation::verify && shown != a.on.generation) {
        waiting_.emplace_back(
            failed{operation::verify, fault::local, "shows generation " + std::to_string(shown)});
        return;
    }
    waiting_.emplace_back(std::move(answer));
}

void table::advance(seconds by) {
    auto const end = steady_ + by;
    auto const wall_end = wall_ + by;
    auto const begin = steady_;
    auto const wall_begin = wall_;
    while (wake_ <= end) {
        steady_ = std::max(wake_, steady_);
        wall_ = wall_begin + std::chrono::floor<seconds>(steady_ - begin);
        give(tick{});
    }
    steady_ = end;
    wall_ = wall_end;
}

void table::restart() {
    renewal_state kept;
    kept.proven = state.proven;
    kept.coming = state.coming;
    // In memory alone, it is gone.
    if (kept.coming && kept.coming->at == stage::granted) kept.coming.reset();
    kept.back = state.back;
    kept.generation = state.generation;
    kept.previous = state.previous;
    kept.asked = state.asked;
    kept.hold = state.hold;
    state = kept;
    waiting_.clear();
}

std::vector<std::string> table::done() {
    return std::exchange(lines_, {});
}

table settled() {
    table t;
    t.give(tick{});
    if (!t.state.proven) throw std::logic_error("the first certificate is not proven");
    static_cast<void>(t.done());
    return t;
}

lines deeds(lines all) {
    std::erase_if(all, [](std::string const& line) {
        return line.find("tell: ") != std::string::npos ||
               line.find("warning: ") != std::string::npos ||
               line.find("alarm: ") != std::string::npos;
    });
    return all;
}

std::size_t count(lines const& all, std::string const& part) {
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](std::string const& line) { return line.find(part) != std::string::npos; }));
}

failed local(std::string why) {
    return {operation::none, fault::local, std::move(why)};
}

}  // namespace bevmesh::test
