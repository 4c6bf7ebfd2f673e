// Tables: columns, widths, colour, hostile cells.
#include "mesh/cli/table.hpp"

#include "tests/catch.hpp"

using bevmesh::cli::look;
using bevmesh::cli::page;
using bevmesh::cli::table;

TEST_CASE("columns are as wide as their widest cell and lines end without blanks") {
    table t({"NAME", "NODE"});
    t.add({{"redis"}, {"thanos"}});
    t.add({{"vault"}, {"starlord"}});
    CHECK(t.draw({}) ==
          "NAME   NODE\n"
          "redis  thanos\n"
          "vault  starlord\n");
}

TEST_CASE("an empty cell is a dash and wide characters line up") {
    table t({"NAME", "NODE", "X"});
    t.add({{"東京"}, {""}, {"1"}});
    t.add({{"a"}, {"b"}, {"2"}});
    CHECK(t.draw({}) ==
          "NAME  NODE  X\n"
          "東京  -     1\n"
          "a     b     2\n");
}

TEST_CASE("a cell cannot break the table or the terminal") {
    table t({"NAME", "OUTPUT"});
    t.add({{"a\nb"}, {"\x1b[31mred"}});
    CHECK(t.draw({}) ==
          "NAME  OUTPUT\n"
          "a\\nb  \\x1b[31mred\n");
}

TEST_CASE("colour does not move columns, and is not there unasked") {
    table t({"A", "B"});
    t.add({{"x", look::good}, {"y"}});
    CHECK(t.draw({}) == "A  B\nx  y\n");
    CHECK(t.draw({true, 0}) ==
          "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n"
          "\x1b[32mx\x1b[0m  y\n");
}

TEST_CASE("on a terminal the last column is cut to fit; in a pipe nothing is") {
    table t({"NAME", "OUTPUT"});
    t.add({{"redis"}, {"connection refused by everybody"}});
    CHECK(t.draw({false, 24}) ==
          "NAME   OUTPUT\n"
          "redis  connection refus…\n");
    CHECK(t.draw({false, 10}).find("everybody") != std::string::npos);  // hopeless: wraps
    CHECK(t.draw({}).find("everybody") != std::string::npos);
}

TEST_CASE("a table without rows has its titles") {
    table const t({"NAME"});
    CHECK(t.empty());
    CHECK(t.draw({}) == "NAME\n");
}
