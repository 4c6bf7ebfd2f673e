// What must hold for the loader whatever the bytes are. Shared by the fuzzer and the corpus'
// replay.
#pragma once

#include <string_view>

namespace bevmesh::config {

/// Aborts where it does not hold: a problem without words or outside of the document, a valid
/// configuration that is another one after it was shown and loaded again.
void check_loader(std::string_view bytes);

}  // namespace bevmesh::config
