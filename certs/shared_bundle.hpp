// The mesh's trust bundle, asked of Vault once for all keepers of a daemon.
//
// An answer is good for a while: a hundred certificates that are due together make as many requests
// to sign, and one for the bundle. Who finds a certificate's chain not in it forgets it and asks
// again, because an issuer may be newer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::certs {

class shared_bundle {
public:
    /// `vault` must outlive it.
    shared_bundle(boost::asio::any_io_executor executor, vault::client& vault,
                  milliseconds good_for = milliseconds(30'000));
    ~shared_bundle();
    shared_bundle(shared_bundle const&) = delete;
    shared_bundle& operator=(shared_bundle const&) = delete;

    /// Every issuer (PEM each), roots among them. Who asks while it is being asked for waits for
    /// that answer. Failures are vault::client::issuers()' own, and nothing of them is remembered.
    [[nodiscard]] boost::asio::awaitable<result<std::vector<std::string>>> get();
    void forget() noexcept;

private:
    struct body;
    std::unique_ptr<body> body_;
};

}  // namespace bevmesh::certs
