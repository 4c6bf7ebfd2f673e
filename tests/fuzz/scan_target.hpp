// What must hold for a scan whatever the bytes are. Shared by the fuzzer and the corpus' replay.
#pragma once

#include <string_view>

#include "registrar/scan/scan.hpp"

namespace bevmesh::registrar::scan {

/// Aborts where it does not hold: a finding that is not where it says or overlaps another, an edit
/// that changes the number of lines, a mask that does.
void check_scan(kind k, std::string_view text);

/// The first byte is the format.
void check_scan(std::string_view bytes);

}  // namespace bevmesh::registrar::scan
