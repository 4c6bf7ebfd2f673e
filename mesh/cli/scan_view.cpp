#include "mesh/cli/scan_view.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace bevmesh::cli {
namespace {

using nlohmann::json;
using registrar::scan::confidence;
using registrar::scan::finding;

constexpr std::size_t most_candidates = 6;

look look_of(confidence sure) {
    return sure == confidence::high     ? look::good
           : sure == confidence::medium ? look::plain
           : sure == confidence::low    ? look::warning
                                        : look::bad;
}

std::string place_of(scanned_file const& file, finding const& f) {
    return file.path + ":" + std::to_string(f.line) + ":" + std::to_string(f.column);
}

std::string listed(std::vector<std::string> const& all) {
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), most_candidates); ++i)
        text += (i == 0 ? "" : ", ") + all[i];
    if (all.size() > most_candidates)
        text += " and " + std::to_string(all.size() - most_candidates) + " more";
    return text;
}

std::string reason_of(finding const& f) {
    // One candidate is in the sentence already.
    if (f.is.candidates.size() < 2) return f.is.reason;
    return f.is.reason + " (" + listed(f.is.candidates) + ")";
}

json to_json(scanned_file const& file, finding const& f) {
    json made{
        {"file", file.path}, {"line", f.line},    {"column", f.column}, {"format", name(file.is)},
        {"found", f.found},  {"address", f.host}, {"key", f.key},       {"reason", f.is.reason}};
    made["port"] = f.port ? json(*f.port) : json(nullptr);
    if (f.left) return made;
    made["service"] = f.is.service.empty() ? json("unknown") : json(f.is.service);
    made["confidence"] = name(f.is.sure);
    made["name"] = f.is.name.empty() ? json(nullptr) : json(f.is.name);
    made["candidates"] = f.is.candidates;
    return made;
}

}  // namespace

scan_counts count(scan_result const& r) {
    scan_counts made;
    for (auto const& file : r.files) {
        for (auto const& f : file.found) {
            if (f.left) {
                ++made.left;
                continue;
            }
            ++made.addresses;
            made.high += static_cast<std::size_t>(f.is.sure == confidence::high);
            made.medium += static_cast<std::size_t>(f.is.sure == confidence::medium);
            made.low += static_cast<std::size_t>(f.is.sure == confidence::low);
            made.unknown += static_cast<std::size_t>(f.is.sure == confidence::unknown);
        }
    }
    return made;
}

json to_json(scan_result const& r) {
    auto const counts = count(r);
    json made{{"findings", json::array()},
              {"left_alone", json::array()},
              {"written", json::array()},
              {"notes", json::array()}};
    for (auto const& file : r.files) {
        for (auto const& f : file.found)
            made[f.left ? "left_alone" : "findings"].push_back(to_json(file, f));
        if (!file.written.empty())
            made["written"].push_back({{"file", file.path}, {"backup", file.written}});
    }
    for (auto const& n : r.notes)
        made["notes"].push_back({{"file", n.path}, {"text", n.text}});
    made["summary"] = {
        {"files", r.read},           {"other_files", r.others},  {"addresses", counts.addresses},
        {"high", counts.high},       {"medium", counts.medium},  {"low", counts.low},
        {"unknown", counts.unknown}, {"left_alone", counts.left}};
    return made;
}

std::string draw_scan(scan_result const& r, bool all, page const& on) {
    table t({"PLACE", "FOUND", "KEY", "SERVICE", "CONFIDENCE", "REASON"});
    for (auto const& file : r.files) {
        for (auto const& f : file.found) {
            if (f.left && !all && !f.say) continue;
            auto const port = f.port && f.found == f.host ? ":" + std::to_string(*f.port) : "";
            cell const found{f.found + (port.empty() ? "" : " (" + port + ")")};
            if (f.left)
                t.add({{place_of(file, f)},
                       found,
                       {f.key, look::muted},
                       {"-", look::muted},
                       {"left alone", look::muted},
                       {f.is.reason, look::muted}});
            else
                t.add({{place_of(file, f)},
                       found,
                       {f.key, look::muted},
                       {f.is.service.empty() ? "unknown" : f.is.service},
                       {std::string(name(f.is.sure)), look_of(f.is.sure)},
                       {reason_of(f)}});
        }
    }
    return t.empty() ? std::string() : t.draw(on);
}

std::string summarise(scan_result const& r) {
    auto const counts = count(r);
    auto const some = [](std::size_t n, char const* one, char const* many) {
        return std::to_string(n) + " " + (n == 1 ? one : many);
    };
    std::size_t files = 0;
    for (auto const& file : r.files)
        files += static_cast<std::size_t>(
            std::ranges::any_of(file.found, [](auto const& f) { return !f.left; }));
    auto text = some(counts.addresses, "address", "addresses") + " in " + std::to_string(files) +
                " of " + some(r.read, "file", "files");
    std::string parts;
    auto const add = [&](std::size_t n, char const* what) {
        if (n > 0) parts += (parts.empty() ? "" : ", ") + std::to_string(n) + " " + what;
    };
    add(counts.high, "high");
    add(counts.medium, "medium");
    add(counts.low, "low");
    add(counts.unknown, "unknown");
    if (!parts.empty()) text += ": " + parts;
    if (counts.left > 0) text += "; " + std::to_string(counts.left) + " left alone (--all)";
    return text;
}

}  // namespace bevmesh::cli
