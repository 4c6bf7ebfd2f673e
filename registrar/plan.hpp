// desired x observed -> what to do about one service. Pure.
//
// Ownership is in the service's Meta and nowhere else: `external-source=bevmesh` and
// `bevmesh-instance=NODE` make an entry ours to change and remove. An entry without any
// external-source that has the very ID and name which we want was left by registrator (or by hand
// for this container) and is adopted; everything else is foreign and never touched.
//
// Checks cannot be compared through Consul's API (it does not give back their definitions), so a
// hash of all that we registered is kept in Meta; equal hash and equal visible fields mean that
// nothing is registered again (blind re-registration wakes every watcher: hashicorp/consul#4904,
// #8990).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/consul/types.hpp"
#include "registrar/registration.hpp"

namespace bevmesh::registrar {

/// What the local agent holds, as last read and with our own writes since applied.
struct observed {
    std::map<std::string, consul::agent_service> services;  // by service ID
    std::map<std::string, consul::agent_check> checks;      // by check ID

    friend bool operator==(observed const&, observed const&) = default;
};

enum class owner { nobody, ours, left_behind, foreign };

/// Whose entry it is, seen from `instance` (the node's name) that wants `name` there.
[[nodiscard]] owner owner_of(consul::agent_service const& entry, std::string_view instance);

/// True when an entry without owner may become `wanted`'s: same ID (the caller's lookup) and name.
[[nodiscard]] bool may_adopt(consul::agent_service const& entry, registration const& wanted);

/// Consul's CheckID for a service in maintenance mode (agent/structs, ServiceMaintPrefix).
[[nodiscard]] std::string maintenance_check_id(std::string_view service_id);

/// Marks maintenance as ours, so that an admin's own `consul maint` is never lifted by us.
inline constexpr std::string_view maintenance_mark = "bevmesh: ";

/// Why the service is to be in maintenance mode, as Consul's notes show it; empty: it is not.
/// A container that cannot serve goes before `asked`, an admin's reason.
[[nodiscard]] std::string maintenance_reason(registration const& wanted, std::string_view asked);

/// The reason of an admin's own `consul maint`; empty: the service is not in it.
[[nodiscard]] std::string admins_maintenance(observed const& agent, std::string_view service_id);

/// 16 hex digits over everything that is registered, without initial statuses and maintenance.
[[nodiscard]] std::string hash_of(registration const& wanted);

/// Status by check ID, for the checks whose state at birth is known.
using birth_states = std::map<std::string, consul::status>;

/// The body of the registration. With `maintenance` (a reason) the entry is born in maintenance
/// mode: re-registering with replace-existing-checks removes the maintenance check otherwise, and
/// the service would be back in DNS for a moment (seen with Consul 1.22.7).
[[nodiscard]] consul::service_definition definition_of(registration const& wanted,
                                                       std::string_view instance,
                                                       birth_states const& states,
                                                       std::string_view maintenance);

/// Does the agent's entry lack anything of what we registered, or differ from what we want?
/// Empty: it is as wanted. Otherwise the first difference, for the log ("tags", "check … is gone").
[[nodiscard]] std::string difference(registration const& wanted, observed const& agent,
                                     std::string_view instance);

/// What the observed state becomes by our own writes, so that no re-read is needed.
void apply_registration(observed& agent, consul::service_definition const& written);
void apply_deregistration(observed& agent, std::string const& service_id);

}  // namespace bevmesh::registrar
