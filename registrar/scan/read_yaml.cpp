// YAML by its lines: indentation says under which keys a value stands.
#include <algorithm>
#include <optional>

#include "registrar/scan/readers.hpp"

namespace bevmesh::registrar::scan {
namespace {

/// Where a key or a list's dash stands, doubled; a dash is half a column further in than a key in
/// the same column, as a list may stand right below its key.
using depth = std::size_t;

/// Each is read to the end of the file to know: more are taken as they stand.
constexpr int most_broken = 16;

struct frame {
    depth at = 0;
    std::string key;  // of a list: none
    std::size_t group = 0;
    bool list = false;
};

class yaml_reader {
public:
    yaml_reader(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
                std::vector<value>& out)
        : in_(in), text_(in.text()), outer_(path), groups_(groups), out_(out) {}

    void run() {
        while (at_ < text_.size())
            line();
    }

private:
    [[nodiscard]] std::size_t line_end(std::size_t from) const {
        return std::min(text_.find('\n', from), text_.size());
    }
    [[nodiscard]] bool ended(std::size_t i) const {
        return i >= text_.size() || is_blank(text_[i]) || text_[i] == '\n';
    }
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_]))
            ++at_;
    }
    void next_line() { at_ = std::min(line_end(at_) + 1, text_.size()); }
    [[nodiscard]] std::size_t column(std::size_t i) const { return i - line_; }

    [[nodiscard]] std::vector<std::string> path() const {
        auto path = outer_;
        for (auto const& f : frames_)
            if (!f.list) path.push_back(f.key);
        return path;
    }
    void close_to(depth at) {
        while (!frames_.empty() && frames_.back().at > at)
            frames_.pop_back();
    }

    void line() {
        line_ = at_;
        skip_blanks();
        auto const rest = text_.substr(at_);
        if (rest.empty() || rest[0] == '\n' || rest[0] == '#' || rest[0] == '%') return next_line();
        if (column(at_) == 0 && (rest.starts_with("---") || rest.starts_with("...")) &&
            ended(at_ + 3)) {
            frames_.clear();
            at_ += 3;
            skip_blanks();
            if (ended(at_)) return next_line();
        }
        while (at_ < text_.size() && text_[at_] == '-' && ended(at_ + 1))
            dash();
        entry();
    }

    void dash() {
        auto const at = 2 * column(at_) + 1;
        close_to(at);
        if (frames_.empty() || frames_.back().at != at)
            frames_.push_back({at, "", groups_.next(), true});
        ++at_;
        skip_blanks();
    }

    /// What stands at `at_` on a line: KEY: with or without a value, or a value.
    void entry() {
        auto const start = at_;
        if (auto const key = read_key()) {
            auto const at = 2 * column(start);
            close_to(at);
            if (!frames_.empty() && frames_.back().at == at && !frames_.back().list)
                frames_.back().key = *key;
            else
                frames_.push_back({at, *key, groups_.next(), false});
        }
        content();
    }

    /// The key at `at_`, which moves behind its colon; nothing, and not moved, where there is none.
    std::optional<std::string> read_key() {
        auto const start = at_;
        auto const end = line_end(at_);
        if (at_ < end && (text_[at_] == '"' || text_[at_] == '\'')) {
            auto const key = read_quoted(in_, at_);
            skip_blanks();
            if (at_ < end && text_[at_] == ':' && ended(at_ + 1))
                return ++at_, std::string(key.text());
        } else if (at_ < end &&
                   std::string_view("{[|>&*!#").find(text_[at_]) == std::string_view::npos) {
            for (auto i = at_; i < end; ++i) {
                if (text_[i] == '#' && i > at_ && is_blank(text_[i - 1])) break;
                if (text_[i] != ':' || !ended(i + 1)) continue;
                at_ = i + 1;
                return std::string(text_.substr(start, i - start));
            }
        }
        at_ = start;
        return std::nullopt;
    }

    void content() {
        skip_blanks();
        while (at_ < text_.size() && (text_[at_] == '&' || text_[at_] == '!')) {
            while (!ended(at_))
                ++at_;
            skip_blanks();
        }
        if (at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '#' || text_[at_] == '*')
            return next_line();
        auto const group = frames_.empty() ? 0 : frames_.back().group;
        switch (text_[at_]) {
            case '|':
            case '>':
                return block();
            case '{':
            case '[': {
                auto const start = at_;
                auto const had = out_.size();
                if (broken_ < most_broken && read_flow(in_, at_, path(), groups_, out_))
                    return next_line();
                out_.resize(had);
                at_ = start;
                ++broken_;
                break;
            }
            case '"':
            case '\'': {
                auto text = read_quoted(in_, at_);
                add(std::move(text), group);
                return next_line();
            }
            default:
                break;
        }
        plain(group);
    }

    void plain(std::size_t group) {
        auto const begin = at_;
        auto end = line_end(at_);
        for (auto i = begin + 1; i < end; ++i)
            if (text_[i] == '#' && is_blank(text_[i - 1])) end = i;
        while (end > begin && is_blank(text_[end - 1]))
            --end;
        add(in_.slice(begin, end), group);
        next_line();
    }

    /// KEY=VALUE in a list is a value under that key.
    void add(decoded text, std::size_t group) {
        auto keys = path();
        auto const t = text.text();
        if (!frames_.empty() && frames_.back().list) {
            auto const key = std::find_if_not(t.begin(), t.end(), is_word);
            if (key != t.begin() && key != t.end() && *key == '=' && !t.starts_with('-')) {
                auto const length = static_cast<std::size_t>(key - t.begin());
                keys.emplace_back(t.substr(0, length));
                text = text.slice(length + 1, t.size());
            }
        }
        add_value({std::move(keys), std::move(text), group}, groups_, out_);
    }

    /// `|` and `>`: all lines that are further in than what the block belongs to.
    void block() {
        next_line();
        auto const begin = at_;
        std::size_t const parent = frames_.empty() ? 0 : frames_.back().at / 2 + 1;
        while (at_ < text_.size()) {
            line_ = at_;
            auto first = at_;
            while (first < text_.size() && is_blank(text_[first]))
                ++first;
            bool const empty = first >= text_.size() || text_[first] == '\n';
            if (!empty && column(first) < parent) break;
            next_line();
        }
        read_embedded(in_.slice(begin, at_), path(), groups_, out_);
    }

    decoded const& in_;
    std::string_view text_;
    std::vector<std::string> const& outer_;
    group_counter& groups_;
    std::vector<value>& out_;
    std::vector<frame> frames_;
    std::size_t at_ = 0;
    std::size_t line_ = 0;  // where the line begins
    int broken_ = 0;        // collections that did not end
};

}  // namespace

void read_yaml(decoded const& in, std::vector<std::string> const& path, group_counter& groups,
               std::vector<value>& out) {
    yaml_reader(in, path, groups, out).run();
}

}  // namespace bevmesh::registrar::scan
