#include "registrar/scan/replace_file.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::registrar::scan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view backup_ending = ".before-bevmesh";
constexpr std::string_view new_ending = ".new-bevmesh";

failure failed(std::string const& what) {
    return {errc::local_error, what + ": " + std::generic_category().message(errno)};
}

/// Best effort: access lists and labels are not on every file system.
void copy_attributes(int from, int to) {
    auto const size = flistxattr(from, nullptr, 0);
    if (size <= 0) return;
    std::vector<char> names(static_cast<std::size_t>(size));
    auto const got = flistxattr(from, names.data(), names.size());
    for (std::size_t at = 0; got > 0 && at < static_cast<std::size_t>(got);) {
        std::string const name(names.data() + at);
        std::array<char, 4096> value{};
        auto const length = fgetxattr(from, name.c_str(), value.data(), value.size());
        if (length >= 0)
            (void)fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0);
        at += name.size() + 1;
    }
}

/// The new file's path, removed unless it became the file.
struct fresh_file {
    std::string path;
    bool kept = false;
    explicit fresh_file(std::string at) : path(std::move(at)) {}
    fresh_file(fresh_file const&) = delete;
    fresh_file& operator=(fresh_file const&) = delete;
    ~fresh_file() {
        if (!kept && !path.empty()) unlink(path.c_str());
    }
};

/// A file of that name that nobody holds is left from a run that was killed.
int open_fresh(std::string const& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int opened = open(path.c_str(), flags, 0600);
    if (opened < 0 && errno == EEXIST) {
        descriptor const stale(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (!stale || flock(stale.get(), LOCK_EX | LOCK_NB) != 0) {
            errno = EBUSY;
            return -1;
        }
        unlink(path.c_str());
        opened = open(path.c_str(), flags, 0600);
    }
    if (opened >= 0) (void)flock(opened, LOCK_EX | LOCK_NB);
    return opened;
}

result<bool> still_is(int file, std::string_view before, std::string const& path) {
    std::string now(before.size() + 1, '\0');
    std::size_t done = 0;
    while (done < now.size()) {
        auto const got =
            pread(file, now.data() + done, now.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(path);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return std::string_view(now).substr(0, done) == before;
}

result<std::string> keep_old(std::string const& path) {
    for (int i = 1; i < 1000; ++i) {
        auto const backup =
            path + std::string(backup_ending) + (i == 1 ? "" : "." + std::to_string(i));
        if (link(path.c_str(), backup.c_str()) == 0) return backup;
        if (errno != EEXIST) return failed(backup);
    }
    return failure{errc::local_error, path + ": a thousand backups are beside it"};
}

result<void> fill(int into, int from, struct stat const& was, std::string_view text,
                  std::string const& path) {
    if (!write_all(into, text)) return failed(path);
    if (fchown(into, was.st_uid, was.st_gid) != 0)
        return failed(path + ": the owner cannot be kept");
    if (fchmod(into, was.st_mode & 07777U) != 0) return failed(path);
    copy_attributes(from, into);
    if (fsync(into) != 0) return failed(path);
    return {};
}

}  // namespace

bool is_leftover(std::string_view name) noexcept {
    return name.find(backup_ending) != std::string_view::npos || name.ends_with(new_ending);
}

result<std::string> replace_file(std::string const& asked, std::string_view before,
                                 std::string_view after) {
    std::error_code error;
    auto const target = fs::canonical(asked, error);
    if (error) return failure{errc::local_error, asked + ": " + error.message()};
    auto const path = target.native();
    auto const folder = target.parent_path().native();
    descriptor const old(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat was{};
    if (!old || fstat(old.get(), &was) != 0) return failed(path);
    // Root may write anything; who took the right away from everybody meant it.
    if ((was.st_mode & 0222U) == 0 || access(path.c_str(), W_OK) != 0)
        return failure{errc::local_error, path + ": read-only"};
    fresh_file fresh(folder + "/." + target.filename().native() + std::string(new_ending));
    descriptor const file(open_fresh(fresh.path));
    if (!file) {
        auto const problem = failed(fresh.path);
        bool const busy = errno == EBUSY;
        fresh.kept = true;  // it is not ours
        return busy ? failure{errc::conflict, path + ": another run is at it"} : problem;
    }
    if (auto const done = fill(file.get(), old.get(), was, after, path); !done) return done.error();
    auto const same = still_is(old.get(), before, path);
    if (!same) return same.error();
    struct stat now{};
    bool const replaced =
        stat(path.c_str(), &now) != 0 || now.st_ino != was.st_ino || now.st_dev != was.st_dev;
    if (!*same || replaced) return failure{errc::conflict, path + ": changed while it was scanned"};
    auto backup = keep_old(path);
    if (!backup) return backup.error();
    if (rename(fresh.path.c_str(), path.c_str()) != 0) {
        auto const problem = failed(path);
        unlink(backup->c_str());
        return problem;
    }
    fresh.kept = true;
    descriptor const directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) (void)fsync(directory.get());
    return backup;
}

}  // namespace bevmesh::registrar::scan
