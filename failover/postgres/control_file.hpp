// global/pg_control, read without the server's programs. Pure.
//
// A planned switchover reads it between the stop of the one and the start of the other, where a
// program in a container of its own would cost more than all the rest.
#pragma once

#include <string_view>

#include "failover/postgres/control.hpp"

namespace bevmesh::failover::postgres {

/// The layout is that of PG_CONTROL_VERSION 1300 and 1700 (PostgreSQL 13 to 17,
/// src/include/catalog/ pg_control.h), in this machine's byte order. errc::not_found: another
/// version, which pg_controldata must be asked about; errc::bad_answer: cut short, or its checksum
/// does not match.
[[nodiscard]] result<control_data> read_control_file(std::string_view bytes);

}  // namespace bevmesh::failover::postgres
