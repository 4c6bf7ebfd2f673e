#include "mesh/os/descriptor.hpp"

#include <cerrno>
#include <unistd.h>

namespace bevmesh {

descriptor& descriptor::operator=(descriptor&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

void descriptor::reset() noexcept {
    if (fd_ < 0) return;
    auto const before = errno;
    ::close(release());
    errno = before;
}

bool write_all(int fd, std::string_view content) noexcept {
    while (!content.empty()) {
        auto const n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace bevmesh
