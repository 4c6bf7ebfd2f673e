// What is wrong with names on this host, each with a code that never changes its meaning, a
// sentence, and a remedy. Pure.
//
// DNS1xx Consul's own DNS · DNS2xx the host · DNS3xx containers · DNS4xx what bevmesh wrote.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registrar/dns/facts.hpp"
#include "registrar/dns/recognise.hpp"
#include "registrar/dns/report.hpp"

namespace bevmesh::registrar::dns {

enum class severity { error, warning };

struct finding {
    std::string code;
    severity level = severity::error;
    std::string where;  // "consul", "host", a network's name
    std::string text;
    std::string remedy;

    friend bool operator==(finding const&, finding const&) = default;
};

/// What one place sees; without `report`, `problem` says why nobody could look.
struct view {
    std::string where;
    network_kind kind = network_kind::host;
    bool is_host = false;  // the host itself, not a container on its network
    std::optional<view_report> report;
    std::string problem;
};

/// A container that runs with servers which new ones on its networks no longer get.
struct stale_container {
    std::string name;
    std::vector<std::string> nameservers;
};

/// What the files of ours look like now.
struct journal_facts {
    bool applied = false;
    bool interrupted = false;
    std::vector<std::string> changed;  // paths that somebody else changed or removed
    bool outdated = false;             // the networks have changed since: apply would do more
};

struct observations {
    host_facts host;
    consul_facts consul;
    server_report agent;  // Consul asked directly
    std::vector<view> views;
    std::vector<stale_container> stale;
    journal_facts journal;
};

[[nodiscard]] std::vector<finding> judge(observations const& seen);

/// Whether programs there resolve the mesh's names, with every libc: what `apply` must reach.
[[nodiscard]] bool resolves(view const& v, server_report const& agent);
[[nodiscard]] bool is_degraded(std::vector<finding> const& findings);
[[nodiscard]] std::string_view name(severity s) noexcept;

}  // namespace bevmesh::registrar::dns
