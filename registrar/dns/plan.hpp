// What makes the names of the mesh resolvable on this host: files, restarts, a forwarder. Pure.
//
// The host's own resolver gets one drop-in that sends the mesh's domain to Consul. Containers of
// the default bridge and of internal networks cannot use a resolver on the host's loopback (moby
// resolves from their own network namespace), so something must answer on the gateways of their
// bridges: systemd-resolved can (DNSStubListenerExtra, version 247); elsewhere a second dnsmasq or
// unbound with a configuration of ours does, `bevmesh-dns`. A well-kept daemon beats a forwarder of
// our own, and dnsmasq with bind-dynamic follows bridges that come and go.
//
// Docker is told of the gateways in one of two ways. Where libc asks servers elsewhere ("plain") or
// nobody, /etc/resolv.conf must name the forwarder anyway: it names loopback first and the
// gateways after it, of which Docker gives each container what it can reach; Docker itself is not
// touched. Where a resolver runs here, resolv.conf stays as it is, and `dns` in daemon.json says
// it: that is read at the engine's start alone, so it needs the admin's consent to a restart.
#pragma once

#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "registrar/dns/facts.hpp"
#include "registrar/dns/recognise.hpp"

namespace bevmesh::registrar::dns {

/// First line of every file of ours that can have comments.
inline constexpr std::string_view marker = "bevmesh dns apply wrote this file; bevmesh dns remove";

/// Who has to be told when a file changes.
enum class reader { resolver, forwarder, engine, libc };

struct planned_file {
    reader of = reader::resolver;
    std::string path;
    std::string content;
    std::string link;  // not empty: a symbolic link to this
    unsigned mode = 0644;
    bool replaces = false;  // what is there is kept beside it, and put back by `remove`
    std::string why;

    friend bool operator==(planned_file const&, planned_file const&) = default;
};

struct forwarder {
    std::string program;   // its path; empty: none is needed
    std::string config;    // path of its configuration, among the files
    std::string pid_file;  // without systemd
    std::vector<std::string> addresses;

    friend bool operator==(forwarder const&, forwarder const&) = default;
};

/// What does not work without us. Kept by the journal: once applied, it can no longer be seen.
struct needs {
    bool host = true;
    bool bridges = true;  // default bridge or an internal network

    friend bool operator==(needs const&, needs const&) = default;
};

struct plan {
    dns::resolver resolver;
    std::vector<planned_file> files;
    std::vector<std::string> restart;  // the host's resolver; empty: needs none
    dns::forwarder forward;
    std::vector<std::string> container_dns;   // what containers of the two kinds are to ask
    std::vector<std::string> restart_engine;  // empty: not restarted
    std::vector<std::string> left_out;        // sentences: what it does not do, and what would
};

struct wishes {
    dns::needs needs;
    bool restart_engine = false;  // the admin's consent
};

/// bad_input: this host cannot be helped as it is; the sentence says why and what to do.
[[nodiscard]] result<plan> make_plan(host_facts const& host, consul_facts const& consul,
                                     wishes const& wish);

/// Lines for the person who is asked.
[[nodiscard]] std::vector<std::string> describe(plan const& p);

/// Every path that a plan of any kind may have: where to look for files of ours when the journal
/// is lost.
[[nodiscard]] std::vector<std::string> known_paths(host_facts const& host);

}  // namespace bevmesh::registrar::dns
