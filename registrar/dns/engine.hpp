// Docker, as far as names are concerned: its networks, and what a container on each of them sees.
//
// To look from inside, a container is made for each network, of an image without files: the
// host's /usr is mounted into it, and this program runs there. So it has the resolv.conf, the
// routes and the firewall of a new container, no image has to be there, and it is gone afterwards
// (also after a crash: it ends by itself in a minute, and Docker removes it). It publishes no port,
// so no registrar announces it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/config.hpp"
#include "registrar/dns/findings.hpp"
#include "registrar/dns/journal.hpp"
#include "registrar/dns/probe.hpp"

namespace bevmesh::registrar::dns {

class engine {
public:
    explicit engine(docker_config const& settings);
    ~engine();

    [[nodiscard]] engine_facts facts(std::optional<journal> const& ours);
    /// From a new container on each network that is a bridge, and on the host's.
    [[nodiscard]] std::vector<view> look(engine_facts const& known, question_list const& questions);
    /// Running containers that name a server which no new container on such a network would.
    [[nodiscard]] std::vector<stale_container> stale(std::vector<view> const& views);
    /// Waits until it answers again.
    [[nodiscard]] result<void> wait_ready(milliseconds limit);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The questions as arguments of this program, and its answer taken back.
[[nodiscard]] std::vector<std::string> probe_arguments(std::string const& program,
                                                       question_list const& questions);
/// From the host itself, in a process of its own with libc's patience bounded.
[[nodiscard]] view look_from_host(question_list const& questions);

}  // namespace bevmesh::registrar::dns
