#include "registrar/go_duration.hpp"

#include <string>

#include "tests/catch.hpp"

using bevmesh::milliseconds;
using bevmesh::registrar::parse_go_duration;

TEST_CASE("durations as Go writes them") {
    CHECK(parse_go_duration("10s") == milliseconds{10'000});
    CHECK(parse_go_duration("1m30s") == milliseconds{90'000});
    CHECK(parse_go_duration("1.5h") == milliseconds{5'400'000});
    CHECK(parse_go_duration("500ms") == milliseconds{500});
    CHECK(parse_go_duration("0") == milliseconds{0});
    CHECK(parse_go_duration(".5s") == milliseconds{500});
}

TEST_CASE("less than a millisecond is not nothing") {
    CHECK(parse_go_duration("1ns") == milliseconds{1});
    CHECK(parse_go_duration("100\u00b5s") == milliseconds{1});
}

TEST_CASE("what is no duration for Go is none here") {
    for (auto const* text : {"", "10", "s", "10 s", "10x", "-5s", "+5s", "1e3s", "..5s", "1.2.3s",
                             "1s2", "inf", "nans", "0x10s", "99999999999999999999999h", "1m "}) {
        CAPTURE(text);
        CHECK_FALSE(parse_go_duration(text));
    }
    CHECK_FALSE(parse_go_duration(std::string(100'000, '9') + "s"));
}
