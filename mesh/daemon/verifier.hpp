// `bevmesh verify` for the whole mesh: GET /v1/verify on the socket.
//
// Asks this node's inspector and all other nodes' daemons at once; a node that does not answer in
// time is a finding. All of it is done in `limit`, whatever is frozen.
#pragma once

#include <functional>
#include <string>

#include "mesh/daemon/inspector.hpp"
#include "mesh/daemon/routes.hpp"
#include "registrar/verify/facts.hpp"

namespace bevmesh::daemon {

class verifier {
public:
    /// GET `target` of another node's daemon; the body of its answer.
    using node_request = std::function<net::awaitable<result<std::string>>(
        std::string node, std::string target, milliseconds deadline)>;

    verifier(registrar::reconciler const& core, inspector& own, node_request ask)
        : core_(core), own_(own), ask_(std::move(ask)) {}

    net::awaitable<registrar::verify::mesh_facts> collect();
    void mount(routes& on);

    /// Of each node, more than its inspector's own limit; and of all reading of the catalog.
    static constexpr milliseconds node_limit{3'500};
    static constexpr milliseconds catalog_limit{3'500};

private:
    using shared_facts = std::shared_ptr<registrar::verify::mesh_facts>;
    net::awaitable<result<std::string>> answer();
    net::awaitable<void> ask_self(shared_facts into);
    net::awaitable<void> ask_node(std::string node, shared_facts into);
    net::awaitable<void> ask_catalog(shared_facts into);

    registrar::reconciler const& core_;
    inspector& own_;
    node_request ask_;
};

}  // namespace bevmesh::daemon
