// Names and texts of failures.
#include "mesh/base/result.hpp"

#include <stdexcept>

namespace bevmesh {

std::string_view name(errc code) noexcept {
    switch (code) {
        case errc::bad_input:
            return "bad input";
        case errc::bad_answer:
            return "bad answer";
        case errc::canceled:
            return "canceled";
        case errc::conflict:
            return "conflict";
        case errc::forbidden:
            return "forbidden";
        case errc::not_found:
            return "not found";
        case errc::remote_error:
            return "remote error";
        case errc::timed_out:
            return "timed out";
        case errc::too_large:
            return "too large";
        case errc::truncated:
            return "truncated answer";
        case errc::unreachable:
            return "unreachable";
        case errc::local_error:
            return "local error";
    }
    return "unknown error";
}

std::optional<errc> errc_named(std::string_view text) noexcept {
    for (auto const code :
         {errc::bad_input, errc::bad_answer, errc::canceled, errc::conflict, errc::forbidden,
          errc::not_found, errc::remote_error, errc::timed_out, errc::too_large, errc::truncated,
          errc::unreachable, errc::local_error}) {
        if (name(code) == text) return code;
    }
    return std::nullopt;
}

std::string describe(failure const& f) {
    return f.doing + " (" + std::string(name(f.code)) + ")";
}

void throw_exception_from_error(failure const& f, boost::source_location const&) {
    throw std::runtime_error(describe(f));
}

}  // namespace bevmesh
