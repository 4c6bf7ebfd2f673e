#include "mesh/daemon/daemon.hpp"

#include <array>
#include <iostream>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/loader.hpp"
#include "mesh/daemon/process.hpp"

namespace bevmesh::daemon {
namespace {

std::string short_host_name() {
    std::array<char, HOST_NAME_MAX + 1> text{};
    if (::gethostname(text.data(), HOST_NAME_MAX) != 0) return {};
    std::string name(text.data());
    return name.substr(0, name.find('.'));
}

std::string known_nodes(mesh_config const& config) {
    std::string all;
    for (auto const& [name, node] : config.nodes)
        all += (all.empty() ? "" : ", ") + name;
    return all;
}

}  // namespace

config::loaded load_configuration(options const& how) {
    return how.document.empty() ? config::load_file(how.config_file)
                                : config::load_text(how.document, how.config_file);
}

int run(options const& how) {
    auto loaded = load_configuration(how);
    for (auto const& p : loaded.problems)
        std::cerr << config::to_string(p) << "\n";
    if (!loaded.problems.empty()) return 1;
    auto const node = how.node.empty() ? short_host_name() : how.node;
    if (!loaded.value.nodes.contains(node)) {
        std::cerr << "bevmesh: this node is called " << node << ", and " << how.config_file
                  << " knows " << known_nodes(loaded.value)
                  << "; say which one it is with --node\n";
        return 1;
    }
    log::configure(loaded.value.log);
    ::signal(SIGPIPE, SIG_IGN);
    ::umask(0077);
    process p(how, std::move(loaded.value), node);
    if (auto const ready = p.prepare(); !ready) {
        std::cerr << "bevmesh: " << describe(ready.error()) << "\n";
        return 1;
    }
    return p.run();
}

}  // namespace bevmesh::daemon
