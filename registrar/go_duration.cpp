#include "registrar/go_duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace bevmesh::registrar {
namespace {

constexpr double limit_ms = 10.0 * 365 * 24 * 3600 * 1000;

// The longer names first: "ms" is not minutes followed by something.
constexpr std::array<std::pair<std::string_view, double>, 8> units{{
    {"ns", 1e-6},
    {"us", 1e-3},
    {"\u00b5s", 1e-3},
    {"\u03bcs", 1e-3},
    {"ms", 1},
    {"s", 1e3},
    {"m", 60e3},
    {"h", 3600e3},
}};

bool is_number_char(char c) {
    return (c >= '0' && c <= '9') || c == '.';
}

}  // namespace

std::optional<milliseconds> parse_go_duration(std::string_view text) {
    if (text == "0") return milliseconds{0};
    if (text.empty()) return {};
    double total = 0;
    while (!text.empty()) {
        std::size_t digits = 0;
        while (digits < text.size() && is_number_char(text[digits]))
            ++digits;
        double number = 0;
        auto const* end = text.data() + digits;
        // Fixed notation: in "1e3s" the e is a unit that does not exist.
        auto const parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
        if (digits == 0 || parsed.ec != std::errc{} || parsed.ptr != end) return {};
        text.remove_prefix(digits);
        double factor = 0;
        for (auto const& [name, ms] : units)
            if (text.starts_with(name)) {
                factor = ms;
                text.remove_prefix(name.size());
                break;
            }
        if (factor == 0) return {};
        total += number * factor;
        if (!(total <= limit_ms)) return {};
    }
    return milliseconds{static_cast<milliseconds::rep>(std::ceil(total))};
}

}  // namespace bevmesh::registrar
