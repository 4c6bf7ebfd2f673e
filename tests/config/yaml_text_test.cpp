#include "config/yaml_text.hpp"

#include <nlohmann/json.hpp>

#include "config/tree.hpp"
#include "tests/catch.hpp"

namespace bevmesh::config {

using json = nlohmann::ordered_json;

TEST_CASE("mappings in blocks, in their order, short lists in one line") {
    json const value{
        {"b", 1},
        {"a", {{"list", {"x", "z"}}, {"none", json::array()}, {"empty", json::object()}}},
        {"c", json::array({json{{"k", true}, {"l", {{"m", nullptr}}}}, "s"})}};
    CHECK(to_yaml(value) ==
          "b: 1\n"
          "a:\n"
          "  list: [x, z]\n"
          "  none: []\n"
          "  empty: {}\n"
          "c:\n"
          "  - k: true\n"
          "    l:\n"
          "      m: null\n"
          "  - s\n");
}

TEST_CASE("text that YAML could take for something else is quoted") {
    for (auto const* text :
         {"true",  "No",         "on",   "null", "~",   "",   "1",    "1.0",      "1e3",   "0x1f",
          "12:30", "2020-01-01", "a: b", "a #b", "- a", "#a", "a:",   "\xc3\xa4", "a\nb",  "[a]",
          "{a}",   "*a",         "&a",   "!a",   "%a",  "@a", "a, b", "'a'",      "\"a\"", ".5"})
        CHECK(to_yaml({{"k", text}}) == "k: " + json(text).dump() + "\n");
    for (auto const* text : {"redis", "/etc/x.y", "unix:///run/docker.sock", "127.0.0.1:8500",
                             "172.30.0.0/16", "30s", "1m30s", "a-b_c", "user@host"})
        CHECK(to_yaml({{"k", text}}) == "k: " + std::string(text) + "\n");
}

TEST_CASE("a long list is a block, and lists of lists are read back") {
    json value{{"k", json::array()}};
    for (int i = 0; i < 40; ++i)
        value["k"].push_back("item");
    CHECK(to_yaml(value).starts_with("k:\n  - item\n  - item\n"));
    auto const nested = to_yaml({{"k", json::array({json::array({json::array({"a"}), "b"})})}});
    auto const tree = parse(nested);
    REQUIRE(tree.complete);
    CHECK(tree.root.find("k")->items.at(0).items.at(0).items.at(0).text == "a");
}

TEST_CASE("a remark stands behind the value that it is about") {
    auto const about = [](std::string const& path) {
        return path == "a.b" ? std::string("here") : std::string();
    };
    CHECK(to_yaml({{"a", {{"b", 1}, {"c", 2}}}}, about) == "a:\n  b: 1  # here\n  c: 2\n");
}

}  // namespace bevmesh::config
