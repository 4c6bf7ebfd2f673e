// Reads the facts of this host: files, sockets, processes. Changes nothing.
//
// `ours` is what a former apply wrote: the host is described as it would be without it.
#pragma once

#include "mesh/base/result.hpp"
#include "registrar/dns/facts.hpp"
#include "registrar/dns/journal.hpp"

namespace bevmesh::registrar::dns {

/// Without `engine`. Who has port 53 is fully known to root alone.
[[nodiscard]] result<host_facts> read_host(std::optional<journal> const& ours,
                                           consul_facts const& consul);

/// argv that restarts a service: its unit under systemd, else its script in /etc/init.d; empty:
/// neither. `pid` 0: by name alone.
[[nodiscard]] std::vector<std::string> restart_of(int pid, std::string const& service);

/// Daemon.json's `dns`, and whether there is such a file that is not ours.
void read_daemon_json(std::optional<journal> const& ours, engine_facts& into);

/// Of every interface, without zone.
[[nodiscard]] std::vector<std::string> local_addresses();

/// The words of a process's command line; none when it is gone.
[[nodiscard]] std::vector<std::string> command_line_of(int pid);

}  // namespace bevmesh::registrar::dns
