// The rules for a service's certificate: what its recipe needs.
#include <chrono>

#include "certs/names.hpp"
#include "certs/recipes.hpp"
#include "certs/window.hpp"
#include "config/findings.hpp"
#include "config/format.hpp"

namespace bevmesh::config {
namespace {

/// Keys of `tls` that a recipe may need, and what is expected in them.
struct needed_key {
    char const* name;
    bool (*missing)(service_tls_config const&);
    char const* expected;
};

constexpr needed_key keys[] = {
    {"command", [](service_tls_config const& t) { return t.command.empty(); },
     "the command to run"},
    {"pid_file", [](service_tls_config const& t) { return t.pid_file.empty(); },
     "a file with the process's number"},
    {"broker", [](service_tls_config const& t) { return t.broker.empty(); }, "the broker's number"},
    {"listener", [](service_tls_config const& t) { return t.listener.empty(); },
     "the listener's name"},
    {"client_config", [](service_tls_config const& t) { return t.client_config.empty(); },
     "a file for kafka-configs.sh"},
};

void check_needs(certs::recipe const& recipe, service_config const& service, std::string const& at,
                 findings& found) {
    auto const& tls = service.tls;
    for (auto const& need : certs::needs_of(recipe)) {
        for (auto const& key : keys)
            if (need == key.name && key.missing(tls))
                found.report(join(at, key.name), "is missing",
                             "for recipe " + tls.recipe + " " + key.expected);
        if (need != "container") continue;
        for (auto const& instance : service.instances)
            if (instance.match.container.empty())
                found.report(join(at, "recipe"),
                             in_quotes(tls.recipe) + " needs a container's name",
                             "match: {container: NAME}");
    }
    if (tls.crl.value_or(false) && recipe.crls == certs::crl_use::never)
        found.report(join(at, "crl"),
                     "is nothing for recipe " + tls.recipe + ", which reads no CRL", "no `crl`");
    if (!recipe.follows_links && tls.layout == "linked")
        found.report(join(at, "layout"), "linked is nothing for recipe " + tls.recipe,
                     "layout: flat");
}

}  // namespace

void check_service_tls(service_config const& service, std::string const& base,
                       mesh_config const& config, findings& found) {
    auto const& tls = service.tls;
    if (tls.recipe.empty()) return;
    auto const at = join(base, "tls");
    if (service.name == certs::daemon_name)
        found.report(at,
                     "would give the service " + service.name +
                         " the name by which the nodes' daemons know each other",
                     "another name for a service with a certificate");
    if (service.name == certs::agent_name && !config.consul.tls.recipe.empty() && base != "consul")
        found.report(at, "would be a second certificate of the name consul", "consul.tls alone");
    if (config.vault.addresses.empty())
        found.report(at, "needs a Vault that signs it", "the section `vault`");
    if (auto const* const recipe = certs::find_recipe(tls.recipe))
        check_needs(*recipe, service, at, found);
    for (auto const& instance : service.instances)
        if (instance.port == 0)
            found.report(at, "needs a port at which the certificate is looked for",
                         "the service's port");
    auto const open = std::chrono::duration_cast<std::chrono::minutes>(tls.window_length);
    for (std::size_t i = 0; i < tls.windows.size(); ++i) {
        auto const one = certs::window::parse(tls.windows[i], open);
        if (!one)
            found.report(join(join(at, "windows"), i), one.error().doing,
                         "a cron line such as '0 2 * * 6'");
    }
}

}  // namespace bevmesh::config
