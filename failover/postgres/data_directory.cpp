#include "failover/postgres/data_directory.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "failover/database/safe_copy.hpp"
#include "failover/postgres/control_file.hpp"

namespace bevmesh::failover::postgres {
namespace {

namespace fs = std::filesystem;

failure trouble(char const* what, fs::path const& path) {
    auto const code = errno == EACCES || errno == EPERM ? errc::forbidden : errc::local_error;
    return {code, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
}

std::string first_line(fs::path const& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

result<void> sync_path(fs::path const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return trouble("open", path);
    auto const synced = ::fsync(fd);
    ::close(fd);
    if (synced != 0) return trouble("sync", path);
    return {};
}

/// `text` as `in`/`name`, whole or not at all, of the directory's owner, mode 0600.
result<void> write_file(fs::path const& in, std::string const& name, std::string_view text) {
    struct stat directory{};
    if (::stat(in.c_str(), &directory) != 0) return trouble("look at", in);
    auto const beside = in / ("." + name + ".bevmesh");
    ::unlink(beside.c_str());
    int const fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                          S_IRUSR | S_IWUSR);
    if (fd < 0) return trouble("make", beside);
    bool const mine = directory.st_uid == ::geteuid();
    bool done = mine || ::fchown(fd, directory.st_uid, directory.st_gid) == 0;
    while (done && !text.empty()) {
        auto const n = ::write(fd, text.data(), text.size());
        done = n >= 0 || errno == EINTR;
        if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
    done = done && ::fsync(fd) == 0;
    auto const problem = done ? result<void>() : result<void>(trouble("write", beside));
    ::close(fd);
    if (!done) return problem;
    if (::rename(beside.c_str(), (in / name).c_str()) != 0) return trouble("rename", beside);
    return sync_path(in);
}

std::string setting_line(std::string const& name, secret const& value) {
    std::string quoted;
    for (char const c : value.reveal())
        quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return name + " = '" + quoted + "'\n";
}

}  // namespace

result<directory_facts> inspect(fs::path const& data) {
    directory_facts facts;
    struct stat what{};
    if (::stat(data.c_str(), &what) != 0) {
        if (errno == ENOENT) return facts;
        return trouble("look at", data);
    }
    facts.exists = true;
    facts.owner = what.st_uid;
    std::error_code error;
    for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error)) {
        facts.empty = false;
        auto const name = at->path().filename();
        if (name == "standby.signal") facts.standby_signal = true;
        if (name == "postmaster.pid") facts.locked = true;
    }
    if (error)
        return failure{error == std::errc::permission_denied ? errc::forbidden : errc::local_error,
                       "list " + data.string() + ": " + error.message()};
    facts.version = first_line(data / "PG_VERSION");
    return facts;
}

std::string objection(directory_facts const& facts, fs::path const& data, uid_t server_user,
                      control_data const* control, std::string const& expected_system) {
    auto const it = "the data directory " + data.string();
    if (!facts.exists) return {};
    if (facts.owner != server_user)
        return it + " belongs to user " + std::to_string(facts.owner) +
               ", and the server runs as " + std::to_string(server_user);
    if (facts.empty) return {};
    if (facts.version.empty()) return it + " holds other files and no PostgreSQL";
    if (control != nullptr && !expected_system.empty() && control->system != expected_system)
        return it + " is another cluster's: its system identifier is " + control->system +
               ", and the group's is " + expected_system;
    return {};
}

result<control_data> control_of(fs::path const& data) {
    auto const path = data / "global" / "pg_control";
    std::ifstream in(path, std::ios::binary);
    std::string const bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) return trouble("read", path);
    return read_control_file(bytes);
}

result<void> make_boot_fenced(fs::path const& data) {
    if (first_line(data / "PG_VERSION").empty())
        return failure{errc::bad_input, "fence " + data.string() + ": it is no data directory"};
    struct stat there{};
    if (::lstat((data / "standby.signal").c_str(), &there) == 0) return {};
    return write_file(data, "standby.signal", "");
}

result<void> lift_boot_fence(fs::path const& data) {
    auto const signal = data / "standby.signal";
    if (::unlink(signal.c_str()) != 0 && errno != ENOENT) return trouble("remove", signal);
    return {};
}

result<void> may_be_replaced(fs::path const& data) {
    std::error_code error;
    auto const it = "the data directory " + data.string();
    fs::directory_iterator const spaces(data / "pg_tblspc", error);
    if (!error && spaces != fs::directory_iterator())
        return failure{errc::conflict, it + " has tablespaces: it is to be made anew by hand"};
    if (fs::is_symlink(data / "pg_wal", error))
        return failure{errc::conflict,
                       it + " has its pg_wal elsewhere: it is to be made anew by hand"};
    return {};
}

result<void> set_mark(fs::path const& mark) {
    return write_file(mark.parent_path(), mark.filename().string(),
                      "what is in the data directory is being replaced by bevmesh\n");
}

result<void> remove_mark(fs::path const& mark) {
    if (::unlink(mark.c_str()) != 0 && errno != ENOENT) return trouble("remove", mark);
    return sync_path(mark.parent_path());
}

result<void> write_settings(fs::path const& data, std::map<std::string, secret> const& settings) {
    std::string const name = "postgresql.auto.conf";
    std::ifstream in(data / name);
    std::string text;
    for (std::string line; std::getline(in, line);) {
        auto const key = line.substr(0, line.find_first_of(" ="));
        if (!settings.contains(key)) text += line + '\n';
    }
    for (auto const& [key, value] : settings)
        text += setting_line(key, value);
    return write_file(data, name, text);
}

result<std::vector<fs::path>> quarantine(fs::path const& data, std::uint32_t timeline,
                                         position fork, position segment, fs::path const& target,
                                         std::string const& name) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(data / "pg_wal", error), end; !error && at != end;
         at.increment(error))
        names.push_back(at->path().filename());
    if (error)
        return failure{errc::local_error,
                       "list " + (data / "pg_wal").string() + ": " + error.message()};
    std::vector<fs::path> sources{data / "global" / "pg_control"};
    for (auto const& one : wal_since(names, timeline, fork, segment))
        sources.push_back(data / "pg_wal" / one);
    return database::copy_safely(sources, target, name);
}

}  // namespace bevmesh::failover::postgres
