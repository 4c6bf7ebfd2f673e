#include "failover/driver/shared_history.hpp"

#include <algorithm>

#include "mesh/base/json_fields.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

using boost::asio::awaitable;
using json::value;

/// What comes at once goes in one write; a takeover tells a dozen lines in a second.
constexpr milliseconds gather{500};
constexpr milliseconds after_trouble{5'000};

}  // namespace

std::string shared_history::key_of(std::string_view group) {
    return "bevmesh/failover/.history/" + std::string(group);
}

void shared_history::add(journal_entry entry) {
    waiting_.push_back({node_, std::move(entry)});
    if (waiting_.size() > kept) waiting_.pop_front();
}

awaitable<void> shared_history::run() {
    for (;;) {
        co_await net::sleep_for(gather);
        if (waiting_.empty()) continue;
        bool const written = co_await write();
        if (!written) co_await net::sleep_for(after_trouble);
    }
}

awaitable<bool> shared_history::write() {
    auto const have = co_await look();
    if (!have) co_return false;
    auto const now = waiting_;
    auto text = encode(merge(have->lines, now, kept));
    std::optional<std::uint64_t> const base = have->index;
    auto const written = co_await consul_.kv_put(key_, std::move(text), base);
    // Another member was first, or nobody knows: the lines stay, and merge() takes each once.
    if (!written) co_return false;
    if (!*written) co_return true;
    auto const done = std::min(now.size(), waiting_.size());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
    co_return true;
}

awaitable<result<shared_history::found>> shared_history::look() {
    consul::blocking how;
    auto const list = co_await consul_.kv_list(key_, how);
    if (!list) co_return list.error();
    if (list->filtered) co_return failure{errc::forbidden, "the token may not read " + key_};
    found f;
    for (auto const& e : list->value) {
        if (e.key != key_) continue;
        f.lines = decode_lines(e.value);
        f.index = e.modify_index;
    }
    co_return f;
}

awaitable<result<std::vector<shared_line>>> shared_history::read() {
    auto const have = co_await look();
    if (!have) co_return have.error();
    co_return merge(have->lines, waiting_, kept);
}

std::vector<shared_line> merge(std::vector<shared_line> have, std::deque<shared_line> const& more,
                               std::size_t kept) {
    auto const same = [](shared_line const& a, shared_line const& b) {
        return a.node == b.node && a.entry.at == b.entry.at && a.entry.text == b.entry.text;
    };
    for (auto const& line : more) {
        bool const there =
            std::ranges::any_of(have, [&](shared_line const& h) { return same(h, line); });
        if (!there) have.push_back(line);
    }
    std::ranges::stable_sort(have, {}, [](shared_line const& l) { return l.entry.at; });
    if (have.size() > kept)
        have.erase(have.begin(), have.end() - static_cast<std::ptrdiff_t>(kept));
    return have;
}

std::string encode(std::vector<shared_line> const& lines) {
    auto all = value::array();
    for (auto const& line : lines)
        all.push_back({{"node", line.node},
                       {"at", line.entry.at},
                       {"weight", name(line.entry.how)},
                       {"text", line.entry.text}});
    return json::dump(all);
}

std::vector<shared_line> decode_lines(std::string_view text) {
    auto read = json::decode(text, "the history", [](value const& all) {
        std::vector<shared_line> lines;
        for (auto const& v : all)
            lines.push_back({json::text(v, "node"),
                             {json::text(v, "at"), weight_named(json::text(v, "weight")),
                              json::text(v, "text")}});
        return lines;
    });
    return read ? std::move(*read) : std::vector<shared_line>();
}

}  // namespace bevmesh::failover
