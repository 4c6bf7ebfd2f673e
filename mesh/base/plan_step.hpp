// What a plan does about one thing: for the commands that show a plan before they keep to it.
#pragma once

#include <string_view>

namespace bevmesh {

enum class step_kind {
    unchanged,
    create,
    update,   // it is there, and not as it should be
    restore,  // it is there, its file is not: it is written again
    refuse,   // what is there is none of ours: nothing is done at all
};

[[nodiscard]] constexpr std::string_view name(step_kind kind) noexcept {
    switch (kind) {
        case step_kind::unchanged:
            return "unchanged";
        case step_kind::create:
            return "create";
        case step_kind::update:
            return "update";
        case step_kind::restore:
            return "restore";
        case step_kind::refuse:
            return "refuse";
    }
    return "";
}

}  // namespace bevmesh
