#include "failover/guard/socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace bevmesh::failover::guard {
namespace {

constexpr std::size_t passed_max = 4;

result<sockaddr_un> address_of(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return failure{errc::bad_input, "the guard's socket " + path + ": too long for a path"};
    path.copy(address.sun_path, path.size());
    return address;
}

failure trouble(std::string const& path, std::string const& what, errc code = errc::local_error) {
    return {code, "the guard's socket " + path + ": " + what + ": " + std::strerror(errno)};
}

sockaddr const* generic(sockaddr_un const& address) {
    return reinterpret_cast<sockaddr const*>(&address);
}

}  // namespace

result<descriptor> open_listener(std::string const& path, uid_t owner) {
    auto const address = address_of(path);
    if (!address) return address.error();
    descriptor made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made) return trouble(path, "make");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return trouble(path, "replace");
    auto const old_mask = ::umask(S_IXUSR | S_IRWXG | S_IRWXO);
    auto const bound = ::bind(made.get(), generic(*address), sizeof *address);
    ::umask(old_mask);
    if (bound != 0) return trouble(path, "bind");
    if (owner != 0 && ::chown(path.c_str(), owner, gid_t(-1)) != 0) return trouble(path, "chown");
    if (::listen(made.get(), 8) != 0) return trouble(path, "listen");
    return made;
}

result<descriptor> connect_to(std::string const& path) {
    auto const address = address_of(path);
    if (!address) return address.error();
    descriptor made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made) return trouble(path, "make");
    // A unix socket connects at once or not at all; a full backlog is a guard that does not run.
    if (::connect(made.get(), generic(*address), sizeof *address) != 0)
        return trouble(path, "connect", errno == EACCES ? errc::forbidden : errc::unreachable);
    return made;
}

std::optional<peer_id> peer_of(int connection) noexcept {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
    return peer_id{who.pid, who.uid};
}

message receive(int connection, std::span<char> into) noexcept {
    iovec part{into.data(), into.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * passed_max)> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto const n = ::recvmsg(connection, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    message got;
    if (n < 0) {
        bool const again = errno == EAGAIN || errno == EINTR;
        got.what = again ? received::nothing_yet : received::closed;
        return got;
    }
    for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        auto const count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            got.passed = descriptor(fd);  // of several, the last stays and the others are closed
        }
    }
    if (n == 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return got;
    got.what = received::message;
    got.size = static_cast<std::size_t>(n);
    return got;
}

bool send(int connection, std::span<char const> bytes, int passed) noexcept {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (passed >= 0) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        auto* const c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof passed);
        std::memcpy(CMSG_DATA(c), &passed, sizeof passed);
    }
    auto const n = ::sendmsg(connection, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n == static_cast<ssize_t>(bytes.size());
}

}  // namespace bevmesh::failover::guard
