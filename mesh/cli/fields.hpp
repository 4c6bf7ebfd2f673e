// Fields of the daemon's answers, read without trust: a member that is missing or of another type
// is empty, so that a CLI and a daemon of different versions get along. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace bevmesh::cli {

/// A string as it is, a number in digits; else empty.
[[nodiscard]] std::string text_at(nlohmann::json const& object, char const* key);
[[nodiscard]] std::uint64_t number_at(nlohmann::json const& object, char const* key);
[[nodiscard]] bool flag_at(nlohmann::json const& object, char const* key);
/// The member, or null; valid as long as `object` is.
[[nodiscard]] nlohmann::json const& member_at(nlohmann::json const& object, char const* key);
/// The strings of an array.
[[nodiscard]] std::vector<std::string> texts_at(nlohmann::json const& object, char const* key);

/// "100.122.12.54:6379", "[::1]:80"; without a port the address alone.
[[nodiscard]] std::string address_and_port(std::string const& address, std::uint64_t port);

}  // namespace bevmesh::cli
