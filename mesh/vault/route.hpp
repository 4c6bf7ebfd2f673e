// Which server is asked next. Pure.
//
// `address_book` keeps, over calls, the order in which servers are tried: the node's own first, one
// that failed lately last. `route` is one call: each server at most once, a leader that is pointed
// at before the others, and a refusal that most servers give is the answer. Most, because a server
// of a cluster that lags behind or lost its leader refuses what it does not know yet, while more
// than half of them together know all that was ever granted.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/time.hpp"
#include "mesh/vault/answer.hpp"

namespace bevmesh::vault {

class address_book {
public:
    static constexpr seconds grudge{30};

    /// `first`: the index of the one to try first.
    address_book(std::size_t count, std::size_t first);

    [[nodiscard]] std::vector<std::size_t> order(instant now) const;
    void failed(std::size_t server, instant now);
    void answered(std::size_t server);

private:
    std::vector<std::size_t> preferred_;
    std::vector<std::optional<instant>> failed_;
};

class route {
public:
    /// `origins` as origin_of() writes them, one a server. `doubt_wrong`: a 400 is a refusal that
    /// counts only from most servers, as a login's is.
    route(std::vector<std::size_t> order, std::vector<std::string> const& origins,
          bool doubt_wrong);

    /// Nothing: the call is over, see failed().
    [[nodiscard]] std::optional<std::size_t> next() const;

    /// What the server that next() named answered; true: that is the call's answer.
    [[nodiscard]] bool answered(verdict const& v, failure told);
    /// It could not be asked, or gave no whole answer.
    void failed(failure why);

    /// Once next() has nothing: why no server gave an answer. errc::forbidden or the refusal's own
    /// only where most servers refused; else what may pass.
    [[nodiscard]] failure outcome() const;
    /// Most servers do not know the token.
    [[nodiscard]] bool token_unknown() const;

private:
    void go_on();
    [[nodiscard]] bool believed() const { return refusals_ * 2 > origins_.size(); }

    std::vector<std::size_t> waiting_;  // in order
    std::vector<std::string> const& origins_;
    bool doubt_wrong_;
    std::size_t refusals_ = 0;
    std::size_t unknown_tokens_ = 0;
    std::optional<failure> refusal_;  // the last
    std::vector<failure> troubles_;
};

}  // namespace bevmesh::vault
