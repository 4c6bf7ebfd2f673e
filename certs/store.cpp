#include "certs/store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "mesh/os/descriptor.hpp"

namespace bevmesh::certs {
namespace {

constexpr std::string_view prefix = ".gen-";
/// A line a file, "MODE NAME", in the order in which they were given.
constexpr std::string_view order_name = ".order";
/// Made before anything is signed, to see that it can be; the next generation's list of files takes
/// it over. Were it removed, every file made within 5 s would be dear: ext4 gives no inode out
/// again so soon, and looks through all that wait (a third of the daemon's time for 100
/// certificates).
constexpr std::string_view probe_name = "/.probe";
constexpr std::size_t file_max = 1U << 20U;

failure system_failure(std::string const& doing) {
    return {errc::local_error, doing + ": " + std::strerror(errno)};
}

/// On the disk, all of them, at little more than the price of one: each is on its way before the
/// first is waited for, and one commit of the file system's journal has them all.
bool sync_all(std::vector<descriptor> const& files) {
    for (auto const& each : files)
        ::sync_file_range(each.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return std::ranges::all_of(files, [](auto const& each) { return ::fsync(each.get()) == 0; });
}

result<void> sync_directory(std::string const& path) {
    descriptor const dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() < 0 || ::fsync(dir.get()) != 0) return system_failure("sync " + path);
    return {};
}

/// Owner and mode of an open file. A daemon without the right to give files away says so only
/// where another owner than its own was asked for.
bool give(int fd, ownership const& to, mode_t mode) {
    bool const owned = to.user || to.group;
    auto const user = to.user.value_or(static_cast<uid_t>(-1));
    auto const group = to.group.value_or(static_cast<gid_t>(-1));
    return (!owned || ::fchown(fd, user, group) == 0) && ::fchmod(fd, mode) == 0;
}

std::string octal(mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3U)
        text[i] = static_cast<char>('0' + (mode & 7U));
    return text;
}

bool read_octal(std::string_view text, mode_t& mode) {
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, mode, 8);
    return read.ec == std::errc() && read.ptr == end;
}

result<secret> read_whole(std::string const& path) {
    descriptor const file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat is{};
    if (file.get() < 0 || ::fstat(file.get(), &is) != 0) return system_failure("read " + path);
    std::string content;
    content.reserve(std::min(static_cast<std::size_t>(is.st_size), file_max));
    std::array<char, 4096> bytes{};
    for (;;) {
        auto const n = ::read(file.get(), bytes.data(), bytes.size());
        if (n < 0) return system_failure("read " + path);
        if (n == 0) break;
        content.append(bytes.data(), static_cast<std::size_t>(n));
        if (content.size() > file_max)
            return failure{errc::too_large, "read " + path + ": no file of ours is so large"};
    }
    ::explicit_bzero(bytes.data(), bytes.size());
    return secret(std::move(content));
}

/// A best effort: a journal or a flash disk may keep what was.
void wipe(std::filesystem::directory_iterator const& entries) {
    std::vector<descriptor> files;
    for (auto const& each : entries) {
        descriptor file(::open(each.path().c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
        struct stat is{};
        if (file.get() < 0 || ::fstat(file.get(), &is) != 0 || !S_ISREG(is.st_mode)) continue;
        std::string const zeros(std::min(static_cast<std::size_t>(is.st_size), file_max), '\0');
        if (write_all(file.get(), zeros)) files.push_back(std::move(file));
    }
    static_cast<void>(sync_all(files));
}

result<void> remove_directory(std::string const& path) {
    std::error_code error;
    std::filesystem::directory_iterator entries(path, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    wipe(entries);
    std::filesystem::remove_all(path, error);
    if (error) return failure{errc::local_error, "remove " + path + ": " + error.message()};
    return {};
}

}  // namespace

std::string store::path_of(unsigned generation) const {
    return folder_ + "/" + std::string(prefix) + std::to_string(generation);
}

result<void> store::make_directory(std::string const& path) const {
    // Closed until it has its owner.
    bool const made = ::mkdir(path.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return system_failure("make the directory " + path);
    descriptor const dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (dir.get() < 0) return system_failure("open the directory " + path);
    if (made && !give(dir.get(), of_, of_.directory))
        return system_failure("give the directory " + path + " its owner and mode");
    return {};
}

/// Not on the disk yet.
result<descriptor> store::begin_file(std::string const& path, stored_file const& file) const {
    descriptor to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (to.get() < 0) return system_failure("make " + path);
    if (!give(to.get(), of_, file.mode))
        return system_failure("give " + path + " its owner and mode");
    if (!write_all(to.get(), file.content.reveal())) return system_failure("write " + path);
    return to;
}

/// As begin_file, where the probe is not what check_writable() left: no link, to no other's file.
result<descriptor> store::take_probe(std::string const& path, stored_file const& file) const {
    auto const probe = folder_ + std::string(probe_name);
    if (::rename(probe.c_str(), path.c_str()) != 0) return begin_file(path, file);
    descriptor to(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat is{};
    if (to.get() < 0 || ::fstat(to.get(), &is) != 0 || !S_ISREG(is.st_mode) || is.st_nlink != 1) {
        ::unlink(path.c_str());
        return begin_file(path, file);
    }
    if (::ftruncate(to.get(), 0) != 0 || !write_all(to.get(), file.content.reveal()))
        return system_failure("write " + path);
    return to;
}

result<void> store::check_writable() const {
    if (auto const made = make_directory(folder_); made.has_error()) return made.error();
    auto const path = folder_ + std::string(probe_name);
    ::unlink(path.c_str());
    // Of a size that a full disk has no room for either.
    stored_file const probe{"", secret(std::string(16'384, '#')), 0600};
    if (auto const written = begin_file(path, probe); written.has_error()) {
        ::unlink(path.c_str());
        return written.error();
    }
    if (how_ != layout::inplace) return {};
    std::error_code error;
    for (auto const& each : std::filesystem::directory_iterator(folder_, error)) {
        if (!each.is_regular_file(error)) continue;
        descriptor const file(::open(each.path().c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
        if (file.get() < 0) return system_failure("open " + each.path().string());
    }
    return {};
}

result<void> store::write(unsigned generation, std::vector<stored_file> const& files) const {
    auto const path = path_of(generation);
    if (auto const gone = remove_directory(path); gone.has_error()) return gone.error();
    if (auto const made = make_directory(path); made.has_error()) return made.error();
    std::string order;
    std::vector<descriptor> made;
    for (auto const& each : files) {
        auto file = begin_file(path + "/" + each.name, each);
        if (file.has_error()) return file.error();
        made.push_back(std::move(*file));
        order += octal(each.mode) + " " + each.name + "\n";
    }
    // Last: a generation without it was not written whole.
    stored_file const names{std::string(order_name), secret(order), 0600};
    auto last = take_probe(path + "/" + names.name, names);
    if (last.has_error()) return last.error();
    made.push_back(std::move(*last));
    if (!sync_all(made)) return system_failure("write " + path);
    if (auto const synced = sync_directory(path); synced.has_error()) return synced.error();
    return sync_directory(folder_);
}

result<std::vector<stored_file>> store::read(unsigned generation) const {
    auto const path = path_of(generation);
    auto const order = read_whole(path + "/" + std::string(order_name));
    if (order.has_error()) return order.error();
    std::vector<stored_file> files;
    for (auto rest = order->reveal(); !rest.empty();) {
        auto const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        stored_file file;
        auto const blank = line.find(' ');
        if (!read_octal(line.substr(0, blank), file.mode) || blank == std::string_view::npos)
            return failure{errc::local_error, "read " + path + ": its list of files is damaged"};
        file.name = std::string(line.substr(blank + 1));
        auto content = read_whole(path + "/" + file.name);
        if (content.has_error()) return content.error();
        file.content = std::move(*content);
        files.push_back(std::move(file));
    }
    return files;
}

/// Owner and mode as they were given, whatever was done to them since.
result<void> store::mend(unsigned generation, std::vector<stored_file> const& files) const {
    for (auto const& each : files) {
        auto const path = path_of(generation) + "/" + each.name;
        descriptor const file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (file.get() < 0 || !give(file.get(), of_, each.mode))
            return system_failure("give " + path + " its owner and mode");
    }
    return {};
}

result<void> store::link_to(unsigned generation) const {
    auto const temporary = folder_ + "/.current.new";
    auto const target = std::string(prefix) + std::to_string(generation);
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0)
        return system_failure("link " + temporary);
    auto const path = folder_ + "/current";
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_failure("replace " + path);
    return sync_directory(folder_);
}

result<void> store::place(stored_file const& file) const {
    auto const path = folder_ + "/" + file.name;
    auto const temporary = path + ".new";
    ::unlink(temporary.c_str());
    auto const made = begin_file(temporary, file);
    if (made.has_error()) return made.error();
    if (::fsync(made->get()) != 0) return system_failure("write " + temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_failure("replace " + path);
    return {};
}

result<void> store::overwrite(std::string const& path, stored_file const& file) const {
    descriptor const to(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (to.get() < 0 && errno == ENOENT) {
        auto const made = begin_file(path, file);
        if (made.has_error()) return made.error();
        if (::fsync(made->get()) != 0) return system_failure("write " + path);
        return {};
    }
    if (to.get() < 0) return system_failure("open " + path);
    if (!give(to.get(), of_, file.mode))
        return system_failure("give " + path + " its owner and mode");
    // Cut to its length afterwards: whoever reads in between finds no empty file.
    auto const size = static_cast<off_t>(file.content.reveal().size());
    if (!write_all(to.get(), file.content.reveal()) || ::ftruncate(to.get(), size) != 0 ||
        ::fsync(to.get()) != 0)
        return system_failure("write " + path);
    return {};
}

result<void> store::use(unsigned generation) const {
    auto const files = read(generation);
    if (files.has_error()) return files.error();
    if (how_ == layout::linked) {
        if (auto const good = mend(generation, *files); good.has_error()) return good.error();
        return link_to(generation);
    }
    for (auto const& each : *files) {
        auto const done =
            how_ == layout::flat ? place(each) : overwrite(folder_ + "/" + each.name, each);
        if (done.has_error()) return done.error();
    }
    return sync_directory(folder_);
}

result<std::vector<unsigned>> store::generations() const {
    std::error_code error;
    std::filesystem::directory_iterator entries(folder_, error);
    if (error) return failure{errc::local_error, "list " + folder_ + ": " + error.message()};
    std::vector<unsigned> found;
    for (auto const& each : entries) {
        auto const name = each.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        unsigned number = 0;
        auto const* const end = name.data() + name.size();
        auto const read = std::from_chars(name.data() + prefix.size(), end, number);
        if (read.ec == std::errc() && read.ptr == end) found.push_back(number);
    }
    std::ranges::sort(found);
    return found;
}

result<void> store::forget_older(unsigned than, unsigned but) const {
    auto const all = generations();
    if (all.has_error()) return all.error();
    for (auto const each : *all) {
        if (each >= than) break;
        if (each == but) continue;
        if (auto const gone = remove_directory(path_of(each)); gone.has_error())
            return gone.error();
    }
    return sync_directory(folder_);
}

}  // namespace bevmesh::certs
