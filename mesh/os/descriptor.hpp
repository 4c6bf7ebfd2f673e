// A file descriptor that is ours to close, and writing to one. Nothing here allocates: the guard
// uses it when memory may be gone.
#pragma once

#include <string_view>
#include <utility>

namespace bevmesh {

class descriptor {
public:
    descriptor() = default;
    /// Owns `fd`; negative: none.
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor() { reset(); }

    /// Closes it. errno stays as it is.
    void reset() noexcept;
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// All of it, also over interruptions. False with errno.
[[nodiscard]] bool write_all(int fd, std::string_view content) noexcept;

}  // namespace bevmesh
