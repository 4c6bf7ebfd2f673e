// One check of the configuration, for one target, as Consul's definition and the daemon's probe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "registrar/checks.hpp"

namespace bevmesh::registrar {

enum class defaults {
    own,          // see checks.hpp
    registrator,  // 10 s, everything else as Consul has it
};

/// Without CheckID. Empty with a note when there is nothing to check; parts that Consul would
/// refuse the whole service for (an unknown status, a threshold above another) are left out with
/// one.
[[nodiscard]] std::optional<wanted_check> make_check(check_config const& config,
                                                     check_target const& target, defaults use,
                                                     std::vector<note>& notes);

/// The mirror of the container's HEALTHCHECK.
[[nodiscard]] wanted_check docker_health_check(check_target const& target);

/// Consul connects to a TCP port for this kind.
[[nodiscard]] bool is_native_on_tcp(check_kind kind) noexcept;

[[nodiscard]] std::string_view name(check_kind kind) noexcept;

}  // namespace bevmesh::registrar
