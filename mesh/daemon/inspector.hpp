// What this node can say of itself for `bevmesh verify`, collected when asked: GET /v1/node.
//
// Everything is asked at once and each within `limit`, so that a part that hangs costs as much time
// as one that answers late, and the answer says which. Names are asked for on a thread of their own
// (mesh/net/dns.hpp blocks).
#pragma once

#include <memory>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "mesh/base/config.hpp"
#include "mesh/consul/client.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/docker/client.hpp"
#include "registrar/reconcile.hpp"
#include "registrar/verify/facts.hpp"

namespace bevmesh::daemon {

class inspector {
public:
    /// All must outlive it.
    struct sources {
        registrar::reconciler const& core;  // its configuration is the current one
        docker::client& docker;
        consul::client& consul;
    };

    using names = std::map<std::string, registrar::verify::name_fact>;

    explicit inspector(sources from) : from_(from) {}

    /// At most `limit`, and a little.
    net::awaitable<registrar::verify::node_facts> look();

    /// The services of the configuration as Consul's catalog has them.
    using catalog = std::map<std::string, std::vector<consul::health_entry>>;
    net::awaitable<result<catalog>> read_catalog();

    void mount(routes& on);

    static constexpr milliseconds limit{2'000};

private:
    net::awaitable<result<std::string>> answer();
    net::awaitable<void> look_at_docker(std::shared_ptr<registrar::verify::node_facts> into);
    net::awaitable<void> look_at_consul(std::shared_ptr<registrar::verify::node_facts> into);
    /// `into` outlives it.
    net::awaitable<void> ask_names(std::string server, std::vector<std::string> services,
                                   std::string domain, names* into);
    void look_at_registrar(registrar::verify::node_facts& into) const;

    sources from_;
    boost::asio::thread_pool names_{2};  // one for each resolver
};

/// Unix time.
[[nodiscard]] std::int64_t wall_clock_ms();

}  // namespace bevmesh::daemon
