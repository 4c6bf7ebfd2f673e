// Reading other programs' JSON: absent and null are the same, a wrong type is an error with its
// key.
//
// The functions throw std::runtime_error on a wrong type or range; decode() is the border at which
// that becomes errc::bad_answer, so that no exception leaves a codec.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "mesh/base/result.hpp"

namespace bevmesh::json {

using value = nlohmann::json;

/// The member, or a null value.
[[nodiscard]] value const& member(value const& object, std::string_view key);

[[nodiscard]] std::string text(value const& object, std::string_view key);
[[nodiscard]] bool flag(value const& object, std::string_view key);
[[nodiscard]] std::vector<std::string> text_list(value const& object, std::string_view key);
/// Values that are no strings are an error.
[[nodiscard]] std::map<std::string, std::string> text_map(value const& object,
                                                          std::string_view key);

[[noreturn]] void wrong(std::string_view key, std::string_view expected);

/// Absent: 0.
template <class Number>
[[nodiscard]] Number number(value const& object, std::string_view key) {
    auto const& found = member(object, key);
    if (found.is_null()) return 0;
    if (!found.is_number_integer()) wrong(key, "an integer");
    if (found.is_number_unsigned()) {
        auto const n = found.get<std::uint64_t>();
        if (n > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
            wrong(key, "a smaller number");
        }
        return static_cast<Number>(n);
    }
    auto const n = found.get<std::int64_t>();
    if constexpr (std::numeric_limits<Number>::is_signed) {
        if (n < static_cast<std::int64_t>(std::numeric_limits<Number>::min())) {
            wrong(key, "a larger number");
        }
        return static_cast<Number>(n);
    } else {
        wrong(key, "a number that is not negative");
    }
}

/// `read` makes a T from the parsed document; `what` names the document in the failure.
template <class Read>
[[nodiscard]] auto decode(std::string_view document, std::string_view what, Read read)
    -> result<decltype(read(std::declval<value const&>()))> {
    auto const parsed = value::parse(document.begin(), document.end(), nullptr, false);
    if (parsed.is_discarded()) {
        return failure{errc::bad_answer, std::string(what) + ": not JSON"};
    }
    try {
        return read(parsed);
    } catch (std::exception const& e) {
        return failure{errc::bad_answer, std::string(what) + ": " + e.what()};
    }
}

/// One line; text that is not UTF-8 is replaced rather than refused.
[[nodiscard]] std::string dump(value const& v);

}  // namespace bevmesh::json
