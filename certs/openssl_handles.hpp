// OpenSSL's objects as their owner has them. Internal to certs/.
#pragma once

#include <ctime>
#include <memory>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "certs/life.hpp"

namespace bevmesh::certs {

template <class T, void (*Free)(T*)>
struct freed {
    void operator()(T* of) const { Free(of); }
};
using bio = std::unique_ptr<BIO, freed<BIO, BIO_free_all>>;
using x509 = std::unique_ptr<X509, freed<X509, X509_free>>;

/// The epoch where it is missing or none.
[[nodiscard]] inline wall_time time_of(ASN1_TIME const* at) {
    std::tm parts{};
    if (at == nullptr || ASN1_TIME_to_tm(at, &parts) != 1) return {};
    return wall_time(seconds(::timegm(&parts)));
}

}  // namespace bevmesh::certs
