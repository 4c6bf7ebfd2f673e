// The process of our forwarder: a unit under systemd, elsewhere a daemon with a pid file.
#pragma once

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"
#include "registrar/dns/plan.hpp"

namespace bevmesh::registrar::dns {

inline constexpr milliseconds restart_limit{60'000};

/// Nothing to do where none is planned. One that runs is replaced.
[[nodiscard]] result<void> start_forwarder(forwarder const& f, bool systemd);
/// A process is only ours if its command line names our configuration.
[[nodiscard]] result<void> stop_forwarder(forwarder const& f, bool systemd);

}  // namespace bevmesh::registrar::dns
