#include "tests/failover/guard/allocation.hpp"

#include <atomic>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
// As LLVM's sanitizer/allocator_interface.h has it, which Debian's g++ does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(void const volatile*,
                                                                             std::size_t),
                                                         void (*free_hook)(void const volatile*));
#endif

namespace bevmesh::testing {
namespace {

thread_local bool counting = false;
std::atomic<std::size_t> counted = 0;

void note() {
    if (counting) counted.fetch_add(1);
}

}  // namespace

std::size_t allocations_counted() {
    return counted.load();
}

#if defined(__SANITIZE_ADDRESS__)

void count_allocations_here() {
    static bool const installed =
        __sanitizer_install_malloc_and_free_hooks([](void const volatile*, std::size_t) { note(); },
                                                  [](void const volatile*) {}) > 0;
    counting = installed;
    if (!installed) counted = 1;  // a test that sees nothing must not pass
}

}  // namespace bevmesh::testing

#else

void count_allocations_here() {
    counting = true;
}

}  // namespace bevmesh::testing

// glibc's own, under the name that it keeps for whoever replaces malloc.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* malloc(std::size_t size) {
    bevmesh::testing::note();
    return __libc_malloc(size);
}

#endif
