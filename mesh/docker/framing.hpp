// Splitting what the engine streams: events into documents, an exec's output into its two parts.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/base/result.hpp"

namespace bevmesh::docker {

/// Newline-delimited JSON, and JSON text sequences (RFC 7464: a record separator before each),
/// which API 1.52 may send; they may come in pieces of any size.
class document_splitter {
public:
    explicit document_splitter(std::size_t length_max) : length_max_(length_max) {}

    /// errc::too_large when a document is over the limit: the stream is of no use then.
    [[nodiscard]] result<void> feed(std::string_view bytes);
    /// The next complete document, if one is there.
    [[nodiscard]] std::optional<std::string> next();

private:
    std::size_t length_max_;
    std::string pending_;
    std::size_t at_ = 0;       // start of the next document in pending_
    std::size_t scanned_ = 0;  // no end of it before here
};

struct exec_output {
    std::string out;
    std::string err;
};

/// The engine's multiplexed stream: 8 bytes of header (stream, 0, 0, 0, big-endian length) before
/// each piece. errc::bad_answer for another form, errc::truncated for a piece that is not whole.
[[nodiscard]] result<exec_output> demultiplex(std::string_view stream);

}  // namespace bevmesh::docker
