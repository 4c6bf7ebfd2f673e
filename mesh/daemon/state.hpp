// What survives a restart of the daemon: files in its state directory (0700).
//
// Files are replaced whole, by a rename after fsync, but for those that overwrite_file() is for,
// and born with mode 0600. A lost or unreadable state directory is safe: the daemon says so and
// goes on without.
#pragma once

#include <map>
#include <string>

#include "mesh/base/result.hpp"
#include "mesh/os/descriptor.hpp"

namespace bevmesh::daemon {

/// Services in maintenance: name or ID → reason.
using maintenance_wishes = std::map<std::string, std::string>;

class state_directory {
public:
    /// Makes the directory, and takes the lock that keeps a second daemon of this node out:
    /// errc::conflict when another holds it. Other failures leave a directory that cannot keep.
    [[nodiscard]] static result<state_directory> open(std::string path);

    /// Empty when nothing was kept.
    [[nodiscard]] result<maintenance_wishes> maintenance() const;
    [[nodiscard]] result<void> keep(maintenance_wishes const& wishes) const;

private:
    state_directory(std::string path, descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}
    std::string path_;
    descriptor lock_;
};

/// Replaces `path` by `content` so that a reader, or a crash, sees the old or the new whole.
[[nodiscard]] result<void> replace_file(std::string const& path, std::string_view content);

/// For text of one page at most (longer: as replace_file) that trailing blanks do not harm, that
/// nobody else reads, and that is written often: no file is made and none goes, which is what costs
/// in a folder of many. The process may be killed at any moment; after a power cut it may be the
/// older text, or unreadable.
[[nodiscard]] result<void> overwrite_file(std::string const& path, std::string_view content);

}  // namespace bevmesh::daemon
