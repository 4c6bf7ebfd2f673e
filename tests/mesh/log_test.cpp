// Log lines as an operator reads them.
#include "mesh/log/log.hpp"

#include "tests/catch.hpp"

using bevmesh::log::format_line;

TEST_CASE("values that could be misread are quoted") {
    CHECK(format_line("registered", {{"service", "redis"}, {"address", "100.122.12.54:6379"}}) ==
          "registered service=redis address=100.122.12.54:6379");
    CHECK(format_line("gone", {{"reason", "exit code 1"}, {"tags", ""}}) ==
          R"(gone reason="exit code 1" tags="")");
}

TEST_CASE("a peer cannot break a log line apart") {
    CHECK(format_line("odd", {{"name", "a\nERROR fake=1"}}) == R"(odd name="a\nERROR fake=1")");
}
