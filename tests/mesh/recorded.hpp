// The recorded answers of real programs, by name.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

namespace bevmesh::testing {

/// `name` below tests/mesh/recorded; BEVMESH_RECORDED is set by CMake.
inline std::string recorded(std::string const& name) {
    std::ifstream file(std::string(BEVMESH_RECORDED) + "/" + name);
    INFO(name);
    REQUIRE(file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A recorded *.headers file without its status line.
inline std::vector<std::pair<std::string, std::string>> recorded_headers(std::string const& name) {
    std::istringstream lines(recorded(name));
    std::vector<std::pair<std::string, std::string>> out;
    for (std::string line; std::getline(lines, line);) {
        auto const colon = line.find(": ");
        if (colon != std::string::npos)
            out.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return out;
}

}  // namespace bevmesh::testing
