// A file's text taken apart by its format: YAML, JSON, lines of KEY=VALUE, nginx. Pure.
//
// Readers are lenient: they follow a format as far as is needed to tell keys, values and comments
// apart, and what they cannot follow comes out as plain text rather than not at all. Nothing here
// validates. Comments are in no value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "registrar/scan/value.hpp"

namespace bevmesh::registrar::scan {

enum class kind {
    compose,  // YAML that Docker reads
    yaml,
    json,        // with comments, too
    env,         // KEY=VALUE, as Docker's env_file and systemd's EnvironmentFile
    ini,         // [sections], KEY = VALUE or KEY VALUE; unit files, HAProxy, redis.conf
    properties,  // Java's
    toml,
    shell,  // and Dockerfiles
    nginx,
    hosts,  // as /etc/hosts: addresses are what it is for
};

[[nodiscard]] std::string_view name(kind k) noexcept;

[[nodiscard]] std::vector<value> read(kind k, std::string_view text);

/// Reads one JSON value or YAML flow collection that begins at `at` of `in`, into `out`; moves `at`
/// behind it. False: it is none, or does not end; `out` may have got some of it. `separator` stands
/// between key and value (TOML's inline tables: '=').
[[nodiscard]] bool read_flow(decoded const& in, std::size_t& at,
                             std::vector<std::string> const& path, group_counter& groups,
                             std::vector<value>& out, char separator = ':');

/// The text in quotes that begins at `at` of `in`, which is its opening quote; moves `at` behind
/// the closing one (or to the end). In double quotes backslashes are undone, in single quotes ''.
[[nodiscard]] decoded read_quoted(decoded const& in, std::size_t& at);

void read_yaml(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
               std::vector<value>& out);
void read_nginx(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
                std::vector<value>& out);
void read_lines(kind k, decoded const& in, std::vector<std::string> const& path,
                group_counter& groups, std::vector<value>& out);

/// Adds a value, or what is inside it where the value is a JSON document in a string. At most
/// `depth` documents in one another.
void add_value(value v, group_counter& groups, std::vector<value>& out);

/// A text in a text (a YAML block, a heredoc): by what it looks like.
void read_embedded(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
                   std::vector<value>& out);

}  // namespace bevmesh::registrar::scan
