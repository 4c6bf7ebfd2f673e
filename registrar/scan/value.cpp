#include "registrar/scan/value.hpp"

namespace bevmesh::registrar::scan {

std::size_t decoded::source(std::size_t i) const noexcept {
    return map_.empty() ? base_ + i : map_[i];
}

decoded decoded::slice(std::size_t begin, std::size_t end) const {
    if (map_.empty()) return {view_.substr(begin, end - begin), base_ + begin};
    auto part = made_at(source(begin));
    for (auto i = begin; i < end; ++i)
        part.push(own_[i], map_[i]);
    return part;
}

void decoded::push(char c, std::size_t at) {
    own_ += c;
    map_.back() = static_cast<std::uint32_t>(at);
    map_.push_back(static_cast<std::uint32_t>(at + 1));
}

decoded decoded::made_at(std::size_t at) {
    decoded made;
    made.map_.push_back(static_cast<std::uint32_t>(at));
    return made;
}

}  // namespace bevmesh::registrar::scan
