// Files of the host, read whole and replaced whole: at any moment each is as before or as after.
//
// What is replaced is kept beside it under another name, the same inode: mode, owner, times and
// attributes come back with it, and so does a symbolic link.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"

namespace bevmesh::registrar::dns {

/// Nothing where there is none; at most 1 MiB.
[[nodiscard]] result<std::optional<std::string>> read_text(std::string const& path);

/// What stands at a path, a link not followed.
struct standing {
    enum class kind { nothing, file, link, other };
    kind is = kind::nothing;
    std::string content;  // of a file
    std::string target;   // of a link
};
[[nodiscard]] result<standing> look_at(std::string const& path);

/// A whole file with its final mode, owned by us, on the disk when this returns; it replaces what
/// was there.
[[nodiscard]] result<void> put_file(std::string const& path, std::string_view content,
                                    unsigned mode);
[[nodiscard]] result<void> put_link(std::string const& path, std::string const& target);

/// The folders above `path` that do not exist, outermost first.
[[nodiscard]] std::vector<std::string> missing_folders(std::string const& path);
[[nodiscard]] result<void> make_folder(std::string const& path, unsigned mode);

/// `path` stays where it is; `kept` names the same inode. Already so: nothing is done.
[[nodiscard]] result<void> keep_beside(std::string const& path, std::string const& kept);
/// `kept` becomes `path` again.
[[nodiscard]] result<void> put_back(std::string const& kept, std::string const& path);
/// What a crash in the middle of put_file() or put_link() leaves.
void remove_leftover(std::string const& path);
/// Gone is a success.
[[nodiscard]] result<void> remove_file(std::string const& path);
/// If it is empty.
void remove_folder(std::string const& path);

}  // namespace bevmesh::registrar::dns
