#include "certs/store.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace bevmesh::certs {
namespace {

constexpr std::string_view prefix = ".gen-";
/// A line a file, "MODE NAME", in the order in which they were given.
std::string const order_name = ".order";
/// Made before anything is signed, to see that it can be; the next generation's list of files takes
/// it over. Were it removed, every file made within 5 s would be dear: ext4 gives no inode out
/// again so soon, and looks through all that wait (a third of the daemon's time for 100
/// certificates).
std::string const probe_name = ".probe";
constexpr mode_t permissions = 0777;
constexpr std::size_t files_max = 32;

std::string name_of(unsigned generation) {
    return std::string(prefix) + std::to_string(generation);
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
    return read.ec == std::errc() && read.ptr == end && (mode & ~permissions) == 0;
}

/// Ascending.
result<std::vector<unsigned>> generations_in(directory const& folder) {
    auto const there = folder.names();
    if (there.has_error()) return there.error();
    std::vector<unsigned> found;
    for (auto const& name : *there) {
        if (!name.starts_with(prefix)) continue;
        unsigned number = 0;
        auto const* const end = name.data() + name.size();
        auto const read = std::from_chars(name.data() + prefix.size(), end, number);
        if (read.ec == std::errc() && read.ptr == end) found.push_back(number);
    }
    std::ranges::sort(found);
    return found;
}

/// The list may be another's work by now: names are held against what a file's name can be.
result<std::vector<stored_file>> files_in(directory const& generation) {
    auto const order = generation.read(order_name);
    if (order.has_error()) return order.error();
    std::vector<stored_file> files;
    for (auto rest = order->reveal(); !rest.empty();) {
        auto const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        stored_file file;
        auto const blank = line.find(' ');
        if (files.size() == files_max || blank == std::string_view::npos ||
            !read_octal(line.substr(0, blank), file.mode) || !is_plain(line.substr(blank + 1)))
            return failure{errc::local_error,
                           "read " + generation.path() + ": its list of files is damaged"};
        file.name = std::string(line.substr(blank + 1));
        auto content = generation.read(file.name);
        if (content.has_error()) return content.error();
        file.content = std::move(*content);
        files.push_back(std::move(file));
    }
    return files;
}

result<std::vector<stored_file>> files_in(directory const& folder, unsigned generation) {
    auto const from = folder.open_directory(name_of(generation));
    if (from.has_error()) return from.error();
    return files_in(*from);
}

result<void> replace(directory const& in, stored_file file) {
    auto const name = std::exchange(file.name, file.name + ".new");
    in.remove_file(file.name);
    auto const made = in.make_file(file);
    if (made.has_error()) return made.error();
    if (::fsync(made->get()) != 0) return system_failure("write " + in.path_of(file.name));
    return in.rename(file.name, name);
}

result<void> overwrite(directory const& in, stored_file const& file) {
    auto to = in.open_file(file.name, O_WRONLY);
    if (to.has_error() && to.error().code == errc::not_found) {
        to = in.make_file(file);
        if (to.has_error()) return to.error();
    } else {
        if (to.has_error()) return to.error();
        if (auto const done = in.write(*to, file); done.has_error()) return done.error();
    }
    if (::fsync(to->get()) != 0) return system_failure("write " + in.path_of(file.name));
    return {};
}

/// The probe, where it is still what check_writable() left; else a new file.
result<descriptor> take_probe(directory const& from, directory const& into,
                              stored_file const& file) {
    if (from.move(probe_name, into, file.name).has_value()) {
        auto to = into.open_file(file.name, O_WRONLY);
        if (to.has_value()) {
            if (auto const done = into.write(*to, file); done.has_error()) return done.error();
            return to;
        }
        into.remove_file(file.name);
    }
    return into.make_file(file);
}

}  // namespace

result<void> store::check_writable() const {
    auto const folder = directory::make(folder_, of_);
    if (folder.has_error()) return folder.error();
    folder->remove_file(probe_name);
    // Of a size that a full disk has no room for either.
    stored_file const probe{probe_name, secret(std::string(16'384, '#')), 0600};
    auto const made = folder->make_file(probe);
    // The room is what the next files need.
    if (made.has_error() || ::ftruncate(made->get(), 0) != 0) {
        folder->remove_file(probe_name);
        return made.has_error() ? made.error() : system_failure("write " + folder_);
    }
    if (how_ != layout::inplace) return {};
    auto const all = generations_in(*folder);
    if (all.has_error()) return all.error();
    if (all->empty()) return {};
    // What the next one overwrites, as far as that can be known; the rest is nobody's business.
    auto const newest = files_in(*folder, all->back());
    if (newest.has_error()) return {};
    for (auto const& each : *newest) {
        auto const file = folder->open_file(each.name, O_WRONLY);
        if (file.has_error() && file.error().code != errc::not_found) return file.error();
    }
    return {};
}

result<void> store::write(unsigned generation, std::vector<stored_file> const& files) const {
    auto const folder = directory::open(folder_, of_);
    if (folder.has_error()) return folder.error();
    auto const name = name_of(generation);
    if (auto const gone = folder->remove_directory(name); gone.has_error()) return gone.error();
    auto const into = folder->make_directory(name);
    if (into.has_error()) return into.error();
    std::string order;
    std::vector<descriptor> made;
    for (auto const& each : files) {
        auto file = into->make_file(each);
        if (file.has_error()) return file.error();
        made.push_back(std::move(*file));
        order += octal(each.mode) + " " + each.name + "\n";
    }
    // Last: a generation without it was not written whole.
    auto last = take_probe(*folder, *into, {order_name, secret(order), 0600});
    if (last.has_error()) return last.error();
    made.push_back(std::move(*last));
    if (!sync_all(made)) return system_failure("write " + into->path());
    if (auto const synced = into->sync(); synced.has_error()) return synced.error();
    return folder->sync();
}

result<std::vector<stored_file>> store::read(unsigned generation) const {
    auto const folder = directory::open(folder_, of_);
    if (folder.has_error()) return folder.error();
    return files_in(*folder, generation);
}

result<void> store::use(unsigned generation) const {
    auto const folder = directory::open(folder_, of_);
    if (folder.has_error()) return folder.error();
    auto const from = folder->open_directory(name_of(generation));
    if (from.has_error()) return from.error();
    auto const files = files_in(*from);
    if (files.has_error()) return files.error();
    for (auto const& each : *files) {
        auto const done = how_ == layout::linked ? from->mend(each)
                          : how_ == layout::flat ? replace(*folder, each)
                                                 : overwrite(*folder, each);
        if (done.has_error()) return done.error();
    }
    if (how_ == layout::linked) {
        std::string const next = ".current.new";
        if (auto const made = folder->link(next, name_of(generation)); made.has_error())
            return made.error();
        if (auto const done = folder->rename(next, "current"); done.has_error())
            return done.error();
    }
    return folder->sync();
}

result<std::vector<unsigned>> store::generations() const {
    auto const folder = directory::open(folder_, of_);
    if (folder.has_error()) return folder.error();
    return generations_in(*folder);
}

result<void> store::forget_older(unsigned than, unsigned but) const {
    auto const folder = directory::open(folder_, of_);
    if (folder.has_error()) return folder.error();
    auto const all = generations_in(*folder);
    if (all.has_error()) return all.error();
    for (auto const each : *all) {
        if (each >= than) break;
        if (each == but) continue;
        if (auto const gone = folder->remove_directory(name_of(each)); gone.has_error())
            return gone.error();
    }
    return folder->sync();
}

}  // namespace bevmesh::certs
