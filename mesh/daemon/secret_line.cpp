#include "mesh/daemon/secret_line.hpp"

#include <fstream>

namespace bevmesh::daemon {

result<secret> read_secret_line(std::string const& path, std::string const& what) {
    if (path.empty()) return secret();
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line))
        return failure{errc::local_error, "read " + what + " from " + path};
    while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
        line.pop_back();
    if (line.empty()) return failure{errc::local_error, what + " in " + path + " is empty"};
    return secret(std::move(line));
}

}  // namespace bevmesh::daemon
