// TLS between the nodes' daemons: both sides show a certificate of the mesh's CA, TLS 1.3 only.
//
// One context serves as client and as server. No session is resumed: each connection's certificate
// is looked at. Who a peer is, is said by the URI in its certificate (SPIFFE), not by a host name.
//
// A peer whose certificate, or whose CA's, is on the CRL of its issuer is refused. A CA without a
// CRL revokes nobody, and one that has ended goes on to count: where Vault is away for long, the
// mesh goes on as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mesh/net/tls.hpp"

namespace bevmesh::net {

struct mutual_tls_files {
    std::string certificate;  // PEM: ours, then intermediates
    std::string key;          // PEM, readable by its owner alone
    std::string ca;           // PEM: one or more roots that peers are checked against
    std::string crl = {};     // PEM: CRLs, each for its CA; empty, or not there: nobody is revoked
};

struct mutual_tls {
    tls_context context;
    std::vector<std::string> uris;  // the names in our own certificate
    std::int64_t expires = 0;       // of our own certificate; seconds of Unix time
};

/// Loads and checks everything: the files can be read, the key is ours alone and fits, the
/// certificate is valid now and is one of the CA's. A failure names the file and what was expected.
/// That our own certificate was revoked is none: it is for our peers to refuse it.
[[nodiscard]] result<mutual_tls> load_mutual_tls(mutual_tls_files const& files);

/// While the mesh goes over from one CA to another: accepts peers of both, and shows `first`, but
/// `second` to a peer that says it trusts the CA of that one alone. Takes both; neither may be in
/// use yet. URIs and expiry are those of `first`.
[[nodiscard]] result<mutual_tls> show_either(mutual_tls first, mutual_tls second);

/// The listening side of mutual TLS. What it holds may be replaced at any time: connections keep
/// what they began with.
struct tls_door {
    tls_context context;
    uri_check identify;
};

}  // namespace bevmesh::net
