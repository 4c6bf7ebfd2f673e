// What happened in a group, for people: the last steps in memory, all of them in a file.
//
// One JSON object a line, {"at": UTC, "weight", "text"}; the file is cut to its newer half when it
// grows over a megabyte. A file that cannot be written is told once and stops nothing.
#pragma once

#include <deque>
#include <string>

#include "failover/action.hpp"
#include "mesh/log/log.hpp"

namespace bevmesh::failover {

struct journal_entry {
    std::string at;  // UTC, with milliseconds
    weight how = weight::info;
    std::string text;
};

class journal {
public:
    /// `path` empty: memory only.
    journal(std::string group, std::string path);

    void note(weight how, std::string const& text);
    [[nodiscard]] std::deque<journal_entry> const& recent() const noexcept { return recent_; }

    static constexpr std::size_t kept = 200;

private:
    void load();
    void append(journal_entry const& e);

    log::logger log_{"failover"};
    std::string group_;
    std::string path_;
    std::deque<journal_entry> recent_;
    bool complained_ = false;
};

[[nodiscard]] std::string_view name(weight w) noexcept;

}  // namespace bevmesh::failover
