// libFuzzer's entry; tests/fuzz/run starts it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/config_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    // The interface gives bytes, the loader takes characters.
    bevmesh::config::check_loader({reinterpret_cast<char const*>(data), size});
    return 0;
}
