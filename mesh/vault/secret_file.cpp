#include "mesh/vault/secret_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string.h>  // explicit_bzero
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace bevmesh::vault {
namespace {

constexpr std::size_t file_max = 4096;

std::string octal(mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U)
        text[i] = static_cast<char>('0' + (mode & 7U));
    return text;
}

result<void> check(std::string const& path, struct stat const& is) {
    if (!S_ISREG(is.st_mode))
        return failure{errc::local_error, "read " + path + ": it is no regular file"};
    auto const mode = is.st_mode & 07777U;
    if ((mode & (S_IRWXG | S_IRWXO)) != 0)
        return failure{errc::local_error, "read " + path + ": its mode " + octal(mode) +
                                              " lets others at it, expected 0600: chmod 600 " +
                                              path};
    if (is.st_uid != ::geteuid() && is.st_uid != 0)
        return failure{errc::local_error, "read " + path + ": it belongs to user " +
                                              std::to_string(is.st_uid) + ", expected " +
                                              std::to_string(::geteuid()) + " or root"};
    return {};
}

}  // namespace

result<secret> read_secret_file(std::string const& path) {
    auto const failed = [&path](int error) {
        return failure{error == ENOENT ? errc::not_found : errc::local_error,
                       "read " + path + ": " + std::strerror(error)};
    };
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return failed(errno);
    struct stat is{};
    auto checked = ::fstat(fd, &is) == 0 ? check(path, is) : result<void>(failed(errno));
    std::array<char, file_max> bytes{};
    auto const n = checked.has_value() ? ::read(fd, bytes.data(), bytes.size()) : 0;
    auto const error = errno;
    ::close(fd);
    if (checked.has_error()) return checked.error();
    if (n < 0) return failed(error);
    std::string_view line(bytes.data(), static_cast<std::size_t>(n));
    line = line.substr(0, line.find('\n'));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    secret found{std::string(line)};
    ::explicit_bzero(bytes.data(), bytes.size());
    if (found.empty())
        return failure{errc::local_error, "read " + path + ": its first line is empty"};
    return found;
}

}  // namespace bevmesh::vault
