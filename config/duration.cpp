// Numbers and durations.
#include <array>
#include <charconv>
#include <limits>

#include "config/format.hpp"

namespace bevmesh::config {
namespace {

struct unit {
    std::string_view suffix;
    std::int64_t milliseconds;
};

constexpr std::array<unit, 4> units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return {};
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    constexpr std::uint64_t longest = 100ULL * 365 * 24 * 3'600'000;  // a century
    std::uint64_t total = 0;
    std::size_t next_unit = 0;
    if (text.empty()) return {};
    while (!text.empty()) {
        auto const digits = text.find_first_not_of("0123456789");
        if (digits == std::string_view::npos) return {};
        auto const number = parse_unsigned(text.substr(0, digits));
        text.remove_prefix(digits);
        auto const suffix = text.substr(0, text.find_first_of("0123456789"));
        text.remove_prefix(suffix.size());
        while (next_unit < units.size() && units[next_unit].suffix != suffix)
            ++next_unit;
        if (!number || next_unit == units.size()) return {};
        auto const scale = static_cast<std::uint64_t>(units[next_unit++].milliseconds);
        if (*number > longest / scale) return {};
        total += *number * scale;
    }
    if (total > longest) return {};
    return milliseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(milliseconds duration) {
    auto rest = duration.count();
    if (rest <= 0) return "0s";
    std::string text;
    for (auto const& [suffix, scale] : units) {
        if (rest < scale) continue;
        text += std::to_string(rest / scale);
        text += suffix;
        rest %= scale;
    }
    return text;
}

}  // namespace bevmesh::config
