// The daemon's routes: who may ask what, whichever listener it comes in by.
//
// One table is mounted on both the unix socket (a local user) and the peers' listener (a node of
// the mesh, by its certificate). A handler gives the JSON text of its answer; a failure becomes
// {"error": sentence, "code": kind} with a fitting status, and comes out of `refusal` at the other
// end as the failure that it was.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/base/result.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::daemon {

struct call {
    net::http_request request;
    std::string node;  // whose certificate was shown; empty: a local user at the socket

    [[nodiscard]] bool is_local() const { return node.empty(); }
    [[nodiscard]] std::string path() const {
        return request.target.substr(0, request.target.find('?'));
    }
    /// One value of the query, percent-decoded; empty when absent.
    [[nodiscard]] std::string query(std::string_view key) const;
};

enum class audience {
    local,     // users of the unix socket
    nodes,     // other nodes' daemons
    everybody  // both; a local user may add ?node=NAME and is answered by that node
};

class routes {
public:
    using handler = std::function<net::awaitable<result<std::string>>(call)>;
    /// Asks another node the same, for ?node=NAME.
    using forwarder = std::function<net::awaitable<result<std::string>>(std::string node, call)>;

    explicit routes(std::string this_node, forwarder forward = {})
        : this_node_(std::move(this_node)), forward_(std::move(forward)) {}

    /// A path that ends in '/' stands for all that begin with it. `answer` must not be a capturing
    /// coroutine lambda (it may call one): the table outlives the call, a closure's frame does not.
    void add(std::string method, std::string path, audience who, handler answer);

    [[nodiscard]] net::awaitable<net::http_response> answer(call c) const;

private:
    struct route {
        std::string method;
        std::string path;
        audience who;
        handler answer;
    };

    [[nodiscard]] result<route const*> find(call const& c) const;
    [[nodiscard]] net::awaitable<result<std::string>> ask(call c) const;

    std::string this_node_;
    forwarder forward_;
    std::vector<route> all_;
};

/// A handler's answer as text. What is no UTF-8 in it is replaced: outputs of checks are anybody's
/// bytes.
[[nodiscard]] std::string answer_text(nlohmann::json const& body);

/// The answer of a handler that has nothing to wait for.
[[nodiscard]] net::awaitable<result<std::string>> at_once(result<std::string> answer);

/// What the daemon at the other end means by an answer that is no success; `who` is "the daemon" or
/// "thanos": "thanos says: no service is called x".
[[nodiscard]] failure refusal(net::http_response const& answer, std::string const& who);

/// One value of a query string, percent-decoded; empty when absent.
[[nodiscard]] std::string query_value(std::string_view target, std::string_view key);

}  // namespace bevmesh::daemon
