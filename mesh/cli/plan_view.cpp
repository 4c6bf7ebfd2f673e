#include "mesh/cli/plan_view.hpp"

#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

char const* sign(step_kind what) {
    switch (what) {
        case step_kind::unchanged:
            return "= ";
        case step_kind::create:
            return "+ ";
        case step_kind::update:
        case step_kind::restore:
            return "~ ";
        case step_kind::refuse:
            return "! ";
    }
    return "";
}

look look_of(step_kind what) {
    switch (what) {
        case step_kind::unchanged:
            return look::muted;
        case step_kind::create:
            return look::good;
        case step_kind::update:
        case step_kind::restore:
            return look::warning;
        case step_kind::refuse:
            return look::bad;
    }
    return look::plain;
}

}  // namespace

std::string headline(step_kind what, std::string const& text, page const& on) {
    return "  " + paint({sign(what) + text, look_of(what)}, on) + "\n";
}

std::string draw_diff(std::vector<diff_line> const& diff, page const& on) {
    std::string drawn;
    for (auto const& line : diff) {
        auto const colour = line.what == diff_line::kind::added     ? look::good
                            : line.what == diff_line::kind::removed ? look::bad
                                                                    : look::muted;
        drawn += "        " + paint({marked(line), colour}, on) + "\n";
    }
    return drawn;
}

std::string counted(std::size_t n, std::string const& one, std::string const& many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

}  // namespace bevmesh::cli
