// What an operation that can fail gives back: a value, or a failure that says what was being done.
//
// Expected run-time trouble (a peer is down, a document is wrong, a lock is held) travels as a
// value of this type and never as an exception. A failure's text is written for the person who
// reads the log: it names the operation and the peer, not the function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

namespace bevmesh {

enum class errc {
    bad_input,     // what we were given is wrong: configuration, label, argument
    bad_answer,    // a peer answered what its protocol does not allow
    canceled,      // we were told to stop
    conflict,      // a compare-and-set lost, or the thing exists with another owner
    forbidden,     // the peer knows us and refuses, or does not know our credentials
    not_found,     // the peer says that the thing does not exist
    remote_error,  // the peer failed (HTTP 5xx and its like)
    timed_out,     // no complete answer within the deadline
    too_large,     // over a limit that we set
    truncated,     // the peer closed in the middle of an answer
    unreachable,   // no connection
    local_error,   // this machine failed us: a file, a process, a descriptor
};

[[nodiscard]] std::string_view name(errc code) noexcept;
/// The code that name() calls so.
[[nodiscard]] std::optional<errc> errc_named(std::string_view text) noexcept;

struct failure {
    errc code = errc::local_error;
    std::string doing;  // "PUT /v1/agent/service/register at 127.0.0.1:8500: 403 Permission denied"

    friend bool operator==(failure const&, failure const&) = default;
};

/// "what was being done (kind)", for a log line or the CLI.
[[nodiscard]] std::string describe(failure const& f);

/// Found by ADL, so that `.value()` of a failed result throws std::runtime_error with the text.
[[noreturn]] void throw_exception_from_error(failure const& f, boost::source_location const& where);

template <class T>
using result = boost::system::result<T, failure>;

}  // namespace bevmesh
