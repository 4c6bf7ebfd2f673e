// The Docker Engine, as far as bevmesh needs it.
//
// The API version is negotiated through /_ping before the first request and again after a failure:
// the smaller of the engine's and 1.52, at least 1.41 (a hard-coded version is what broke every
// client on Engine 29: traefik#12253). Calls are safe to cancel; failures name method, path and
// engine.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mesh/base/config.hpp"
#include "mesh/docker/framing.hpp"
#include "mesh/docker/types.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::docker {

using net::awaitable;

/// Events one by one; drop it to close the stream.
class event_stream {
public:
    virtual ~event_stream() = default;
    /// Waits for ever. The regular end of the stream (engine stopped) is errc::truncated, a line
    /// that is no event errc::bad_answer.
    virtual awaitable<result<event>> next() = 0;
};

struct exec_result {
    int exit_code = 0;
    std::string out;
    std::string err;
};

class client {
public:
    virtual ~client() = default;
    /// The engine's API version in use, e.g. "1.41".
    virtual awaitable<result<std::string>> ping() = 0;
    virtual awaitable<result<engine_info>> info() = 0;
    /// Running, paused and restarting containers.
    virtual awaitable<result<std::vector<listed_container>>> list() = 0;
    /// errc::not_found when there is no such container.
    virtual awaitable<result<container>> inspect(std::string id) = 0;
    /// Container events and network connects and disconnects; `since_nano` 0: from now on.
    virtual awaitable<result<std::unique_ptr<event_stream>>> events(std::int64_t since_nano) = 0;
    virtual awaitable<result<std::vector<network>>> networks() = 0;
    virtual awaitable<result<void>> start(std::string id) = 0;
    virtual awaitable<result<void>> stop(std::string id, seconds grace) = 0;
    virtual awaitable<result<void>> kill(std::string id, std::string signal) = 0;
    /// Waits for the end, at most a minute; a command that exits with an error is a success here.
    virtual awaitable<result<exec_result>> exec(std::string id, std::vector<std::string> argv) = 0;
    /// What it wrote, its last `lines`, also after it ended. Not of a container with a terminal.
    virtual awaitable<result<exec_output>> logs(std::string id, unsigned lines) = 0;
    /// `config`: the engine's JSON of POST /containers/create; gives the ID.
    virtual awaitable<result<std::string>> create(std::string name, std::string config) = 0;
    /// With its anonymous volumes, also while it runs.
    virtual awaitable<result<void>> remove(std::string id) = 0;
    /// An image of the tar's files, with the tag REPOSITORY:latest.
    virtual awaitable<result<void>> import_image(std::string tar, std::string repository) = 0;
    virtual awaitable<result<void>> remove_image(std::string reference) = 0;
    [[nodiscard]] virtual net::endpoint const& peer() const noexcept = 0;
};

[[nodiscard]] result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                                          docker_config const& settings);

}  // namespace bevmesh::docker
