#include "failover/state.hpp"

namespace bevmesh::failover {

std::string_view name(stage s) noexcept {
    switch (s) {
        case stage::observing:
            return "observing";
        case stage::consulting:
            return "consulting";
        case stage::taking:
            return "taking";
        case stage::ending_streams:
            return "ending streams";
        case stage::arming:
            return "arming";
        case stage::promoting:
            return "promoting";
        case stage::proving:
            return "proving";
        case stage::publishing:
            return "publishing";
        case stage::serving:
            return "serving";
        case stage::withdrawing:
            return "withdrawing";
        case stage::draining:
            return "draining";
        case stage::fencing:
            return "fencing";
        case stage::forgetting:
            return "forgetting";
        case stage::releasing:
            return "releasing";
    }
    return "?";
}

}  // namespace bevmesh::failover
