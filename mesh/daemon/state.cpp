#include "mesh/daemon/state.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::daemon {
namespace {

failure system_failure(std::string const& doing, errc code = errc::local_error) {
    return {code, doing + ": " + std::strerror(errno)};
}

}  // namespace

result<void> replace_file(std::string const& path, std::string_view content) {
    auto const temporary = path + ".new";
    {
        descriptor const file(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (file.get() < 0) return system_failure("create " + temporary);
        if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) {
            auto const failed = system_failure("write " + temporary);
            ::unlink(temporary.c_str());
            return failed;
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_failure("replace " + path);
    auto const directory = path.substr(0, path.rfind('/') + 1);
    descriptor const dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() >= 0 && ::fsync(dir.get()) != 0) return system_failure("sync " + directory);
    return {};
}

result<void> overwrite_file(std::string const& path, std::string_view content) {
    constexpr std::size_t page = 4096;
    if (content.size() > page) return replace_file(path, content);
    descriptor const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat is{};
    if (!file || ::fstat(file.get(), &is) != 0) return system_failure("open " + path);
    // One write, which a signal does not cut: blanks where the longer text of before would remain.
    std::string whole(content);
    whole.resize(std::max(whole.size(), std::min(static_cast<std::size_t>(is.st_size), page)), ' ');
    auto const length = static_cast<off_t>(content.size());
    if (!write_all(file.get(), whole) || ::ftruncate(file.get(), length) != 0)
        return system_failure("write " + path);
    return {};
}

result<state_directory> state_directory::open(std::string path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return system_failure("make the state directory " + path);
    auto const name = path + "/lock";
    descriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) return system_failure("open " + name);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return system_failure("lock " + name + " (is another bevmesh daemon running here?)",
                              errno == EWOULDBLOCK ? errc::conflict : errc::local_error);
    return state_directory(std::move(path), std::move(lock));
}

result<maintenance_wishes> state_directory::maintenance() const {
    auto const path = path_ + "/maintenance.json";
    std::ifstream file(path);
    if (!file) return maintenance_wishes();
    std::string const text((std::istreambuf_iterator<char>(file)), {});
    auto const document = nlohmann::json::parse(text, nullptr, false);
    if (!document.is_object()) return failure{errc::local_error, "read " + path + ": not JSON"};
    maintenance_wishes wishes;
    for (auto const& [service, reason] : document.items())
        if (reason.is_string()) wishes[service] = reason.get<std::string>();
    return wishes;
}

result<void> state_directory::keep(maintenance_wishes const& wishes) const {
    return replace_file(
        path_ + "/maintenance.json",
        nlohmann::json(wishes).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n");
}

}  // namespace bevmesh::daemon
