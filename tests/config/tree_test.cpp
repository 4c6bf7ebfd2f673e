#include "config/tree.hpp"

#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

lines tree_problems(std::string const& text) {
    lines all;
    for (auto const& p : parse(text).problems)
        all.push_back(to_string(p));
    return all;
}

std::string repeated(std::string const& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += text;
    return all;
}

}  // namespace

TEST_CASE("each part of the tree knows its place, in characters") {
    auto const tree = parse("\"\xc3\xa4\": [1, 'x']\nb:\n  c: ~\n");
    REQUIRE(tree.complete);
    REQUIRE(tree.root.members.size() == 2);
    auto const& list = tree.root.members[0].value;
    CHECK(tree.root.members[0].at == position{1, 1});
    CHECK(list.at == position{1, 6});
    CHECK(list.items[0].text == "1");
    CHECK_FALSE(list.items[0].quoted);
    CHECK(list.items[1].quoted);
    CHECK(list.items[1].at == position{1, 10});
    auto const& c = tree.root.members[1].value.members[0];
    CHECK(c.at == position{3, 3});
    CHECK(c.value.type == node::kind::null);
}

TEST_CASE("every duplicate key is told, with the place of the first") {
    CHECK(tree_problems("a: 1\nb: {x: 1, x: 2}\na: 3\na: 4\n") ==
          lines{"2:11: b.x: the key is there twice, first in line 2; expected each key once",
                "3:1: a: the key is there twice, first in line 1; expected each key once",
                "4:1: a: the key is there twice, first in line 1; expected each key once"});
}

TEST_CASE("merge keys, tags and keys that are no text are refused") {
    CHECK(tree_problems("b: &b {x: 1}\na:\n  <<: *b\n") ==
          lines{"3:3: a.\"<<\": merge keys (<<) are not supported; expected the keys written out, "
                "or an "
                "alias for a whole value"});
    CHECK(tree_problems("a: !!int 5\n") ==
          lines{"1:4: a: the tag \"tag:yaml.org,2002:int\" has no meaning here; expected a value "
                "without a tag"});
    CHECK(tree_problems("? [a]\n: b\n") == lines{"1:3: the key is a list; expected text as a key"});
    CHECK(parse("a: !!str 5\n\"<<\": 1\n").problems.empty());
}

TEST_CASE("an alias stands for the value that it names") {
    auto const tree = parse("a: &x {p: [1, 2]}\nb: *x\n");
    REQUIRE(tree.complete);
    CHECK(tree.root.find("b")->find("p")->items.size() == 2);
    CHECK(tree_problems("a: &x [*x]\n") ==
          lines{"1:8: a[0]: an alias inside of the value that it names; expected a value that is "
                "complete"});
    CHECK(tree_problems("a: *nobody\n").size() == 1);
}

TEST_CASE("aliases that explode are stopped, by count, by size and by depth") {
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        auto const n = std::to_string(i);
        auto const below = "*a" + std::to_string(i - 1);
        laughs += "a" + n + ": &a" + n + " [" + repeated(below + ", ", 9) + below + "]\n";
    }
    CHECK(tree_problems(laughs) ==
          lines{"5:45: a4[7]: too many values, aliases counted as what they stand for; expected at "
                "most 100000"});

    auto const wide =
        "a: &a " + std::string(500'000, 'x') + "\nb: [" + repeated("*a, ", 1000) + "]\n";
    CHECK(
        tree_problems(wide) ==
        lines{"2:33: b[7]: too much text, aliases counted as what they stand for; expected at most "
              "4 MiB"});

    std::string deep = "a0: &a0 [x]\n";
    for (int i = 1; i < 100; ++i)
        deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
                std::to_string(i - 1) + "]\n";
    CHECK(tree_problems(deep) ==
          lines{"32:12: a31: nested more than 32 levels deep; expected at most 32 levels"});
}

TEST_CASE("a document of 300 levels is refused, in flow style and in block style") {
    auto const expected = "nested more than 32 levels deep; expected at most 32 levels";
    CHECK(tree_problems("a: " + repeated("[", 300) + repeated("]", 300)) ==
          lines{"1:35: a: " + std::string(expected)});
    std::string block;
    for (std::size_t i = 0; i < 300; ++i)
        block += std::string(i, ' ') + "k:\n";
    CHECK(tree_problems(block) == lines{"33:33: k: " + std::string(expected)});
    CHECK(tree_problems(repeated("- ", 300)) == lines{"1:65: " + std::string(expected)});
    // As far as the limit goes.
    CHECK(parse(repeated("[", 32) + repeated("]", 32)).complete);
}

TEST_CASE("one document, not two and not none") {
    CHECK(tree_problems("a: 1\n---\nb: 2\n") ==
          lines{"2:1: a second document begins here; expected one document"});
    CHECK(tree_problems("# nothing\n") ==
          lines{"1:1: the document is empty; expected a configuration"});
    CHECK(parse("---\na: 1\n...\n").complete);
}

TEST_CASE("what is no YAML is told in the parser's words, with the place") {
    CHECK(tree_problems("a: [1\nb: 2\n") == lines{"2:2: not YAML: end of sequence flow not found"});
    CHECK(tree_problems("a: b: c\n") == lines{"1:5: not YAML: illegal map value"});
    CHECK_FALSE(parse("a: \"open").complete);
    // The parser quotes what it stumbles over, here the middle of a letter and its own end mark.
    CHECK(tree_problems("a: \"\\\xc3\xa4\"\n") ==
          lines{"1:7: not YAML: unknown escape character: ?"});
    CHECK(tree_problems("a: \"\\") == lines{"1:6: not YAML: unknown escape character: ?"});
}

TEST_CASE("a flood of problems is cut off") {
    auto const problems = parse(repeated("a: 1\n", 50'000)).problems;
    CHECK(problems.size() == 501);
    CHECK(problems.back().message == "too many problems to go on");
}

}  // namespace bevmesh::config
