#include "tests/scan/corpus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "config/loader.hpp"

namespace bevmesh::registrar::scan {
namespace {

std::string read_file(std::filesystem::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(std::string const& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::vector<label> read_labels(std::string const& path, std::string const& text) {
    std::vector<label> labels;
    auto const lines = lines_of(text);
    std::istringstream in(read_file(path));
    std::size_t last_line = 0, from = 0;
    for (label one; in >> one.line >> one.token >> one.want;) {
        if (one.line != last_line) from = 0;
        last_line = one.line;
        auto const at = one.line == 0 || one.line > lines.size()
                            ? std::string::npos
                            : lines[one.line - 1].find(one.token, from);
        if (at == std::string::npos)
            throw std::runtime_error(path + ": no " + one.token + " in line " +
                                     std::to_string(one.line));
        one.column = at + 1;
        from = at + one.token.size();
        labels.push_back(one);
    }
    return labels;
}

}  // namespace

std::vector<corpus_file> load_corpus(std::string const& part) {
    std::vector<corpus_file> files;
    for (auto const& entry : std::filesystem::directory_iterator(BEVMESH_SCAN_CORPUS "/" + part)) {
        auto const path = entry.path();
        if (path.extension() == ".labels") continue;
        auto text = read_file(path);
        auto const is = kind_of(path.filename().native(), text);
        if (!is) throw std::runtime_error(path.native() + ": of no kind that is read");
        auto labels = read_labels(path.native() + ".labels", text);
        files.push_back({path.native(), std::move(text), *is, std::move(labels)});
    }
    std::ranges::sort(files, {}, &corpus_file::path);
    return files;
}

inventory const& corpus_mesh() {
    static inventory const mesh = [] {
        auto const loaded = config::load_file(BEVMESH_SCAN_CORPUS "/../mesh.yaml");
        if (!loaded.problems.empty())
            throw std::runtime_error(config::to_string(loaded.problems.front()));
        return inventory(loaded.value);
    }();
    return mesh;
}

}  // namespace bevmesh::registrar::scan
