// Formats of one entry a line: KEY=VALUE, KEY VALUE, [sections], commands.
#include <algorithm>
#include <utility>

#include "registrar/scan/readers.hpp"

namespace bevmesh::registrar::scan {
namespace {

constexpr auto none = std::string_view::npos;

/// Where the comment of a line begins, or its end. A "#" in a word is no comment anywhere (it may
/// be a password's); Java's properties have none behind a value, INI files also one of ";".
std::size_t comment_of(kind k, std::string_view line) {
    auto const first = line.find_first_not_of(" \t");
    if (first == none) return line.size();
    bool const semicolon = k == kind::ini;
    if (line[first] == '#' || (semicolon && line[first] == ';') ||
        (k == kind::properties && line[first] == '!'))
        return first;
    if (k == kind::properties) return line.size();
    char quote = 0;
    for (auto i = first; i < line.size(); ++i) {
        char const c = line[i];
        if (quote != 0) {
            if (c == '\\' && quote == '"')
                ++i;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            // An apostrophe in a word opens nothing.
            if (i == first || !is_letter(line[i - 1])) quote = c;
        } else if ((c == '#' || (semicolon && c == ';')) && is_blank(line[i - 1])) {
            return i;
        }
    }
    return line.size();
}

class line_reader {
public:
    line_reader(kind k, decoded const& in, std::vector<std::string> const& path,
                group_counter& groups, std::vector<value>& out)
        : kind_(k), in_(in), text_(in.text()), outer_(path), groups_(groups), out_(out) {
        group_ = groups_.next();
    }

    void run() {
        while (at_ < text_.size()) {
            auto const begin = at_;
            auto const end = std::min(text_.find('\n', at_), text_.size());
            at_ = std::min(end + 1, text_.size());
            line(begin, end);
        }
    }

private:
    void line(std::size_t begin, std::size_t end) {
        end = begin + comment_of(kind_, text_.substr(begin, end - begin));
        trim(begin, end);
        if (begin == end || section(begin, end)) return;
        if (!open_list_.empty()) {
            if (text_.substr(begin, end - begin).find(']') != none)
                return add(std::exchange(open_list_, {}), begin, end);
            return add(open_list_, begin, end);
        }
        skip_word(begin, end, "export");
        skip_word(begin, end, "local");
        skip_word(begin, end, "readonly");
        skip_word(begin, end, "ENV");
        skip_word(begin, end, "ARG");
        entry(begin, end);
    }

    void trim(std::size_t& begin, std::size_t& end) const {
        while (begin < end && is_blank(text_[begin]))
            ++begin;
        while (end > begin && is_blank(text_[end - 1]))
            --end;
    }

    void skip_word(std::size_t& begin, std::size_t end, std::string_view word) const {
        auto const rest = text_.substr(begin, end - begin);
        if (kind_ == kind::ini || kind_ == kind::properties || !rest.starts_with(word) ||
            rest.size() <= word.size() || !is_blank(rest[word.size()]))
            return;
        begin += word.size();
        while (begin < end && is_blank(text_[begin]))
            ++begin;
    }

    bool section(std::size_t begin, std::size_t end) {
        if ((kind_ != kind::ini && kind_ != kind::toml) || text_[begin] != '[' ||
            text_[end - 1] != ']' || !open_list_.empty())
            return false;
        auto const name = text_.substr(begin, end - begin);
        auto const inner = name.find_first_not_of('[');
        auto const last = name.find_last_not_of(']');
        section_.clear();
        if (inner != none && last != none && inner <= last)
            section_.emplace_back(name.substr(inner, last + 1 - inner));
        group_ = groups_.next();
        return true;
    }

    [[nodiscard]] bool separates(char c) const {
        return c == '=' || (c == ':' && (kind_ == kind::properties || kind_ == kind::ini));
    }

    void entry(std::size_t begin, std::size_t end) {
        auto key = begin;
        while (key < end && (is_word(text_[key]) || (kind_ == kind::toml && text_[key] == '"')))
            ++key;
        auto at = key;
        while (at < end && is_blank(text_[at]))
            ++at;
        // A blank before "=" is no assignment in a shell; on both sides it is a file that it
        // writes.
        if (kind_ == kind::shell && at > key && (at + 1 >= end || !is_blank(text_[at + 1])))
            at = key;
        bool const separated = key > begin && at < end && separates(text_[at]);
        // A bare "C:10.0.0.1" in INI could be an IPv6 address or a path; a blank makes it a key.
        bool const colon = separated && text_[at] == ':' && kind_ == kind::ini;
        if (separated && (!colon || at + 1 == end || is_blank(text_[at + 1]))) {
            auto from = at + 1;
            while (from < end && is_blank(text_[from]))
                ++from;
            return keyed(std::string(text_.substr(begin, key - begin)), from, end);
        }
        if (kind_ == kind::properties && key > begin && key < end)
            return keyed(std::string(text_.substr(begin, key - begin)), at, end);
        if (kind_ == kind::ini && key > begin && key < end && is_blank(text_[key]))
            return keyed(std::string(text_.substr(begin, key - begin)), at, end);
        auto path = outer_;
        path.insert(path.end(), section_.begin(), section_.end());
        if (begin < end) add_value({path, in_.slice(begin, end), group_}, groups_, out_);
    }

    void keyed(std::string key, std::size_t begin, std::size_t end) {
        std::erase(key, '"');
        if (kind_ == kind::toml && begin < end && (text_[begin] == '[' || text_[begin] == '{')) {
            auto const had = out_.size();
            auto const line = in_.slice(begin, end);
            std::size_t at = 0;
            if (read_flow(line, at, path_of(key), groups_, out_, '=')) return;
            out_.resize(had);
            if (text_[begin] == '[') open_list_ = key;
        }
        add(key, begin, end);
    }

    [[nodiscard]] std::vector<std::string> path_of(std::string const& key) const {
        auto path = outer_;
        path.insert(path.end(), section_.begin(), section_.end());
        path.push_back(key);
        return path;
    }

    void add(std::string const& key, std::size_t begin, std::size_t end) {
        if (begin >= end) return;
        bool const quoted = text_[begin] == '"' || text_[begin] == '\'';
        auto at = begin;
        auto text = quoted ? read_quoted(in_, at) : in_.slice(begin, end);
        // Quotes that do not hold all of it (a=("1" "2"), "a" b) are part of the text.
        if (quoted && at != end) text = in_.slice(begin, end);
        add_value({path_of(key), std::move(text), group_}, groups_, out_);
    }

    kind kind_;
    decoded const& in_;
    std::string_view text_;
    std::vector<std::string> const& outer_;
    group_counter& groups_;
    std::vector<value>& out_;
    std::vector<std::string> section_;
    std::string open_list_;  // the key of a TOML array that goes on on the next line
    std::size_t group_ = 0;
    std::size_t at_ = 0;
};

}  // namespace

void read_lines(kind k, decoded const& in, std::vector<std::string> const& path,
                group_counter& groups, std::vector<value>& out) {
    line_reader(k, in, path, groups, out).run();
}

}  // namespace bevmesh::registrar::scan
