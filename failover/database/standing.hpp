// A connection that stands from one call to a database to the next: what a call costs both sides is
// mostly its connection's beginning (TLS, a password that is slow to check, for PostgreSQL a
// process).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "failover/database/trouble.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover::database {

/// Shared by a server and what is lent: a call may end after its server.
template <class Session>
class standing : public std::enable_shared_from_this<standing<Session>> {
public:
    /// After so long it is made anew: a server may answer on what is open and take nothing new, and
    /// files and passwords may be others.
    static constexpr std::chrono::seconds good_for{5};

    /// One connection for one call. It goes back when the call has ended, unless an answer is still
    /// to come on it.
    class loan {
    public:
        loan() = default;
        loan(loan&&) noexcept = default;
        loan& operator=(loan&&) = delete;
        ~loan() {
            if (session_ && session_->whole()) home_->take_back(std::move(session_), until_);
        }

        Session& operator*() const { return *session_; }
        Session* operator->() const { return session_.get(); }
        explicit operator bool() const noexcept { return session_ != nullptr; }

    private:
        friend class standing;
        loan(std::shared_ptr<standing> home, std::unique_ptr<Session> session,
             net::steady_point until)
            : home_(std::move(home)), session_(std::move(session)), until_(until) {}

        std::shared_ptr<standing> home_;
        std::unique_ptr<Session> session_;  // null: nothing was lent
        net::steady_point until_{};
    };

    /// For a call to `process` (empty: whatever runs): what stands, where it talks to that, else
    /// what open(process, deadline) makes. One that stands and has ended tells nothing of the
    /// server: another one is asked, in the time that is left.
    template <class Open>
    boost::asio::awaitable<done<loan>> lend_for(std::string process, net::steady_point deadline,
                                                Open open) {
        auto const self = this->shared_from_this();
        auto stood = lend(std::chrono::steady_clock::now(), deadline);
        if (stood && !process.empty()) {
            auto const same = co_await stood->must_be(process);
            if (same) co_return std::move(stood);
        }
        auto made = co_await open(std::move(process), deadline);
        if (!made) co_return made.error();
        auto const until = std::chrono::steady_clock::now() + good_for;
        co_return loan(self, std::move(*made), until);
    }
    /// What stands and is still good, for the asker alone; until the call's deadline.
    [[nodiscard]] loan lend(net::steady_point now, net::steady_point deadline) {
        auto session = std::exchange(session_, nullptr);
        if (!session || now >= until_) return {};
        session->set_deadline(deadline);
        return {this->shared_from_this(), std::move(session), until_};
    }

private:
    void take_back(std::unique_ptr<Session> session, net::steady_point until) {
        session_ = std::move(session);
        until_ = until;
    }

    std::unique_ptr<Session> session_;
    net::steady_point until_{};
};

}  // namespace bevmesh::failover::database
