#include "failover/facts.hpp"

#include <algorithm>

namespace bevmesh::failover {

bool history::contains(std::string_view line, position at) const {
    if (line == id) return true;
    return std::any_of(ancestors.begin(), ancestors.end(),
                       [&](ancestor const& a) { return a.id == line && at <= a.end; });
}

bool history::descends_from(std::string_view line) const {
    if (line == id) return true;
    return std::any_of(ancestors.begin(), ancestors.end(),
                       [&](ancestor const& a) { return a.id == line; });
}

std::string_view name(role r) noexcept {
    switch (r) {
        case role::none:
            return "none";
        case role::primary:
            return "primary";
        case role::replica:
            return "replica";
    }
    return "?";
}

std::string_view name(condition c) noexcept {
    switch (c) {
        case condition::ok:
            return "ok";
        case condition::refused:
            return "refuses connections";
        case condition::hung:
            return "hangs";
        case condition::write_fails:
            return "takes no writes";
        case condition::loading:
            return "loads its data";
        case condition::busy:
            return "is busy with a script";
        case condition::recovering:
            return "is recovering";
        case condition::bad_credentials:
            return "refuses our credentials";
        case condition::foreign_data:
            return "holds another cluster's data";
    }
    return "?";
}

}  // namespace bevmesh::failover
