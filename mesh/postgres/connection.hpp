// One connection to a PostgreSQL server: libpq's non-blocking interface on our event loop.
//
// An error that the server answers is an answer with its SQLSTATE; a failure means that the
// statement's fate is unknown, or, from open(), why there is no connection. Values go as
// parameters, never into the statement's text. A host that is no literal address is resolved by
// libpq, which blocks: name literal addresses.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "mesh/base/secret.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::postgres {

using boost::asio::awaitable;

struct settings {
    std::string host;  // an address, or the directory of a unix socket
    std::uint16_t port = 5432;
    std::string user = "postgres";
    std::string database = "postgres";
    secret password;
    std::string ssl_mode;  // libpq's sslmode; empty: its default
    std::string ssl_root_cert;
    std::string ssl_cert;
    std::string ssl_key;
    std::string application = "bevmesh";
};

struct answer {
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::string error;     // the server's message; empty: done
    std::string sqlstate;  // of the error
    std::string warning;   // the last that came with it: a commit that did not wait says so here

    [[nodiscard]] bool failed() const noexcept { return !error.empty(); }
    /// The first row's first value, empty for none and for null.
    [[nodiscard]] std::string value() const;
};

class connection {
public:
    virtual ~connection() = default;

    /// errc::unreachable: nobody answers. remote_error: it starts, stops or recovers. forbidden: it
    /// refuses user, password or host. not_found: no such database. conflict: another refusal (too
    /// many clients).
    virtual awaitable<result<void>> open(net::steady_point deadline) = 0;
    virtual awaitable<result<answer>> query(std::string statement,
                                            std::vector<std::string> parameters,
                                            net::steady_point deadline) = 0;
    /// Of the server's process that serves us: for pg_cancel_backend.
    [[nodiscard]] virtual int backend() const noexcept = 0;
    virtual void close() noexcept = 0;
    /// "10.0.0.2:5432", for sentences.
    [[nodiscard]] virtual std::string const& name() const noexcept = 0;
};

[[nodiscard]] std::unique_ptr<connection> make_connection(boost::asio::any_io_executor executor,
                                                          settings how);

/// A value in a libpq connection string: quoted, backslashes and quotes escaped.
[[nodiscard]] std::string quote_parameter(std::string_view value);

/// errc::local_error: libpq is not installed, and no connection can be made.
[[nodiscard]] result<void> check_library();

}  // namespace bevmesh::postgres
