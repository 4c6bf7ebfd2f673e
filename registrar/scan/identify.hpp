// Whose address a reference has. Pure.
//
// High: the address and the port are one service's and no other's. Medium: the address is a node's
// and the key names one service of that node; or what is configured there is elsewhere right now.
// Low: something contradicts, or the name would not reach the same thing: never written unasked.
// Unknown: anything else. A name that is only likely is worse than none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registrar/scan/inventory.hpp"
#include "registrar/scan/reference.hpp"

namespace bevmesh::registrar::scan {

enum class confidence { unknown, low, medium, high };

[[nodiscard]] std::string_view name(confidence c) noexcept;

struct verdict {
    confidence sure = confidence::unknown;
    std::string service;                  // empty: unknown
    std::string name;                     // to write instead; empty: none would do
    std::vector<std::string> candidates;  // where it could be several
    std::string reason;                   // a sentence for people
};

[[nodiscard]] verdict identify(reference const& ref, inventory const& mesh);

}  // namespace bevmesh::registrar::scan
