// TLS for clients: contexts built whole and never changed afterwards, and the checks of a peer.
//
// A context is shared by the connections made with it (~ssl::context pulls the verify callback from
// under handshakes in flight), so a reload builds a new one and swaps the pointer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream_base.hpp>

#include "mesh/net/http.hpp"

namespace bevmesh::net {

using tls_context = std::shared_ptr<boost::asio::ssl::context>;

/// Decides by the URIs in a certificate whose chain is good: the peer's name, or why it is refused.
using uri_check = std::function<result<std::string>(std::vector<std::string> const& uris)>;

/// The URIs among a certificate's alternative names.
[[nodiscard]] std::vector<std::string> uri_names(X509 const* certificate);

/// How one client presents itself and whom it accepts.
struct tls_identity {
    tls_context context;      // empty: no TLS
    std::string server_name;  // DNS name or literal address that the certificate must be for
    bool verify = true;
    std::string server_uri;  // instead of server_name
};

/// TLS 1.2 or later, the peer verified against `ca_file` or the system's store; with a certificate,
/// its key must fit. errc::local_error names the file.
[[nodiscard]] result<tls_context> make_client_context(tls_options const& options);

/// Prepares one connection: SNI (never for a literal address, RFC 6066 section 3), host name or
/// address verification by OpenSSL itself.
[[nodiscard]] result<void> prepare_peer(SSL* connection, tls_identity const& identity);

/// Why a handshake failed, for people: the verification error if that was it.
[[nodiscard]] std::string handshake_failure(SSL* connection,
                                            boost::system::error_code const& error);

}  // namespace bevmesh::net
