#include "certs/window.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace bevmesh::certs {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::sys_days;

constexpr minutes open_max{24 * 60};

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct range {
    unsigned first;
    unsigned last;
    unsigned step;
};

/// "*", "3", "1-5", each with "/STEP".
std::optional<range> read_range(std::string_view text, unsigned least, unsigned most) {
    range found{least, most, 1};
    auto const slash = text.find('/');
    if (slash != std::string_view::npos) {
        auto const step = number(text.substr(slash + 1));
        if (!step || *step == 0) return std::nullopt;
        found.step = *step;
        text = text.substr(0, slash);
    }
    if (text == "*") return found;
    auto const dash = text.find('-');
    auto const first = number(text.substr(0, dash));
    auto const last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
    if (!first || !last || *first < least || *last > most || *first > *last) return std::nullopt;
    found.first = *first;
    // "5/15" is every fifteenth from the fifth on.
    found.last = dash == std::string_view::npos && slash != std::string_view::npos ? most : *last;
    return found;
}

template <std::size_t N>
bool read_field(std::string_view text, unsigned least, unsigned most, std::bitset<N>& into) {
    for (;;) {
        auto const comma = text.find(',');
        auto const part = read_range(text.substr(0, comma), least, most);
        if (!part) return false;
        for (auto value = part->first; value <= part->last; value += part->step)
            into.set(value);
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (true) {
        auto const begin = text.find_first_not_of(' ');
        if (begin == std::string_view::npos) return found;
        text.remove_prefix(begin);
        auto const end = text.find(' ');
        found.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return found;
        text.remove_prefix(end);
    }
}

}  // namespace

result<window> window::parse(std::string_view cron, minutes open) {
    auto const wrong = [cron](std::string const& what) {
        return failure{errc::bad_input,
                       "maintenance window \"" + std::string(cron) + "\": " + what};
    };
    auto const fields = words(cron);
    if (fields.size() != 5) return wrong("expected minute, hour, day of month, month, day of week");
    if (open < minutes(1) || open > open_max) return wrong("expected it open for 1m to 24h");
    window made;
    made.open_ = open;
    made.any_day_ = fields[2] == "*";
    made.any_weekday_ = fields[4] == "*";
    if (!read_field(fields[0], 0, 59, made.minutes_)) return wrong("its minute is none");
    if (!read_field(fields[1], 0, 23, made.hours_)) return wrong("its hour is none");
    if (!read_field(fields[2], 1, 31, made.days_)) return wrong("its day of month is none");
    if (!read_field(fields[3], 1, 12, made.months_)) return wrong("its month is none");
    if (!read_field(fields[4], 0, 7, made.weekdays_)) return wrong("its day of week is none");
    if (made.weekdays_[7]) made.weekdays_.set(0);
    return made;
}

bool window::opens_on(sys_days day) const {
    std::chrono::year_month_day const date(day);
    if (!months_[static_cast<unsigned>(date.month())]) return false;
    bool const in_month = days_[static_cast<unsigned>(date.day())];
    bool const in_week = weekdays_[std::chrono::weekday(day).c_encoding()];
    if (any_day_ || any_weekday_) return in_month && in_week;
    return in_month || in_week;
}

bool window::opens_at(wall_time minute) const {
    auto const day = floor<days>(minute);
    auto const of_day = std::chrono::duration_cast<minutes>(minute - day).count();
    return hours_[static_cast<std::size_t>(of_day / 60)] &&
           minutes_[static_cast<std::size_t>(of_day % 60)] && opens_on(day);
}

bool window::is_open(wall_time at) const {
    auto const minute = floor<minutes>(at);
    for (auto ago = minutes(0); ago < open_; ++ago)
        if (opens_at(minute - ago)) return true;
    return false;
}

std::optional<wall_time> window::next(wall_time from, wall_time limit) const {
    if (from < limit && is_open(from)) return from;
    for (wall_time minute = floor<minutes>(from) + minutes(1); minute < limit;) {
        auto const day = floor<days>(minute);
        if (!opens_on(day)) {
            minute = day + days(1);
            continue;
        }
        if (opens_at(minute)) return minute;
        minute += minutes(1);
    }
    return std::nullopt;
}

std::optional<wall_time> next_open(std::vector<window> const& windows, wall_time from,
                                   wall_time limit) {
    if (windows.empty()) return from < limit ? std::optional(from) : std::nullopt;
    std::optional<wall_time> first;
    for (auto const& each : windows) {
        auto const opens = each.next(from, limit);
        if (opens && (!first || *opens < *first)) first = opens;
    }
    return first;
}

}  // namespace bevmesh::certs
