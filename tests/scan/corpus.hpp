// The labelled corpus: files as people write them, and beside each what is in it.
//
// FILE.labels has a line for each address: LINE TOKEN WANT, the tokens of a line in their order.
// WANT is a service, "unknown" (an address that refers to somebody, nothing says to whom), or
// "leave".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "registrar/scan/scan.hpp"

namespace bevmesh::registrar::scan {

struct label {
    std::size_t line = 0;
    std::size_t column = 0;
    std::string token;
    std::string want;
};

struct corpus_file {
    std::string path;
    std::string text;
    kind is = kind::yaml;
    std::vector<label> labels;
};

/// Throws std::runtime_error where a label is of nothing in its file.
[[nodiscard]] std::vector<corpus_file> load_corpus(std::string const& part);

/// The mesh that the corpus is about.
[[nodiscard]] inventory const& corpus_mesh();

}  // namespace bevmesh::registrar::scan
