// The files under some paths that may be configuration, read. Blocking.
//
// Never blocks on a pipe or a device, never follows a symbolic link inside a tree (so no loop), and
// passes what it cannot read with a note. In order of the names.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "registrar/scan/scan.hpp"

namespace bevmesh::registrar::scan {

struct tree_options {
    /// Globs on the name, or on the path where they have a "/". Given: only these, of any kind.
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    std::uint64_t largest = std::uint64_t{4} << 20U;  // bytes of a file
};

struct file_text {
    std::string path;  // as it is reached from what was asked for
    kind is = kind::yaml;
    std::string text;
};

struct note {
    std::string path;
    std::string text;
};

struct tree_report {
    std::size_t files = 0;   // that were handed out
    std::size_t others = 0;  // of no kind that is read
    std::vector<note> notes;
};

/// Calls `with` for each file. What `paths` name is read whatever it is called, also behind a link.
/// not_found: one of them is not there.
[[nodiscard]] result<tree_report> walk(std::vector<std::string> const& paths,
                                       tree_options const& options,
                                       std::function<void(file_text)> const& with);

}  // namespace bevmesh::registrar::scan
