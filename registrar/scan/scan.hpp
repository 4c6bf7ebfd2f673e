// One file's text: the addresses in it, whose they are, and where to write a name instead. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registrar/scan/identify.hpp"
#include "registrar/scan/inventory.hpp"
#include "registrar/scan/readers.hpp"

namespace bevmesh::registrar::scan {

struct finding {
    std::size_t begin = 0;  // bytes of the host in the file, which the name replaces
    std::size_t end = 0;
    std::size_t line = 0;    // from 1
    std::size_t column = 0;  // bytes, from 1
    std::string found;       // address and port as they stand: never a password
    std::string host;
    std::optional<std::uint16_t> port;
    std::string key;
    verdict is;
    bool left = false;  // on purpose: is.reason says why
    bool say = false;   // left, and worth telling
};

/// In the order of the text; also what is left alone.
[[nodiscard]] std::vector<finding> scan_text(kind k, std::string_view text, inventory const& mesh);

/// What a file is, by its name (without folders) and how it begins; nothing: no configuration.
[[nodiscard]] std::optional<kind> kind_of(std::string_view name, std::string_view text);
/// For a file that has to be read whatever its name.
[[nodiscard]] kind kind_by_text(std::string_view text);

}  // namespace bevmesh::registrar::scan
