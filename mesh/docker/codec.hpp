// The Docker Engine's JSON and framings to values. Pure: tested on answers recorded from API 1.41.
//
// Every decode is errc::bad_answer when the document is not what the engine documents; unknown
// fields and values (a new health status, say) are let pass where they can be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/docker/types.hpp"

namespace bevmesh::docker {

/// Of GET /containers/ID/json.
[[nodiscard]] result<container> decode_container(std::string_view document);

struct list_entry {
    std::string id;
    std::string fingerprint;  // see listed_container in client.hpp
};
[[nodiscard]] result<std::vector<list_entry>> decode_list(std::string_view document);

[[nodiscard]] result<event> decode_event(std::string_view document);
[[nodiscard]] result<engine_info> decode_info(std::string_view document);
[[nodiscard]] result<std::vector<network>> decode_networks(std::string_view document);

/// Body of POST /containers/ID/exec, and what comes back (as of POST /containers/create).
[[nodiscard]] std::string encode_exec(std::vector<std::string> const& argv);
[[nodiscard]] result<std::string> decode_exec_id(std::string_view document);
/// Empty while the command still runs.
[[nodiscard]] result<std::optional<int>> decode_exec_exit(std::string_view document);

/// The engine's {"message": "..."}, or the text itself.
[[nodiscard]] std::string error_message(std::string_view body);

/// "1.41" as a pair; nothing for anything else.
[[nodiscard]] std::optional<std::pair<unsigned, unsigned>> parse_version(std::string_view text);
/// The version to speak with an engine whose newest is `engine`: the smaller of it and 1.52.
/// errc::bad_answer below 1.41 and for what is no version.
[[nodiscard]] result<std::string> negotiate(std::string_view engine);

/// The query of GET /events: containers' and networks' events that can change a registration; the
/// three exec events of every health check are not among them. `since_nano` 0: from now on.
[[nodiscard]] std::string events_query(std::int64_t since_nano);

}  // namespace bevmesh::docker
