// Which certificates are revoked, and who of this node's services refuses them.
//
//   GET  /v1/certs/kept           ?serial=BEGIN: the certificates (no keys) that begin so, of every
//                                 generation that this node keeps
//   GET  /v1/certs/kept/mesh      the same of every node, and who did not answer
//   GET  /v1/certs/revoked        ?serial=SERIAL: what each verifier of this node makes of it
//   GET  /v1/certs/revoked/mesh   the same of every node
//
// The CRLs are looked at together with the CAs. A service is given none that would make it refuse
// good clients (crl.hpp); the daemons take what there is. A certificate in use that is on one is
// replaced. What a verifier does is a word:
//   enforced   it refuses the certificate: the CRL is in place, told, and read
//   pending    the CRL with it is not in place yet
//   unread     the CRL is in place, and the product is not set up to read it
//   unknown    the CRL is in place and told; whether it is read, nobody can ask
//   off        the recipe's product might read one, the configuration says nothing of it
//   never      the product reads none
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "certs/crl.hpp"
#include "certs/keeper.hpp"
#include "mesh/daemon/peers.hpp"
#include "mesh/daemon/routes.hpp"
#include "mesh/log/log.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::daemon {

/// One who looks at others' certificates.
struct verifier_of_peers {
    std::string service;
    std::string recipe;
    certs::keeper* keeper = nullptr;
    /// Whether the product is set up to read the file; empty: nobody can ask.
    std::function<net::awaitable<result<void>>()> reads;
};

class revocation {
public:
    /// `others` must outlive it.
    revocation(std::string node, peers& others) : node_(std::move(node)), others_(others) {}

    void add(verifier_of_peers one) { verifiers_.push_back(std::move(one)); }
    void mount(routes& on);

    /// Sees in Vault the CRLs of the CAs in `bundle` (PEM each), and tells the keepers whose
    /// certificates are on one.
    net::awaitable<void> look(vault::client& vault, std::vector<std::string> bundle);
    /// For a keeper, as it takes them: empty, where what it has is to stay.
    [[nodiscard]] std::string crls_for(certs::keeper const& of) const;

    [[nodiscard]] std::vector<certs::crl> all() const { return seen_.all(); }
    /// Empty: all is well.
    [[nodiscard]] std::string const& trouble() const noexcept { return trouble_; }

private:
    net::awaitable<result<std::string>> kept(call c) const;
    net::awaitable<result<std::string>> revoked(call c) const;
    net::awaitable<result<std::string>> of_all_nodes(call c, std::string path, std::string own);
    net::awaitable<result<std::string>> kept_by_all(call c);
    net::awaitable<result<std::string>> revoked_by_all(call c);
    net::awaitable<nlohmann::json> judge(verifier_of_peers const& one, std::string serial) const;
    void tell(std::string trouble, bool alarm);

    std::string node_;
    peers& others_;
    log::logger log_{"certs"};
    certs::crl_view seen_;
    std::string trouble_;
    std::vector<verifier_of_peers> verifiers_;
};

}  // namespace bevmesh::daemon
