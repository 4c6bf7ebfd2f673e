// How a database's adapter says what came of an action: done, refused or unknown, with the reason.
#pragma once

#include <string>

#include "failover/database/trouble.hpp"
#include "failover/event.hpp"

namespace bevmesh::failover {

[[nodiscard]] inline carried_out refused(std::uint64_t op, std::string why) {
    carried_out c;
    c.op = op;
    c.result = outcome::refused;
    c.detail = std::move(why);
    return c;
}

[[nodiscard]] inline carried_out accomplished(std::uint64_t op, position at = 0) {
    carried_out c;
    c.op = op;
    c.result = outcome::done;
    c.at = at;
    return c;
}

[[nodiscard]] inline carried_out failed(std::uint64_t op, database::trouble const& t) {
    carried_out c;
    c.op = op;
    c.result = t.effect;
    c.why = t.why;
    c.diverged = t.diverged;
    c.behind = t.behind;
    c.detail = t.detail;
    return c;
}

[[nodiscard]] inline carried_out answer(std::uint64_t op, database::done<void> const& got) {
    return got ? accomplished(op) : failed(op, got.error());
}

[[nodiscard]] inline carried_out answer(std::uint64_t op, database::done<position> const& got) {
    return got ? accomplished(op, *got) : failed(op, got.error());
}

}  // namespace bevmesh::failover
