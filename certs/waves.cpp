#include "certs/waves.hpp"

#include <algorithm>
#include <set>

namespace bevmesh::certs {
namespace {

constexpr std::size_t share = 4;  // the third wave reaches one in so many

/// The only node that any is done on; empty: there are several.
std::string only_node(std::vector<rotation_part> const& all) {
    std::string node;
    for (auto const& each : all) {
        if (!each.done || each.node == node) continue;
        if (!node.empty()) return {};
        node = each.node;
    }
    return node;
}

}  // namespace

rotation_wave next_wave(std::vector<rotation_part> const& all) {
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (!all[i].done) left.push_back(i);
    auto const done = all.size() - left.size();
    if (left.empty()) return {wave::rest, {}};
    if (done == 0) return {wave::canary, {left.front()}};
    auto const node = only_node(all);
    auto beside = left;
    std::erase_if(beside, [&](std::size_t i) { return all[i].node != node; });
    if (!beside.empty()) return {wave::node, std::move(beside)};
    auto const quarter = (all.size() + share - 1) / share;
    if (done >= quarter) return {wave::rest, std::move(left)};
    left.resize(std::min(left.size(), quarter - done));
    return {wave::quarter, std::move(left)};
}

std::vector<std::size_t> to_begin(std::vector<rotation_step> const& wave) {
    std::set<std::string_view> taken;
    std::size_t under_way = 0;
    for (auto const& each : wave) {
        if (each.at != rotation_step::under_way) continue;
        taken.insert(each.turn);
        ++under_way;
    }
    std::vector<std::size_t> begin;
    for (std::size_t i = 0; i < wave.size() && under_way < rotations_at_once; ++i) {
        if (wave[i].at != rotation_step::waiting || !taken.insert(wave[i].turn).second) continue;
        begin.push_back(i);
        ++under_way;
    }
    return begin;
}

std::string_view name(wave w) noexcept {
    switch (w) {
        case wave::canary:
            return "canary";
        case wave::node:
            return "node";
        case wave::quarter:
            return "quarter";
        case wave::rest:
            return "rest";
    }
    return "unknown";
}

}  // namespace bevmesh::certs
