#include "registrar/command_line.hpp"

#include "tests/catch.hpp"

using bevmesh::registrar::split_command;
using words = std::vector<std::string>;

TEST_CASE("a command is split as a shell splits it") {
    CHECK(split_command("curl --fail http://x") == words{"curl", "--fail", "http://x"});
    CHECK(split_command("  a\t b\n") == words{"a", "b"});
    CHECK(split_command("sh -c 'nc $SERVICE_IP 80 | grep OK'") ==
          words{"sh", "-c", "nc $SERVICE_IP 80 | grep OK"});
    CHECK(split_command(R"(a "b c" d\ e)") == words{"a", "b c", "d e"});
    CHECK(split_command(R"("a\"b" "c\d")") == words{"a\"b", "c\\d"});
    CHECK(split_command(R"('a\b')") == words{"a\\b"});
    CHECK(split_command("x'y'\"z\"") == words{"xyz"});
    CHECK(split_command("a '' b") == words{"a", "", "b"});
    CHECK(split_command("") == words{});
}

TEST_CASE("nothing of a shell but its quotes works") {
    CHECK(split_command("a; rm -rf / && $(b) `c` > d") ==
          words{"a;", "rm", "-rf", "/", "&&", "$(b)", "`c`", ">", "d"});
}

TEST_CASE("an open quote is no command") {
    CHECK_FALSE(split_command("a 'b"));
    CHECK_FALSE(split_command("a \"b"));
    CHECK_FALSE(split_command("a\\"));
}
