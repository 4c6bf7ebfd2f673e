// `bevmesh scan`: findings as data and as a page. Pure.
//
// Findings hold addresses, keys and ports, never a DSN: there is no secret in what is made here.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/cli/table.hpp"
#include "registrar/scan/scan.hpp"

namespace bevmesh::cli {

struct scanned_file {
    std::string path;
    registrar::scan::kind is = registrar::scan::kind::yaml;
    std::vector<registrar::scan::finding> found;
    std::string written;  // the backup, where the file was changed
};

struct file_note {
    std::string path;
    std::string text;
};

struct scan_result {
    std::vector<scanned_file> files;  // with findings
    std::vector<file_note> notes;
    std::size_t read = 0;
    std::size_t others = 0;
};

struct scan_counts {
    std::size_t addresses = 0;  // that are not left alone
    std::size_t high = 0, medium = 0, low = 0, unknown = 0;
    std::size_t left = 0;
};

[[nodiscard]] scan_counts count(scan_result const& r);

[[nodiscard]] nlohmann::json to_json(scan_result const& r);

/// A line a finding; with `all` also what was left alone. Empty when there is nothing to show.
[[nodiscard]] std::string draw_scan(scan_result const& r, bool all, page const& on);

/// "7 addresses in 3 of 12 files: 5 high, 1 medium, 1 unknown; 4 left alone"
[[nodiscard]] std::string summarise(scan_result const& r);

}  // namespace bevmesh::cli
