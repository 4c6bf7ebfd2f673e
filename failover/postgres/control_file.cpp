#include "failover/postgres/control_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/crc.hpp>

namespace bevmesh::failover::postgres {
namespace {

/// Offsets in ControlFileData; its checkPointCopy begins at 40.
namespace at {
constexpr std::size_t system = 0;
constexpr std::size_t version = 8;
constexpr std::size_t state = 16;
constexpr std::size_t checkpoint = 32;
constexpr std::size_t timeline = 48;
constexpr std::size_t min_recovery_end = 136;
constexpr std::size_t log_hints = 176;
constexpr std::size_t checksums = 252;
constexpr std::size_t crc = 288;
constexpr std::size_t end = 292;
}  // namespace at

/// 1700 has one more field, where 1300 has padding.
constexpr std::array<std::uint32_t, 2> known_versions{1300, 1700};

/// As pg_controldata says them.
constexpr std::array states{"starting up",   "shut down",         "shut down in recovery",
                            "shutting down", "in crash recovery", "in archive recovery",
                            "in production"};

template <class Number>
Number number(std::string_view bytes, std::size_t offset) {
    Number value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::uint32_t crc32c(std::string_view bytes) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
    sum.process_bytes(bytes.data(), bytes.size());
    return sum.checksum();
}

}  // namespace

result<control_data> read_control_file(std::string_view bytes) {
    if (bytes.size() < at::end)
        return failure{errc::bad_answer, "pg_control: " + std::to_string(bytes.size()) +
                                             " bytes, expected at least " +
                                             std::to_string(at::end)};
    auto const version = number<std::uint32_t>(bytes, at::version);
    if (std::ranges::find(known_versions, version) == known_versions.end())
        return failure{errc::not_found, "pg_control: its layout of version " +
                                            std::to_string(version) + " is not known"};
    if (crc32c(bytes.substr(0, at::crc)) != number<std::uint32_t>(bytes, at::crc))
        return failure{errc::bad_answer, "pg_control: its checksum does not match"};
    auto const state = number<std::uint32_t>(bytes, at::state);
    if (state >= states.size())
        return failure{errc::bad_answer, "pg_control: no state " + std::to_string(state)};
    control_data c;
    c.system = std::to_string(number<std::uint64_t>(bytes, at::system));
    c.state = states.at(state);
    c.timeline = number<std::uint32_t>(bytes, at::timeline);
    c.checkpoint = number<std::uint64_t>(bytes, at::checkpoint);
    c.min_recovery_end = number<std::uint64_t>(bytes, at::min_recovery_end);
    c.checksums = number<std::uint32_t>(bytes, at::checksums) != 0;
    c.log_hints = bytes[at::log_hints] != 0;
    return c;
}

}  // namespace bevmesh::failover::postgres
