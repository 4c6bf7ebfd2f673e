// Keys as words: what REDIS_HOST, redisHost and redis.host have in common. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::registrar::scan {

using words = std::vector<std::string>;

/// In lower case; split at what is no letter or digit, where a capital begins a word, and before a
/// host, port, url ... that is glued to the end ("pghost", "dbport").
[[nodiscard]] words words_of(std::string_view key);

[[nodiscard]] bool has_word(words const& in, std::string_view word) noexcept;

/// Whether a value under such a key is a host (or an address, a URL, a list of them).
[[nodiscard]] bool names_host(words const& key);
/// Whether a value under such a key is nobody's to read: a password, a token.
[[nodiscard]] bool names_secret(words const& key);
/// What is left of a key without the words for "host"; of a port's key, without "port".
[[nodiscard]] words subject_of(words const& key);

/// The family of programs that a word stands for: "pg", "postgresql" and "psql" are "postgres";
/// a word that stands for none is empty.
[[nodiscard]] std::string_view family_of(std::string_view word) noexcept;
/// Of the first word of a service's name that has one.
[[nodiscard]] std::string_view family_of_service(std::string_view service);

/// How well a key speaks of a service: 0 not at all, 1 by its family, more the more words of its
/// name it has, all of them and in order.
[[nodiscard]] unsigned fits(words const& key, std::string_view service);

/// The port that a URL of this scheme means where it has none.
[[nodiscard]] std::optional<std::uint16_t> port_of_scheme(std::string_view scheme) noexcept;

}  // namespace bevmesh::registrar::scan
