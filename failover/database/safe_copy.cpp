#include "failover/database/safe_copy.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::failover::database {
namespace {

namespace fs = std::filesystem;

failure trouble(char const* what, fs::path const& path) {
    auto const code = errno == ENOENT                         ? errc::not_found
                      : errno == EACCES || errno == EPERM     ? errc::forbidden
                      : errno == EEXIST || errno == ENOTEMPTY ? errc::conflict
                                                              : errc::local_error;
    return {code, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
}

result<void> copy_contents(fs::path const& from, fs::path const& to) {
    descriptor const source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!source) return trouble("read", from);
    descriptor const made(
        ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!made) return trouble("make", to);
    std::array<char, 1U << 16U> buffer{};
    for (;;) {
        auto const n = ::read(source.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return trouble("read", from);
        if (n == 0) break;
        std::string_view const piece(buffer.data(), static_cast<std::size_t>(n));
        if (!write_all(made.get(), piece)) return trouble("write", to);
    }
    if (::fsync(made.get()) != 0) return trouble("sync", to);
    return {};
}

result<void> sync_directory(fs::path const& path) {
    descriptor const directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return trouble("sync", path);
    return {};
}

result<void> copy_one(fs::path const& from, fs::path const& to, std::vector<fs::path>& copied) {
    struct stat what{};
    if (::lstat(from.c_str(), &what) != 0) return trouble("look at", from);
    if (S_ISREG(what.st_mode)) {
        auto const done = copy_contents(from, to);
        if (done) copied.push_back(from);
        return done;
    }
    if (!S_ISDIR(what.st_mode)) return {};  // a link, a socket: no data of its own
    if (::mkdir(to.c_str(), S_IRWXU) != 0) return trouble("make", to);
    std::error_code error;
    for (fs::directory_iterator at(from, error), end; !error && at != end; at.increment(error)) {
        auto const done = copy_one(at->path(), to / at->path().filename(), copied);
        if (!done) return done;
    }
    if (error) return failure{errc::local_error, "list " + from.string() + ": " + error.message()};
    return sync_directory(to);
}

}  // namespace

result<std::vector<fs::path>> copy_safely(std::vector<fs::path> const& sources,
                                          fs::path const& target, std::string const& name) {
    std::error_code error;
    if (fs::exists(target / name, error))
        return failure{errc::conflict, "copy to " + (target / name).string() + ": it is there"};
    if (::mkdir(target.c_str(), S_IRWXU) != 0 && errno != EEXIST) return trouble("make", target);
    auto const unfinished = target / ("." + name + ".unfinished");
    fs::remove_all(unfinished, error);
    if (::mkdir(unfinished.c_str(), S_IRWXU) != 0) return trouble("make", unfinished);
    std::vector<fs::path> copied;
    result<void> done;
    for (auto const& one : sources) {
        done = copy_one(one, unfinished / one.filename(), copied);
        if (!done) break;
    }
    if (done) done = sync_directory(unfinished);
    if (done && ::rename(unfinished.c_str(), (target / name).c_str()) != 0)
        done = trouble("rename", unfinished);
    if (done) done = sync_directory(target);
    if (done) return copied;
    fs::remove_all(unfinished, error);
    return done.error();
}

}  // namespace bevmesh::failover::database
