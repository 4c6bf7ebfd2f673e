// `bevmesh registrator`, also as the binary's own name: the daemon, told what to do by
// registrator's command line and environment instead of a configuration.
#include <array>
#include <cstdlib>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <ostream>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "mesh/cli/commands.hpp"
#include "mesh/cli/registrator.hpp"
#include "mesh/cli/session.hpp"

namespace bevmesh::cli {
namespace {

/// The first address of `name` that is not loopback's, IPv4 first; empty where there is none.
std::string outer_address(std::string const& name) {
    for (int const family : {AF_INET, AF_INET6}) {
        addrinfo hints{};
        hints.ai_family = family;
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) continue;
        std::string outer;
        for (auto const* at = found; at != nullptr && outer.empty(); at = at->ai_next) {
            std::array<char, NI_MAXHOST> text{};
            if (::getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                              NI_NUMERICHOST) != 0)
                continue;
            std::string const numeric(text.data());
            auto const inner =
                numeric.starts_with("127.") || numeric == "::1" || numeric.starts_with("fe80:");
            if (!inner) outer = numeric;
        }
        ::freeaddrinfo(found);
        if (!outer.empty()) return outer;
    }
    return {};
}

registrator_host this_host() {
    registrator_host host;
    std::array<char, HOST_NAME_MAX + 1> name{};
    if (::gethostname(name.data(), HOST_NAME_MAX) == 0) host.name = name.data();
    host.address = outer_address(host.name);
    for (char const* const variable :
         {"CONSUL_CACERT", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY", "DOCKER_HOST"})
        if (char const* const value = std::getenv(variable); value != nullptr)
            host.environment[variable] = value;
    // Where registrator's image looks, and its users mount the engine's socket.
    char const* const mounted = "/tmp/docker.sock";
    if (!host.environment.contains("DOCKER_HOST") && ::access(mounted, F_OK) == 0)
        host.environment["DOCKER_HOST"] = std::string("unix://") + mounted;
    return host;
}

}  // namespace

void add_registrator_command(CLI::App& app, session& run) {
    auto& command = *app.add_subcommand(
        "registrator", "Run the daemon with registrator's own flags and registry URI");
    command.prefix_command();
    command.footer(
        "Flags, as registrator's: -cleanup -deregister -explicit -internal -ip -resync\n"
        "-retry-attempts -retry-interval -tags -ttl -ttl-refresh -useIpFromLabel; the URI is\n"
        "consul://, consul-tls:// or consul-unix://. CONSUL_HTTP_TOKEN, CONSUL_CACERT,\n"
        "CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY and DOCKER_HOST are read. --print-config before\n"
        "all flags prints the configuration that says the same, and ends. A binary that is called\n"
        "registrator does all this without the word.\n\n"
        "Examples:\n"
        "  bevmesh registrator -cleanup -ip 10.0.0.1 consul://127.0.0.1:8500\n"
        "  bevmesh registrator --print-config -internal consul://127.0.0.1:8500");
    auto const print = std::make_shared<bool>(false);
    command.add_flag("--print-config", *print, "Print the configuration that says the same");
    command.callback([&command, print, &run] {
        auto const words = command.remaining();
        auto const understood = understand_registrator(words, this_host());
        if (!understood) {
            run.say("registrator: " + understood.error().doing);
            run.finish(exit_status::local_error);
            return;
        }
        for (auto const& note : understood->notes)
            run.say("registrator: " + note);
        if (*print) {
            run.io().out << understood->document;
            return;
        }
        daemon::options how;
        how.config_file = "registrator's command line";
        how.document = understood->document;
        how.node = understood->node;
        if (char const* const token = std::getenv("CONSUL_HTTP_TOKEN"); token != nullptr)
            how.consul_token = secret(token);
        run.status() = run.run_daemon(how);
    });
}

}  // namespace bevmesh::cli
