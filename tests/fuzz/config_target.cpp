#include "tests/fuzz/config_target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "config/loader.hpp"
#include "config/schema.hpp"
#include "config/yaml_text.hpp"

namespace bevmesh::config {
namespace {

[[noreturn]] void fail(char const* what, std::string const& detail) {
    std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
    std::abort();
}

void check_problem(problem const& p, int last_line) {
    auto const line = to_string(p);
    if (p.message.empty()) fail("a problem without words", line);
    if (p.line < 0 || p.line > last_line || p.column < 0) fail("a problem outside", line);
    auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (std::ranges::any_of(line, is_control)) fail("a problem with control characters", line);
}

void check_again(std::string const& text, mesh_config const& expected) {
    auto const again = load_text(text, "shown");
    if (!again.problems.empty()) fail("shown, and not valid", to_string(again.problems[0]) + text);
    if (again.value != expected) fail("shown, and another one", text);
}

}  // namespace

void check_loader(std::string_view bytes) {
    auto const file = load_text(bytes, "f");
    auto const last_line = static_cast<int>(std::ranges::count(bytes, '\n')) + 1;
    for (auto const& p : file.problems)
        check_problem(p, last_line);
    if (!file.problems.empty()) return;
    auto const shown = document().show(file.value);
    check_again(to_yaml(shown), file.value);
    check_again(shown.dump(), file.value);
}

}  // namespace bevmesh::config
