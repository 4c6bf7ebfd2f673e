// YAML that means what the JSON meant, checked with a reader of its own.
#include "mesh/cli/yaml.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "mesh/cli/output.hpp"
#include "tests/catch.hpp"

using bevmesh::cli::to_json_text;
using bevmesh::cli::to_yaml;
using nlohmann::json;

namespace {

/// Reads what was emitted with a reader of YAML 1.2, and compares kind and value of each node. A
/// plain scalar is no string here: "?" is yaml-cpp's tag of plain ones, "!" of quoted ones.
void check_same(YAML::Node const& node, json const& value) {
    CAPTURE(value.dump());
    if (value.is_object()) {
        REQUIRE(node.IsMap());
        REQUIRE(node.size() == value.size());
        for (auto const& [key, member] : value.items())
            check_same(node[key], member);
    } else if (value.is_array()) {
        REQUIRE(node.IsSequence());
        REQUIRE(node.size() == value.size());
        for (std::size_t i = 0; i < value.size(); ++i)
            check_same(node[i], value[i]);
    } else if (value.is_string()) {
        REQUIRE(node.IsScalar());
        CHECK(node.Scalar() == value.get<std::string>());
    } else if (value.is_null()) {
        CHECK(node.IsNull());
    } else {
        CHECK(node.Tag() == "?");
        if (value.is_boolean()) CHECK(node.as<bool>() == value.get<bool>());
        if (value.is_number_integer()) CHECK(node.as<long long>() == value.get<long long>());
        if (value.is_number_float()) CHECK(node.as<double>() == value.get<double>());
    }
}

void round_trip(json const& value) {
    auto const text = to_yaml(value);
    CAPTURE(text);
    check_same(YAML::Load(text), value);
}

}  // namespace

TEST_CASE("a document reads as people write it") {
    json const value{{"name", "redis"},
                     {"port", 6379},
                     {"tags", {"primary", "stand-in"}},
                     {"checks", {{{"id", "c1"}, {"status", "passing"}}, {{"id", "c2"}}}},
                     {"meta", json::object()},
                     {"none", json::array()},
                     {"output", "line one\nline two"}};
    CHECK(to_yaml(value) ==
          "checks:\n"
          "  - id: c1\n"
          "    status: passing\n"
          "  - id: c2\n"
          "meta: {}\n"
          "name: redis\n"
          "none: []\n"
          "output: |-\n"
          "  line one\n"
          "  line two\n"
          "port: 6379\n"
          "tags:\n"
          "  - primary\n"
          "  - stand-in\n");
}

TEST_CASE("a string that some reader would take for something else is quoted") {
    for (auto const* text : {"on",         "Off",
                             "yes",        "NO",
                             "y",          "true",
                             "False",      "null",
                             "Null",       "~",
                             "",           "1.0",
                             "0x1f",       "1e3",
                             ".5",         "-1",
                             "+1",         ".inf",
                             "12:3",       "0o7",
                             "1_000",      "-",
                             "2026-11-24", "=",
                             "<<",         "100.122.12.35",
                             "- a",        "# c",
                             "a: b",       "a #b",
                             "a:",         " a",
                             "a ",         "*x",
                             "&x",         "!x",
                             "%x",         "@x",
                             "`x",         "{a",
                             "[a",         "?",
                             "|",          ">",
                             "'a'",        "\"a\"",
                             "---",        "..."}) {
        auto const yaml = to_yaml(json(text));
        CAPTURE(yaml);
        CHECK(yaml.front() == '"');
        CHECK(YAML::Load(yaml).Scalar() == text);
        CHECK(YAML::Load(yaml).Tag() == "!");
    }
    for (auto const* text :
         {"redis", "bevmesh@thanos", "/run/bevmesh/api.sock", "stand-in", "überall", "a b",
          "unix:///run/docker.sock", "onwards", "nullable", "it's, fine", "a-", "a#b"})
        CHECK(to_yaml(json(text)) == std::string(text) + "\n");
}

TEST_CASE("texts of several lines are blocks where a block can carry them") {
    CHECK(to_yaml(json{{"k", "a\nb\n"}}) == "k: |\n  a\n  b\n");
    CHECK(to_yaml(json{{"k", "a\n\nb"}}) == "k: |-\n  a\n\n  b\n");
    for (auto const* text :
         {"a\nb", "a\nb\n", "a\nb\n\n", "\na\nb", " a\nb", "a\n b", "a \nb", "a\n\tb", "a\n\n\nb",
          "\n", "\n\n", "a\n", "a\r\nb", "# a\n# b", "a: 1\nb: 2", "---\n...", "a\n\x1b[31mb"})
        round_trip(json{{"k", text}, {"list", {text, {{"in", text}}}}});
}

TEST_CASE("every value comes back as it was") {
    round_trip(json::object());
    round_trip(json::array());
    round_trip(nullptr);
    round_trip("text");
    round_trip({{"null", nullptr}, {"on", true}, {"1", 1}, {"a: b", {{"", "empty"}}}});
    round_trip({1, -1, 0.5, 1e300, 1e-7, 1.0, true, false, nullptr, "x"});
    round_trip(json::parse(R"([[1, [2, [3]]], [], [{}], {"a": [[{"b": [1]}]]}])"));
    round_trip({{"esc", "\x01\x1b\x7f\xc2\x9b\xe2\x80\xa8 \\ \" ' €"}});
}

TEST_CASE("a float needs no second look: it has a point") {
    CHECK(to_yaml(json(1e300)) == "1.0e+300\n");
    CHECK(to_yaml(json(1.0)) == "1.0\n");
}

TEST_CASE("no control character reaches the terminal, in either format") {
    json const value{{"k\x1b", "a\x1b[2J\x7f\xc2\x9b"}, {"bad", "\xff"}};
    for (auto const as : {bevmesh::cli::format::json, bevmesh::cli::format::yaml}) {
        auto const text = bevmesh::cli::to_text(value, as);
        CHECK(text.find('\x1b') == std::string::npos);
        CHECK(text.find('\x7f') == std::string::npos);
        CHECK(text.find("\xc2\x9b") == std::string::npos);
        CHECK(text.find('\xff') == std::string::npos);
    }
    CHECK(to_json_text(json{{"a", 1}}) == "{\n  \"a\": 1\n}\n");
}
