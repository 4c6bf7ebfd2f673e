// Docker's JSON to values. Pure; tested on answers that real engines gave.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/docker/types.hpp"

namespace bevmesh::docker {

// Each fails with errc::bad_answer, naming the field.
[[nodiscard]] result<container> decode_container(std::string_view inspect);
[[nodiscard]] result<std::vector<listed_container>> decode_list(std::string_view containers);
[[nodiscard]] result<event> decode_event(std::string_view line);
[[nodiscard]] result<engine_info> decode_info(std::string_view info);
[[nodiscard]] result<std::vector<network>> decode_networks(std::string_view networks);
/// The "message" of an error answer, or its first line.
[[nodiscard]] std::string decode_error(std::string_view body);

/// API versions that this client speaks. 1.41 is Docker 20.10's; 1.52 is the newest whose changes
/// were read (moby api/docs/CHANGELOG.md).
inline constexpr std::string_view oldest_api = "1.41";
inline constexpr std::string_view newest_api = "1.52";
/// The version to use with an engine that offers `offered`; errc::bad_answer when it is too old.
[[nodiscard]] result<std::string> choose_api_version(std::string_view offered);

/// Cuts a stream of events into records: newline-delimited JSON, or json-seq (RFC 7464), in which a
/// record starts with 0x1e. Pieces may end anywhere.
class record_splitter {
public:
    /// A record longer than this is no event (inspects of a thousand labels stay below it).
    static constexpr std::size_t longest = 1U << 20U;
    void feed(std::string_view piece) { buffer_ += piece; }
    /// The next complete record; empty when more is needed.
    [[nodiscard]] std::string next();
    [[nodiscard]] bool too_long() const { return buffer_.size() > longest; }

private:
    std::string buffer_;
};

}  // namespace bevmesh::docker
