#include "certs/bundle.hpp"

#include <algorithm>
#include <utility>

namespace bevmesh::certs {

std::vector<std::string> const& bundle_view::take(std::vector<std::string> seen) {
    wanted_ = seen;
    for (auto& each : last_)
        if (std::ranges::find(seen, each) == seen.end()) wanted_.push_back(std::move(each));
    last_ = std::move(seen);
    return wanted_;
}

}  // namespace bevmesh::certs
