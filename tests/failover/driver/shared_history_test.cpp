// The lines of several members in one ring.
#include "failover/driver/shared_history.hpp"

#include "tests/catch.hpp"

using namespace bevmesh::failover;

namespace {

shared_line line(std::string node, std::string at, std::string text = "x") {
    return {std::move(node), {std::move(at), weight::info, std::move(text)}};
}

std::string times(std::vector<shared_line> const& lines) {
    std::string all;
    for (auto const& l : lines)
        all += l.node + l.entry.at + " ";
    return all;
}

}  // namespace

TEST_CASE("lines of all members stand in the order of time, each once") {
    std::vector<shared_line> const have{line("a", "1"), line("b", "3")};
    CHECK(times(merge(have, {line("a", "2"), line("b", "3")}, 9)) == "a1 a2 b3 ");
    CHECK(times(merge(have, {line("a", "3")}, 9)) == "a1 b3 a3 ");
}

TEST_CASE("the ring keeps the newest") {
    std::vector<shared_line> const have{line("a", "1"), line("b", "3")};
    CHECK(times(merge(have, {line("a", "2")}, 2)) == "a2 b3 ");
}

TEST_CASE("a ring is read as it was written; what is none is an empty one") {
    std::vector<shared_line> lines{line("a", "1", "it \"fell\"")};
    lines[0].entry.how = weight::alarm;
    auto const back = decode_lines(encode(lines));
    REQUIRE(back.size() == 1);
    CHECK(back[0].node == "a");
    CHECK(back[0].entry.at == "1");
    CHECK(back[0].entry.how == weight::alarm);
    CHECK(back[0].entry.text == "it \"fell\"");
    CHECK(decode_lines("[{\"node\": 7}]").empty());
    CHECK(decode_lines("nonsense").empty());
}
