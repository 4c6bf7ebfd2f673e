#include "certs/window.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

using namespace std::chrono_literals;

// A Friday.
constexpr auto friday = wall_time(std::chrono::sys_days(2026y / 11 / 27));

std::optional<std::int64_t> minutes_to_next(std::string_view cron, minutes open = minutes(60)) {
    auto const made = window::parse(cron, open);
    REQUIRE(made.has_value());
    auto const next = made->next(friday + hours(12), friday + days(60));
    if (!next) return std::nullopt;
    return std::chrono::duration_cast<minutes>(*next - friday).count();
}

}  // namespace

TEST_CASE("a window opens where its cron line says") {
    CHECK(minutes_to_next("0 2 * * *") == 26 * 60);
    CHECK(minutes_to_next("30 2 * * 0") == 2 * 24 * 60 + 150);
    CHECK(minutes_to_next("30 2 * * 7") == 2 * 24 * 60 + 150);
    CHECK(minutes_to_next("*/20 13 * * *") == 13 * 60);
    CHECK(minutes_to_next("0 0 1 * *") == 4 * 24 * 60);
    CHECK(minutes_to_next("0 1-3,22 * 12 1-5", minutes(1)) == 4 * 24 * 60 + 60);
    // Day of month or day of week, as in cron.
    CHECK(minutes_to_next("0 0 5 * 6") == 24 * 60);
    CHECK(minutes_to_next("0 0 30 2 *") == std::nullopt);
}

TEST_CASE("a window that is open is open now, until its duration is over") {
    auto const made = *window::parse("30 11 * * *", minutes(45));
    CHECK_FALSE(made.is_open(friday + hours(11) + minutes(29)));
    CHECK(made.is_open(friday + hours(11) + minutes(30)));
    CHECK(made.is_open(friday + hours(12) + minutes(14) + seconds(59)));
    CHECK_FALSE(made.is_open(friday + hours(12) + minutes(15)));
    CHECK(made.next(friday + hours(12), friday + days(1)) == friday + hours(12));
    // One that opened yesterday.
    CHECK(window::parse("50 23 * * *", minutes(30))->is_open(friday + minutes(10)));
}

TEST_CASE("what is no cron line is told") {
    for (auto const* bad : {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
                            "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1, * * * *"}) {
        INFO(bad);
        CHECK(window::parse(bad, minutes(60)).has_error());
    }
    CHECK(window::parse("* * * * *", minutes(0)).has_error());
    CHECK(window::parse("* * * * *", hours(25)).has_error());
}

TEST_CASE("of several windows the first counts; without any, every moment is one") {
    std::vector<window> const two{*window::parse("0 20 * * *", minutes(60)),
                                  *window::parse("0 18 * * *", minutes(60))};
    CHECK(next_open(two, friday + hours(12), friday + days(1)) == friday + hours(18));
    CHECK(next_open(two, friday + hours(12), friday + hours(17)) == std::nullopt);
    CHECK(next_open({}, friday, friday + hours(1)) == friday);
}
