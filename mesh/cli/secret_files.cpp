#include "mesh/cli/secret_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mesh/daemon/state.hpp"

namespace bevmesh::cli {
namespace {

constexpr std::size_t file_max = 64U << 10U;

failure system_failure(std::string const& doing) {
    return {errc::local_error, doing + ": " + std::strerror(errno)};
}

}  // namespace

result<std::string> read_whole(std::string const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) return std::string();
    if (fd < 0) return system_failure("read " + path);
    std::string text(file_max, '\0');
    auto const n = ::read(fd, text.data(), text.size());
    auto const failed = n < 0 ? system_failure("read " + path) : failure{};
    ::close(fd);
    if (n < 0) return failed;
    text.resize(static_cast<std::size_t>(n));
    return text;
}

result<void> check_directory(std::string const& path) {
    struct stat is{};
    if (::lstat(path.c_str(), &is) != 0) {
        if (errno == ENOENT) return {};
        return system_failure("look at " + path);
    }
    if (!S_ISDIR(is.st_mode)) return failure{errc::local_error, path + " is no directory"};
    if (is.st_uid != ::geteuid() || (is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return failure{errc::local_error,
                       path + ": others may write there; give tokens a directory of your own"};
    return {};
}

result<void> own_directory(std::string const& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_failure("make " + path);
    return check_directory(path);
}

result<secret> read_secret(std::string const& path) {
    auto text = read_whole(path);
    if (!text) return text.error();
    text->resize(std::min(text->find('\n'), text->size()));
    text->resize(text->find_last_not_of(" \t\r") + 1);
    return secret(std::move(*text));
}

result<void> write_secret(std::string const& directory, std::string const& path,
                          secret const& content) {
    auto const node_directory = path.substr(0, path.rfind('/'));
    for (auto const& each : {directory, node_directory})
        if (auto const made = own_directory(each); !made) return made.error();
    return daemon::replace_file(path, content.reveal());
}

}  // namespace bevmesh::cli
