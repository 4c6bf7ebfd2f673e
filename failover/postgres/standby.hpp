// What a standby and its upstream are to each other. Internal to failover/postgres.
#pragma once

#include <string>

#include "failover/postgres/session.hpp"

namespace bevmesh::failover::postgres {

/// Done: `local` may be told to follow. Refused: it is a primary; with foreign_data: of another
/// cluster; with `diverged`: it holds what the upstream lacks; with `behind`: it lacks what the
/// upstream has removed, has used up its own WAL, and has no restore_command for more. `upstream`:
/// its host, for the sentence.
awaitable<done<void>> may_follow(session& local, session& other, std::string upstream);

/// A physical slot there that keeps WAL from now on; one that is lost is made anew.
awaitable<done<void>> slot_on(session& with, std::string name);

}  // namespace bevmesh::failover::postgres
