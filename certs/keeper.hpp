// Keeps one service's certificate on this node: does what renewal.hpp decides.
//
// One operation at a time, and no decision of its own. What it cannot know is given as functions:
// how the service is told, where its state is kept. What blocks, keys and files, is done on a pool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "certs/generation.hpp"
#include "certs/reload_call.hpp"
#include "certs/renewal.hpp"
#include "certs/shared_bundle.hpp"
#include "certs/store.hpp"
#include "certs/subject.hpp"
#include "certs/wire.hpp"
#include "mesh/vault/client.hpp"

namespace bevmesh::certs {

struct keeper_settings {
    subject who;
    seconds ttl{0};
    renewal_policy policy;                // `wanted` is filled in here
    std::vector<wire_address> addresses;  // each must show it
    milliseconds look_limit{5'000};
    key_form key;
    bool reads_crl = false;  // there is a crl.pem, once CRLs are known
};

struct keeper_hooks {
    /// Tells the service that its files are others.
    reload_call reload;
    /// That its bundle alone is another; empty: as the above.
    reload_call retrust;
    /// Why it could not be told now, asked before anything is signed; empty: nothing ever hinders.
    std::function<boost::asio::awaitable<result<void>>()> ready;
    /// Called on the pool: it shares nothing with the loop.
    std::function<result<void>(renewal_state const&)> keep;
    std::function<void(weight, std::string const&)> tell;
};

/// What the keepers of a daemon share; all must outlive them.
struct keeper_means {
    vault::client& vault;
    shared_bundle& trusted;
    boost::asio::thread_pool& pool;
};

struct shown_certificate {
    std::string serial;
    std::string pem;  // alone, without its chain
};

class keeper {
public:
    keeper(boost::asio::any_io_executor executor, keeper_means with, store files,
           keeper_settings settings, keeper_hooks hooks, renewal_state kept, std::uint64_t seed);
    ~keeper();
    keeper(keeper const&) = delete;
    keeper& operator=(keeper const&) = delete;

    /// Until canceled.
    [[nodiscard]] boost::asio::awaitable<void> run();
    void rotate();
    /// The bundle that is wanted from now on, PEM each, and the CRLs, PEM one after the other
    /// (empty: those that there are). They are installed, and the service told, with the
    /// certificate that it has.
    void trust(std::vector<std::string> certificates, std::string crls);
    /// This serial is on a CRL: one that is in use is replaced.
    void revoked(std::string serial);
    /// The one that is proven, from its file. errc::not_found: there is none yet.
    [[nodiscard]] boost::asio::awaitable<result<shown_certificate>> certificate() const;
    /// Those of the generations that are kept, from their files, newest first, PEM each.
    [[nodiscard]] boost::asio::awaitable<std::vector<std::string>> certificates() const;
    [[nodiscard]] renewal_state const& state() const noexcept;
    [[nodiscard]] renewal_policy const& policy() const noexcept;
    [[nodiscard]] bool reads_crl() const noexcept;
    /// Requests to sign that went to Vault.
    [[nodiscard]] std::uint64_t sign_calls() const noexcept;

private:
    struct body;
    std::unique_ptr<body> body_;
};

}  // namespace bevmesh::certs
