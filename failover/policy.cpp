#include "failover/policy.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "mesh/base/fnv1a.hpp"

namespace bevmesh::failover {

namespace {

std::string text(double seconds) {
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.4g", seconds);
    return digits.data();
}

double in_seconds(nanoseconds n) {
    return std::chrono::duration<double>(n).count();
}

/// "h + 3R + F = 0.5 + 3 × 0.5 + 0.5 = 2.5 s, over L = 2 s"
std::string over(std::string_view sum, std::string const& with_numbers, double total,
                 std::string_view bound_name, nanoseconds bound) {
    return std::string(sum) + " = " + with_numbers + " = " + text(total) + " s, over " +
           std::string(bound_name) + " = " + text(in_seconds(bound)) + " s";
}

std::string hash_of(policy const& p) {
    auto all = p.group + ' ' + p.preferred + ' ' + std::to_string(static_cast<int>(p.kind)) + ' ' +
               std::to_string(static_cast<int>(p.sync)) + ' ' + std::to_string(p.any_of);
    for (auto const& member : p.members)
        all += ' ' + member;
    auto const& t = p.timing;
    for (auto const each :
         {t.renew, t.request, t.fence, t.lease, t.promise, t.kill, t.observer, p.planned_term}) {
        all += ' ' + std::to_string(each.count());
    }
    fnv1a hash;
    hash.add(all);
    return hash.hex();
}

std::string sum_that_is_over(timing const& t) {
    auto const h = in_seconds(t.renew);
    auto const request = in_seconds(t.request);
    auto const fence = in_seconds(t.fence);
    if (auto const renewals = t.renew + 3 * t.request + t.fence; renewals > t.lease) {
        return over("h + 3R + F", text(h) + " + 3 × " + text(request) + " + " + text(fence),
                    in_seconds(renewals), "L", t.lease) +
               ": a lost answer would cost the lease";
    }
    if (auto const rounds = t.promise + 2 * t.request + t.fence; rounds > t.lease) {
        return over("p + 2R + F",
                    text(in_seconds(t.promise)) + " + 2 × " + text(request) + " + " + text(fence),
                    in_seconds(rounds), "L", t.lease) +
               ": a round of promises would come too late";
    }
    auto const r = t.rate_error;
    auto const stretched = in_seconds(t.lease) * (1 + r) / (1 - r);
    auto const killed = in_seconds(t.kill) * (1 + r);
    if (stretched + killed > in_seconds(t.observer)) {
        return over("L (1+r)/(1-r) + K (1+r)", text(stretched) + " + " + text(killed),
                    stretched + killed, "O", t.observer) +
               ": an observer could take while the holder still serves";
    }
    return {};
}

}  // namespace

std::optional<timing> profile(std::string_view name) {
    using std::chrono::milliseconds;
    if (name == "tailnet") {
        return timing{milliseconds(500),  milliseconds(500), milliseconds(500), milliseconds(4500),
                      milliseconds(1500), milliseconds(200), milliseconds(5250)};
    }
    if (name == "lan") {
        return timing{milliseconds(200), milliseconds(150), milliseconds(300), milliseconds(1000),
                      milliseconds(350), milliseconds(100), milliseconds(1250)};
    }
    if (name == "wan") {
        return timing{milliseconds(2000), milliseconds(2000), milliseconds(1000),
                      milliseconds(9500), milliseconds(4000), milliseconds(200),
                      milliseconds(11000)};
    }
    return std::nullopt;
}

std::string problem_of(timing const& t, std::string_view profile) {
    auto const every =
        std::array{t.renew, t.request, t.fence, t.lease, t.promise, t.kill, t.observer};
    if (std::any_of(every.begin(), every.end(), [](nanoseconds n) { return n.count() <= 0; })) {
        return "profile " + std::string(profile) + ": every duration must be above zero";
    }
    if (t.rate_error < 0 || t.rate_error >= 0.5) {
        return "profile " + std::string(profile) + ": the clock rate error must be below one half";
    }
    auto const sum = sum_that_is_over(t);
    return sum.empty() ? sum : "profile " + std::string(profile) + ": " + sum;
}

nanoseconds longest_term(timing const& t) {
    // The holder's term on the slowest clock, seen by the observer with the fastest one:
    // term (1+r)/(1-r) + K (1+r) <= term + O.
    auto const r = t.rate_error;
    if (r <= 0) return std::chrono::hours(1);
    auto const spare = in_seconds(t.observer) - in_seconds(t.kill) * (1 + r);
    return std::chrono::duration_cast<milliseconds>(
        std::chrono::duration<double>(spare * (1 - r) / (2 * r)));
}

result<policy> checked(policy wanted, std::string_view profile) {
    auto const bad = [&](std::string const& why) {
        return failure{errc::bad_input, "failover group " + wanted.group + ": " + why};
    };
    if (auto const why = problem_of(wanted.timing, profile); !why.empty()) return bad(why);
    if (std::find(wanted.members.begin(), wanted.members.end(), wanted.self) ==
        wanted.members.end()) {
        return bad("this node, " + wanted.self + ", is no member");
    }
    std::sort(wanted.members.begin(), wanted.members.end());
    if (std::adjacent_find(wanted.members.begin(), wanted.members.end()) != wanted.members.end()) {
        return bad("a member is named twice");
    }
    if (wanted.planned_term.count() != 0 && wanted.planned_term < wanted.timing.lease) {
        return bad("a term for a planned restart below L = " +
                   text(in_seconds(wanted.timing.lease)) + " s would shorten the lease");
    }
    if (wanted.planned_term > longest_term(wanted.timing)) {
        return bad("a term of " + text(in_seconds(wanted.planned_term)) +
                   " s for a planned restart is over " +
                   text(in_seconds(longest_term(wanted.timing))) +
                   " s, for which an observer's term + O is still long enough");
    }
    if (wanted.any_of >= wanted.members.size() && wanted.any_of != 0) {
        return bad("a write cannot wait for " + std::to_string(wanted.any_of) + " of " +
                   std::to_string(wanted.members.size() - 1) + " replicas");
    }
    wanted.configuration = hash_of(wanted);
    return wanted;
}

}  // namespace bevmesh::failover
