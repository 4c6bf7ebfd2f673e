// The problems of a document as the lines that a user reads, for the tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/loader.hpp"

namespace bevmesh::config {

/// Two lines that every valid document needs, for tests of the others: those begin in line 3.
inline std::string const head =
    "mesh: {name: bev}\n"
    "nodes: {n1: {address: 10.0.0.1}, n2: {address: 10.0.0.2}}\n";

inline std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> lines;
    for (auto const& p : load_text(text, "f").problems)
        lines.push_back(to_string(p));
    return lines;
}

using lines = std::vector<std::string>;

}  // namespace bevmesh::config
