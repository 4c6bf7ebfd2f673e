#include "mesh/vault/route.hpp"

#include <algorithm>

namespace bevmesh::vault {

address_book::address_book(std::size_t count, std::size_t first) : failed_(count) {
    for (std::size_t i = 0; i < count; ++i)
        preferred_.push_back((first + i) % count);
}

std::vector<std::size_t> address_book::order(instant now) const {
    auto ordered = preferred_;
    auto const when = [&](std::size_t server) {
        auto const& failed = failed_[server];
        return failed && now - *failed < grudge ? *failed : instant();
    };
    std::ranges::stable_sort(ordered, {}, when);
    return ordered;
}

void address_book::failed(std::size_t server, instant now) {
    failed_[server] = now;
}

void address_book::answered(std::size_t server) {
    failed_[server].reset();
}

route::route(std::vector<std::size_t> order, std::vector<std::string> const& origins,
             bool doubt_wrong)
    : waiting_(std::move(order)), origins_(origins), doubt_wrong_(doubt_wrong) {}

std::optional<std::size_t> route::next() const {
    if (waiting_.empty() || believed()) return std::nullopt;
    return waiting_.front();
}

void route::go_on() {
    waiting_.erase(waiting_.begin());
}

bool route::answered(verdict const& v, failure told) {
    switch (v.what) {
        case meaning::good:
        case meaning::absent:
        case meaning::other:
            return true;
        case meaning::wrong:
            if (!doubt_wrong_) return true;
            break;
        case meaning::unknown_token:
            ++unknown_tokens_;
            break;
        case meaning::denied:
            break;
        case meaning::redirect: {
            go_on();
            auto const origin = origin_of(v.location);
            auto const leader = std::ranges::find_if(
                waiting_, [&](std::size_t server) { return origins_[server] == origin; });
            if (leader != waiting_.end()) std::rotate(waiting_.begin(), leader, leader + 1);
            told.code = errc::remote_error;
            told.doing += " at " + (origin.empty() ? "no address" : origin);
            troubles_.push_back(std::move(told));
            return false;
        }
        case meaning::elsewhere:
            told.code = errc::remote_error;
            failed(std::move(told));
            return false;
    }
    ++refusals_;
    refusal_ = std::move(told);
    go_on();
    return false;
}

void route::failed(failure why) {
    troubles_.push_back(std::move(why));
    go_on();
}

failure route::outcome() const {
    if (refusal_ && believed()) return *refusal_;
    if (troubles_.empty() && !refusal_) return {errc::unreachable, "Vault: no address to ask"};
    failure all;
    all.code = troubles_.empty() ? errc::remote_error : troubles_.back().code;
    for (auto const& trouble : troubles_)
        all.doing += (all.doing.empty() ? "" : "; ") + trouble.doing;
    if (refusal_) {
        all.doing += (all.doing.empty() ? "" : "; ") + refusal_->doing;
        all.doing += ", which is not believed while most servers cannot be asked";
    }
    return all;
}

bool route::token_unknown() const {
    return unknown_tokens_ * 2 > origins_.size();
}

}  // namespace bevmesh::vault
