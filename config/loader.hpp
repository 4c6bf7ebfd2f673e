// From a file to a configuration that is valid, or to everything that is wrong with it.
//
// Never throws but std::bad_alloc, and stops for nothing but what keeps it from reading on: the
// rest of a document with a wrong value is checked all the same. A document that cannot be taken
// apart (no YAML, not UTF-8, too large, too deep) is told of as far as it could be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "mesh/base/config.hpp"

namespace bevmesh::config {

struct loaded {
    mesh_config value;              // only to be used where there are no problems
    locations where;                // of the keys that the document has
    std::vector<problem> problems;  // by place
};

/// `file` is for the messages.
[[nodiscard]] loaded load_text(std::string_view text, std::string const& file);

/// Reads at most 1 MiB, also from a pipe; "-" is the standard input.
[[nodiscard]] loaded load_file(std::string const& path);

}  // namespace bevmesh::config
