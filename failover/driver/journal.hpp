// What happened in a group, for people: the last steps in memory, all of them in a file.
//
// One JSON object a line, {"at": UTC, "weight", "text"}; the file is cut to its newer half when it
// grows over a megabyte. A file that cannot be written is told once and stops nothing.
#pragma once

#include <deque>
#include <functional>
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
    /// Told of each line that is noted from now on.
    void tell_also(std::function<void(journal_entry const&)> listener) {
        listener_ = std::move(listener);
    }
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
    std::function<void(journal_entry const&)> listener_;
};

[[nodiscard]] std::string_view name(weight w) noexcept;
/// What is none of them is `info`.
[[nodiscard]] weight weight_named(std::string_view text) noexcept;

}  // namespace bevmesh::failover
