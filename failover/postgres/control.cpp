#include "failover/postgres/control.hpp"

#include <charconv>

namespace bevmesh::failover::postgres {
namespace {

std::string_view trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

template <class Number>
Number number(std::string_view text, int base = 10) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

std::string program(std::string const& bin, char const* name) {
    return bin.empty() ? name : bin + "/" + name;
}

bool is_segment(std::string const& name) {
    return name.size() == 24 && name.find_first_not_of("0123456789ABCDEF") == std::string::npos;
}

/// Where a segment ends; its name begins with the timeline.
position end_of(std::string_view name, position segment) {
    return begin_of_segment(name.substr(8), segment).value_or(0) + segment;
}

}  // namespace

result<control_data> read_control(std::string_view output) {
    control_data c;
    while (!output.empty()) {
        auto const line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(output.size(), line.size() + 1));
        auto const colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        auto const key = line.substr(0, colon);
        auto const value = trimmed(line.substr(colon + 1));
        if (key == "Database system identifier") c.system = value;
        if (key == "Database cluster state") c.state = value;
        if (key == "Latest checkpoint location") c.checkpoint = read_lsn(value).value_or(0);
        if (key == "Latest checkpoint's TimeLineID") c.timeline = number<std::uint32_t>(value);
        if (key == "Minimum recovery ending location")
            c.min_recovery_end = read_lsn(value).value_or(0);
        if (key == "Data page checksum version") c.checksums = value != "0";
        if (key == "wal_log_hints setting") c.log_hints = value == "on";
    }
    if (c.system.empty() || c.state.empty() || c.timeline == 0)
        return failure{errc::bad_answer, "pg_controldata: no system identifier, state or timeline"};
    return c;
}

bool holds_all(control_data const& stopped, std::uint32_t timeline, position received) {
    return stopped.shut_down() && stopped.timeline == timeline && received > stopped.checkpoint;
}

std::vector<std::string> control_command(std::string const& bin, std::string const& data) {
    return {program(bin, "pg_controldata"), "-D", data};
}

std::vector<std::string> base_backup_command(std::string const& bin, std::string const& data,
                                             std::string const& upstream, std::string const& slot) {
    return {program(bin, "pg_basebackup"),
            "--pgdata=" + data,
            "--dbname=" + upstream,
            "--slot=" + slot,
            "--wal-method=stream",
            "--checkpoint=fast",
            "--no-password"};
}

std::vector<std::string> rewind_command(std::string const& bin, std::string const& data,
                                        std::string const& upstream, bool recover) {
    std::vector<std::string> argv{program(bin, "pg_rewind"), "--target-pgdata=" + data,
                                  "--source-server=" + upstream};
    if (!recover) argv.emplace_back("--no-ensure-shutdown");
    return argv;
}

std::vector<std::string> wal_since(std::vector<std::string> const& names, std::uint32_t timeline,
                                   position fork, position segment) {
    std::vector<std::string> found;
    for (auto const& name : names) {
        bool const history = name.ends_with(".history");
        bool const partial = name.ends_with(".partial");
        auto const base = partial ? name.substr(0, 24) : name;
        if (history) found.push_back(name);
        if (!is_segment(base)) continue;
        auto const of = number<std::uint32_t>(std::string_view(base).substr(0, 8), 16);
        if (of >= timeline && end_of(base, segment) > fork) found.push_back(name);
    }
    return found;
}

}  // namespace bevmesh::failover::postgres
