// For commands that look again and again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "mesh/base/time.hpp"

namespace bevmesh::cli {

inline void pause_for(milliseconds duration) {
    boost::asio::io_context loop(1);
    boost::asio::steady_timer(loop, duration).wait();
}

}  // namespace bevmesh::cli
