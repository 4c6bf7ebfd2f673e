// HTTP/1.1 as bytes: what is sent, and readers that are fed what arrives. No I/O; internal to
// mesh/net.
//
// The readers wrap Beast's parser and are the only users of Beast. They keep to limits: 64 KiB of
// header (also of one chunk's header and of the trailer), and the body's own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/net/http.hpp"

namespace bevmesh::net {

inline constexpr std::uint32_t header_limit = 64U << 10U;

/// Request line and header, ready to send; the body follows as it is. A secret, because of its
/// Authorization. errc::bad_input for anything that would break out of its line.
[[nodiscard]] result<secret> request_head(http_request const& request, endpoint const& peer);

/// A whole response. `body_too` is false for HEAD. Headers that frame the message are ours.
[[nodiscard]] std::string response_text(http_response const& response, bool keep_alive,
                                        bool body_too);

/// Methods that may be sent twice (RFC 9110 section 9.2.2).
[[nodiscard]] bool is_idempotent(std::string_view method) noexcept;

class response_reader {
public:
    /// No `body_limit`: any length, for streams. `to_head`: the answer to a HEAD has no body.
    response_reader(std::optional<std::size_t> body_limit, bool to_head);
    ~response_reader();
    response_reader(response_reader&&) noexcept;
    response_reader& operator=(response_reader&&) = delete;

    /// Takes what arrived. Interim answers (1xx) are skipped; 101 is errc::bad_answer.
    [[nodiscard]] result<void> feed(std::string_view bytes);
    /// The peer closed: a complete answer if it was to end so, else errc::truncated.
    [[nodiscard]] result<void> finish();

    [[nodiscard]] bool head_complete() const noexcept;
    [[nodiscard]] bool complete() const noexcept;
    /// Status and headers; once head_complete().
    [[nodiscard]] http_response head() const;
    /// The part of the body that has come since the last call.
    [[nodiscard]] std::string take_body();
    /// The connection can carry another exchange: kept alive, and nothing came after the answer.
    [[nodiscard]] bool reusable() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

class request_reader {
public:
    explicit request_reader(std::size_t body_limit);
    ~request_reader();
    request_reader(request_reader const&) = delete;
    request_reader& operator=(request_reader const&) = delete;

    [[nodiscard]] result<void> feed(std::string_view bytes);
    [[nodiscard]] bool started() const noexcept;  // a byte of a request has come
    [[nodiscard]] bool complete() const noexcept;
    /// The client waits for "100 Continue" before it sends the body; true once.
    [[nodiscard]] bool wants_continue();
    [[nodiscard]] bool keep_alive() const noexcept;
    /// The complete request; the reader then goes on to the next, of which bytes may be there
    /// already.
    [[nodiscard]] http_request take();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace bevmesh::net
