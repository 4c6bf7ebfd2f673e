// The shape of a call that tells a service that its certificate's files are others.
#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "mesh/base/result.hpp"

namespace bevmesh::certs {

/// Of the certificate that the service shows to the one who tells it of the next.
enum class dates {
    checked,
    ignored,  // it may have ended: everything else of it is checked as always
};

using reload_call = std::function<boost::asio::awaitable<result<void>>(dates)>;

}  // namespace bevmesh::certs
