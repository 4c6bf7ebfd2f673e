#include "tests/fuzz/scan_target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "registrar/scan/dsn.hpp"
#include "registrar/scan/edit.hpp"

namespace bevmesh::registrar::scan {
namespace {

[[noreturn]] void fail(char const* what, std::string_view detail) {
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
    std::abort();
}

inventory const& mesh() {
    static inventory const made = [] {
        mesh_config config;
        config.nodes["thanos"] = {"100.122.12.54", "amd64", "", false};
        config.nodes["oracle1"] = {"100.96.197.84", "arm64", "", false};
        config.nodes["six"] = {"fd7a::5", "amd64", "", false};
        auto const add = [&](std::string const& name, std::uint16_t port, std::string const& node) {
            service_config service;
            service.name = name;
            service.instances.emplace_back().nodes = {node};
            service.instances.back().port = port;
            config.services.push_back(service);
        };
        add("redis", 6379, "oracle1");
        add("redis", 6379, "thanos");
        add("postgres", 5432, "thanos");
        add("nats", 4222, "six");
        return inventory(config);
    }();
    return made;
}

void check_place(finding const& f, std::string_view text) {
    if (f.begin >= f.end || f.end > text.size()) fail("a finding outside", f.found);
    auto const there = text.substr(f.begin, f.end - f.begin);
    if (there != f.host && there != "[" + f.host + "]") fail("a finding elsewhere", there);
    auto const lines = std::ranges::count(text.substr(0, f.begin), '\n');
    if (f.line != static_cast<std::size_t>(lines) + 1) fail("a finding on another line", there);
}

}  // namespace

void check_scan(kind k, std::string_view text) {
    auto const found = scan_text(k, text, mesh());
    std::size_t done = 0;
    for (auto const& f : found) {
        check_place(f, text);
        if (f.begin < done) fail("findings overlap", f.found);
        done = f.end;
    }
    auto const after = edited(text, found, confidence::low);
    if (std::ranges::count(after, '\n') != std::ranges::count(text, '\n'))
        fail("an edit of lines", after);
    (void)unified_diff("f", text, after);
    auto const hidden = masked(text);
    if (std::ranges::count(hidden, '\n') != std::ranges::count(text, '\n'))
        fail("a mask of lines", hidden);
}

void check_scan(std::string_view bytes) {
    if (bytes.empty()) return;
    check_scan(static_cast<kind>(static_cast<unsigned char>(bytes[0]) % 10), bytes.substr(1));
}

}  // namespace bevmesh::registrar::scan
