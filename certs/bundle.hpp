// The trust bundle as Vault has it, seen again and again.
//
// Pure. Another CA is trusted as soon as it is seen. One that is not there any more is trusted
// until two looks in a row miss it: a server that lags behind may not know it yet, and whoever
// shows its certificates would be cut off for a moment.
#pragma once

#include <string>
#include <vector>

namespace bevmesh::certs {

class bundle_view {
public:
    /// `seen`: PEM each, not empty. What is to be trusted now, PEM each.
    std::vector<std::string> const& take(std::vector<std::string> seen);
    /// Empty: nothing was seen yet.
    [[nodiscard]] std::vector<std::string> const& wanted() const noexcept { return wanted_; }

private:
    std::vector<std::string> last_;
    std::vector<std::string> wanted_;
};

}  // namespace bevmesh::certs
