#include "registrar/dns/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr std::size_t size_max = 1U << 20U;

failure system_failure(std::string const& doing) {
    return {errno == EACCES || errno == EPERM ? errc::forbidden : errc::local_error,
            doing + ": " + std::strerror(errno)};
}

std::string folder_of(std::string const& path) {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

/// So that a name is there after a power cut, too.
result<void> sync_folder(std::string const& path) {
    descriptor const folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0)
        return system_failure("sync " + folder_of(path));
    return {};
}

std::string temporary(std::string const& path) {
    auto const folder = folder_of(path);
    return folder + "/.bevmesh-" + path.substr(folder.size() + 1) + ".new";
}

result<void> move_into_place(std::string const& from, std::string const& path) {
    if (::rename(from.c_str(), path.c_str()) != 0) {
        auto const failed = system_failure("replace " + path +
                                           (errno == EBUSY ? " (it is a mount of its own)" : ""));
        ::unlink(from.c_str());
        return failed;
    }
    return sync_folder(path);
}

}  // namespace

result<std::optional<std::string>> read_text(std::string const& path) {
    descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
        return system_failure("read " + path);
    }
    std::string text;
    std::array<char, 16384> piece{};
    for (;;) {
        auto const n = ::read(file.get(), piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_failure("read " + path);
        if (n == 0) return std::optional<std::string>(std::move(text));
        text.append(piece.data(), static_cast<std::size_t>(n));
        if (text.size() > size_max) return failure{errc::too_large, "read " + path + ": too large"};
    }
}

result<standing> look_at(std::string const& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return standing{};
        return system_failure("look at " + path);
    }
    standing found;
    if (S_ISLNK(info.st_mode)) {
        found.is = standing::kind::link;
        std::array<char, PATH_MAX> target{};
        auto const n = ::readlink(path.c_str(), target.data(), target.size());
        if (n < 0) return system_failure("read the link " + path);
        found.target.assign(target.data(), static_cast<std::size_t>(n));
    } else if (S_ISREG(info.st_mode)) {
        found.is = standing::kind::file;
        auto text = read_text(path);
        if (!text) return text.error();
        found.content = std::move(*text).value_or("");
    } else {
        found.is = standing::kind::other;
    }
    return found;
}

result<void> put_file(std::string const& path, std::string_view content, unsigned mode) {
    auto const name = temporary(path);
    ::unlink(name.c_str());
    {
        descriptor const file(
            ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
        if (file.get() < 0) return system_failure("create " + name);
        if (::fchmod(file.get(), mode) != 0 || !write_all(file.get(), content) ||
            ::fsync(file.get()) != 0) {
            auto const failed = system_failure("write " + name);
            ::unlink(name.c_str());
            return failed;
        }
    }
    return move_into_place(name, path);
}

result<void> put_link(std::string const& path, std::string const& target) {
    auto const name = temporary(path);
    ::unlink(name.c_str());
    if (::symlink(target.c_str(), name.c_str()) != 0) return system_failure("create " + name);
    return move_into_place(name, path);
}

std::vector<std::string> missing_folders(std::string const& path) {
    std::vector<std::string> missing;
    for (auto folder = folder_of(path); folder.size() > 1; folder = folder_of(folder)) {
        struct stat info{};
        if (::stat(folder.c_str(), &info) == 0) break;
        missing.insert(missing.begin(), folder);
    }
    return missing;
}

result<void> make_folder(std::string const& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) == 0) {
        if (::chmod(path.c_str(), mode) != 0) return system_failure("make " + path);
        return sync_folder(path);
    }
    if (errno == EEXIST) return {};
    return system_failure("make " + path);
}

result<void> keep_beside(std::string const& path, std::string const& kept) {
    // Without AT_SYMLINK_FOLLOW: a link is kept as the link that it is.
    if (::linkat(AT_FDCWD, path.c_str(), AT_FDCWD, kept.c_str(), 0) == 0) return sync_folder(kept);
    if (errno == EEXIST) {
        struct stat a{};
        struct stat b{};
        if (::lstat(path.c_str(), &a) == 0 && ::lstat(kept.c_str(), &b) == 0 &&
            a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return {};
        errno = EEXIST;
    }
    return system_failure("keep " + path + " as " + kept);
}

result<void> put_back(std::string const& kept, std::string const& path) {
    if (::rename(kept.c_str(), path.c_str()) != 0)
        return system_failure("put " + kept + " back as " + path);
    // Between two names of one inode rename() does nothing.
    ::unlink(kept.c_str());
    return sync_folder(path);
}

void remove_leftover(std::string const& path) {
    ::unlink(temporary(path).c_str());
}

result<void> remove_file(std::string const& path) {
    if (::unlink(path.c_str()) == 0) return sync_folder(path);
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return system_failure("remove " + path);
}

void remove_folder(std::string const& path) {
    ::rmdir(path.c_str());
}

}  // namespace bevmesh::registrar::dns
