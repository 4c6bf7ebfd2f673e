#include "certs/directory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bevmesh::certs {
namespace {

constexpr std::size_t file_max = 1U << 20U;
constexpr std::size_t files_at_once = 32;
// Of what somebody else may have put there: neither followed, nor waited for (a FIFO).
constexpr int careful = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr int as_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// A daemon without the right to give files away says so only where another owner than its own was
/// asked for.
bool give(int fd, ownership const& to, mode_t mode) {
    bool const owned = to.user || to.group;
    auto const user = to.user.value_or(static_cast<uid_t>(-1));
    auto const group = to.group.value_or(static_cast<gid_t>(-1));
    return (!owned || ::fchown(fd, user, group) == 0) && ::fchmod(fd, mode) == 0;
}

failure not_plain(std::string const& path) {
    return {errc::local_error, "open " + path + ": expected a plain name"};
}

}  // namespace

failure system_failure(std::string const& doing) {
    auto const code = errno == ENOENT ? errc::not_found : errc::local_error;
    return {code, doing + ": " + std::strerror(errno)};
}

bool is_plain(std::string_view name) noexcept {
    return !name.empty() && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

/// Each is on its way before the first is waited for, and one commit of the file system's journal
/// has them all.
bool sync_all(std::vector<descriptor> const& files) {
    for (auto const& each : files)
        ::sync_file_range(each.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return std::ranges::all_of(files, [](auto const& each) { return ::fsync(each.get()) == 0; });
}

result<directory> directory::open_at(int at, std::string const& name, std::string path,
                                     ownership const& of) {
    descriptor opened(::openat(at, name.c_str(), as_directory));
    if (!opened) return system_failure("open the directory " + path);
    return directory(std::move(path), of, std::move(opened));
}

result<directory> directory::make_at(int at, std::string const& name, std::string path,
                                     ownership const& of) {
    bool const made = ::mkdirat(at, name.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return system_failure("make the directory " + path);
    auto opened = open_at(at, name, std::move(path), of);
    if (opened.has_value() && made && !give(opened->opened_.get(), of, of.directory))
        return system_failure("give the directory " + opened->path_ + " its owner and mode");
    return opened;
}

result<directory> directory::open(std::string const& path, ownership const& of) {
    return open_at(AT_FDCWD, path, path, of);
}

result<directory> directory::make(std::string const& path, ownership const& of) {
    return make_at(AT_FDCWD, path, path, of);
}

result<directory> directory::open_directory(std::string const& name) const {
    if (!is_plain(name)) return not_plain(path_of(name));
    return open_at(opened_.get(), name, path_of(name), of_);
}

result<directory> directory::make_directory(std::string const& name) const {
    if (!is_plain(name)) return not_plain(path_of(name));
    return make_at(opened_.get(), name, path_of(name), of_);
}

result<descriptor> directory::open_file(std::string const& name, int access) const {
    if (!is_plain(name)) return not_plain(path_of(name));
    descriptor file(::openat(opened_.get(), name.c_str(), access | careful));
    if (!file) return system_failure("open " + path_of(name));
    if (!is_ours(file.get()))
        return failure{errc::local_error,
                       "open " + path_of(name) +
                           ": expected a file without other names, of the directory's or the "
                           "wanted owner"};
    return file;
}

bool directory::is_ours(int file) const {
    struct stat here{};
    struct stat is{};
    if (::fstat(opened_.get(), &here) != 0 || ::fstat(file, &is) != 0) return false;
    if (!S_ISREG(is.st_mode) || is.st_nlink != 1) return false;
    // What nobody else can put there is ours, whoever it was given to.
    bool const closed = here.st_uid == ::geteuid() && (here.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return closed || is.st_uid == here.st_uid || is.st_uid == of_.user.value_or(::geteuid());
}

result<descriptor> directory::make_file(stored_file const& file) const {
    auto const path = path_of(file.name);
    if (!is_plain(file.name)) return not_plain(path);
    constexpr int fresh = O_WRONLY | O_CREAT | O_EXCL;
    descriptor to(::openat(opened_.get(), file.name.c_str(), fresh | careful, 0600));
    if (!to) return system_failure("make " + path);
    if (!give(to.get(), of_, file.mode))
        return system_failure("give " + path + " its owner and mode");
    if (!write_all(to.get(), file.content.reveal())) return system_failure("write " + path);
    return to;
}

/// Cut to its length afterwards: whoever reads in between finds no empty file.
result<void> directory::write(descriptor const& to, stored_file const& file) const {
    auto const path = path_of(file.name);
    if (!give(to.get(), of_, file.mode))
        return system_failure("give " + path + " its owner and mode");
    auto const size = static_cast<off_t>(file.content.reveal().size());
    if (!write_all(to.get(), file.content.reveal()) || ::ftruncate(to.get(), size) != 0)
        return system_failure("write " + path);
    return {};
}

result<secret> directory::read(std::string const& name) const {
    auto const file = open_file(name, O_RDONLY);
    if (file.has_error()) return file.error();
    struct stat is{};
    if (::fstat(file->get(), &is) != 0) return system_failure("read " + path_of(name));
    std::string content;
    content.reserve(std::min(static_cast<std::size_t>(is.st_size), file_max));
    std::array<char, 4096> bytes{};
    for (;;) {
        auto const n = ::read(file->get(), bytes.data(), bytes.size());
        if (n < 0) return system_failure("read " + path_of(name));
        if (n == 0) break;
        content.append(bytes.data(), static_cast<std::size_t>(n));
        if (content.size() > file_max)
            return failure{errc::too_large,
                           "read " + path_of(name) + ": no file of ours is so large"};
    }
    ::explicit_bzero(bytes.data(), bytes.size());
    return secret(std::move(content));
}

result<void> directory::mend(stored_file const& file) const {
    auto const opened = open_file(file.name, O_RDONLY);
    if (opened.has_error()) return opened.error();
    if (!give(opened->get(), of_, file.mode))
        return system_failure("give " + path_of(file.name) + " its owner and mode");
    return {};
}

result<void> directory::link(std::string const& name, std::string const& target) const {
    remove_file(name);
    if (::symlinkat(target.c_str(), opened_.get(), name.c_str()) != 0)
        return system_failure("link " + path_of(name));
    return {};
}

result<void> directory::rename(std::string const& from, std::string const& to) const {
    return move(from, *this, to);
}

result<void> directory::move(std::string const& from, directory const& into,
                             std::string const& to) const {
    if (::renameat(opened_.get(), from.c_str(), into.opened_.get(), to.c_str()) != 0)
        return system_failure("replace " + into.path_of(to));
    return {};
}

void directory::remove_file(std::string const& name) const noexcept {
    ::unlinkat(opened_.get(), name.c_str(), 0);
}

void directory::wipe() const {
    auto const all = names();
    if (all.has_error()) return;
    std::vector<descriptor> files;
    for (auto const& each : *all) {
        // However many were put there.
        if (files.size() == files_at_once) {
            static_cast<void>(sync_all(files));
            files.clear();
        }
        auto file = open_file(each, O_WRONLY);
        struct stat is{};
        if (file.has_error() || ::fstat(file->get(), &is) != 0) continue;
        std::string const zeros(std::min(static_cast<std::size_t>(is.st_size), file_max), '\0');
        if (write_all(file->get(), zeros)) files.push_back(std::move(*file));
    }
    static_cast<void>(sync_all(files));
}

result<void> directory::remove_directory(std::string const& name) const {
    auto const found = open_directory(name);
    if (found.has_error() && found.error().code == errc::not_found) return {};
    if (found.has_value()) found->wipe();
    std::error_code error;
    auto const here = "/proc/self/fd/" + std::to_string(opened_.get());
    std::filesystem::remove_all(here + "/" + name, error);
    if (error)
        return failure{errc::local_error, "remove " + path_of(name) + ": " + error.message()};
    return {};
}

result<std::vector<std::string>> directory::names() const {
    descriptor again(::openat(opened_.get(), ".", as_directory));
    if (!again) return system_failure("list " + path_);
    std::unique_ptr<DIR, int (*)(DIR*)> const list(::fdopendir(again.get()), ::closedir);
    if (!list) return system_failure("list " + path_);
    static_cast<void>(again.release());  // it is closed with the list
    std::vector<std::string> all;
    for (;;) {
        errno = 0;
        auto const* const found = ::readdir(list.get());
        if (found == nullptr) break;
        if (is_plain(found->d_name)) all.emplace_back(found->d_name);
    }
    if (errno != 0) return system_failure("list " + path_);
    return all;
}

result<void> directory::sync() const {
    if (::fsync(opened_.get()) != 0) return system_failure("sync " + path_);
    return {};
}

}  // namespace bevmesh::certs
