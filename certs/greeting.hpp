// What is said on a connection before TLS begins.
#pragma once

namespace bevmesh::certs {

enum class greeting {
    none,      // TLS from the first byte
    postgres,  // SSLRequest, then TLS
};

}  // namespace bevmesh::certs
