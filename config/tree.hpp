// A YAML document as a small tree that knows the place of each of its parts.
//
// What YAML allows and a configuration has no use for is refused here, each with its place:
// duplicate keys, merge keys, tags, keys that are no text, a second document, deep nesting, aliases
// that explode. Aliases of whole values are resolved. The nodes are plain values; parse() alone
// knows the parser (yaml-cpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace bevmesh::config {

struct member;

struct node {
    enum class kind { null, scalar, sequence, map };

    kind type = kind::null;
    position at;
    std::string text;     // scalar
    bool quoted = false;  // scalar: written with quotes, so never a number or true
    std::vector<node> items;
    std::vector<member> members;  // in the document's order, no key twice

    [[nodiscard]] node const* find(std::string_view key) const;
};

struct member {
    std::string key;
    position at;
    node value;
};

/// For messages: "a list", "a mapping", "nothing", or the scalar in quotes.
[[nodiscard]] std::string describe(node const& n);

/// Deeper than any key of the schema.
inline constexpr std::size_t deepest_nesting = 32;
/// Values in the tree, aliases resolved; and the bytes of its scalars.
inline constexpr std::size_t most_nodes = 100'000;
inline constexpr std::size_t most_text = std::size_t{4} << 20U;

struct parsed {
    node root;
    bool complete = false;  // false: the parser gave up, and the tree is not to be read
    std::vector<problem> problems;
};

/// Never throws but std::bad_alloc; `text` is what check_source() accepted, without byte order
/// mark.
[[nodiscard]] parsed parse(std::string_view text);

}  // namespace bevmesh::config
