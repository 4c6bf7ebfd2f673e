// libFuzzer's entry; `tests/fuzz/run --scan` starts it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/scan_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    bevmesh::registrar::scan::check_scan({reinterpret_cast<char const*>(data), size});
    return 0;
}
