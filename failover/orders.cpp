#include "failover/orders.hpp"

#include <array>
#include <cstdio>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::failover {
namespace {

using json::value;

value to_json(pause_order const& p) {
    return {{"until", to_text(p.until)}, {"by", p.by}};
}

value to_json(later_switchover const& s) {
    return {{"id", s.id}, {"node", s.node}, {"at", to_text(s.at)}, {"by", s.by}};
}

utc time_at(value const& v, char const* key) {
    auto const read = read_utc(json::text(v, key));
    if (!read) json::wrong(key, "a time such as 2026-11-28T02:30:00Z");
    return *read;
}

/// The number that these digits are; -1 where one is none.
int digits(std::string_view text) {
    int n = 0;
    for (char const c : text) {
        if (c < '0' || c > '9') return -1;
        n = 10 * n + (c - '0');
    }
    return n;
}

}  // namespace

nanoseconds pause_left(standing_orders const& group, standing_orders const& mesh, utc now) {
    nanoseconds left{0};
    for (auto const* const orders : {&group, &mesh})
        if (orders->pause) left = std::max(left, nanoseconds(orders->pause->until - now));
    return left;
}

moment moment_of(later_switchover const& order, utc now) {
    if (now < order.at) return moment::early;
    return now < order.at + late_max ? moment::due : moment::missed;
}

std::string orders_key(std::string_view group) {
    // No group's name begins with a point: it is no prefix of any lease's key, nor the other way.
    return "bevmesh/failover/.orders/" + std::string(group);
}

std::string encode(standing_orders const& orders) {
    auto all = value::object();
    if (orders.pause) all["pause"] = to_json(*orders.pause);
    if (orders.switchover) all["switchover"] = to_json(*orders.switchover);
    return json::dump(all);
}

result<standing_orders> decode_orders(std::string_view text) {
    return json::decode(text, "the standing orders", [](value const& v) {
        standing_orders orders;
        if (auto const& p = json::member(v, "pause"); !p.is_null())
            orders.pause = pause_order{time_at(p, "until"), json::text(p, "by")};
        if (auto const& s = json::member(v, "switchover"); !s.is_null())
            orders.switchover = later_switchover{json::text(s, "id"), json::text(s, "node"),
                                                 time_at(s, "at"), json::text(s, "by")};
        return orders;
    });
}

std::string to_text(utc when) {
    auto const day = std::chrono::floor<std::chrono::days>(when);
    std::chrono::year_month_day const date(day);
    std::chrono::hh_mm_ss const of_day(std::chrono::floor<seconds>(when - day));
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int(date.year()),
                  unsigned(date.month()), unsigned(date.day()), int(of_day.hours().count()),
                  int(of_day.minutes().count()), int(of_day.seconds().count()));
    return text.data();
}

result<utc> read_utc(std::string_view text) {
    // 0123456789012345678
    // 2026-11-28T02:30:00Z
    auto const wrong = failure{errc::bad_input, "'" + std::string(text) +
                                                    "' is no time; expected UTC such as "
                                                    "2026-11-28T02:30:00Z or 2026-11-28T02:30Z"};
    bool const with_seconds = text.size() == 20;
    if (!with_seconds && text.size() != 17) return wrong;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') ||
        text[13] != ':' || text.back() != 'Z' || (with_seconds && text[16] != ':'))
        return wrong;
    auto const second = with_seconds ? digits(text.substr(17, 2)) : 0;
    std::array<int, 5> const n{digits(text.substr(0, 4)), digits(text.substr(5, 2)),
                               digits(text.substr(8, 2)), digits(text.substr(11, 2)),
                               digits(text.substr(14, 2))};
    auto const date = std::chrono::year(n[0]) / n[1] / n[2];
    if (n[0] < 1970 || !date.ok() || n[3] < 0 || n[3] > 23 || n[4] < 0 || n[4] > 59 || second < 0 ||
        second > 59)
        return wrong;
    return utc(std::chrono::sys_days(date) + std::chrono::hours(n[3]) + std::chrono::minutes(n[4]) +
               seconds(second));
}

}  // namespace bevmesh::failover
