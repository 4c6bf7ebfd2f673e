// JSON, and the flow collections of YAML and TOML, which are nearly the same.
#include <algorithm>

#include "registrar/scan/readers.hpp"

namespace bevmesh::registrar::scan {
namespace {

constexpr int deepest = 64;

char unescaped(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        default:
            return c;
    }
}

class flow_reader {
public:
    flow_reader(decoded const& in, std::size_t at, group_counter& groups, std::vector<value>& out,
                char separator)
        : in_(in), text_(in.text()), at_(at), groups_(groups), out_(out), separator_(separator) {}

    bool collection(std::vector<std::string> const& path, int depth) {
        if (depth > deepest || at_ >= text_.size()) return false;
        if (text_[at_] == '{') return mapping(path, depth);
        return text_[at_] == '[' && list(path, depth);
    }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }

private:
    /// Blanks, line breaks and comments: "#" after a blank, "//", "/* */".
    void skip() {
        while (at_ < text_.size()) {
            char const c = text_[at_];
            auto const rest = text_.substr(at_);
            bool const hash =
                c == '#' && at_ > 0 && (is_blank(text_[at_ - 1]) || text_[at_ - 1] == '\n');
            if (is_blank(c) || c == '\n')
                ++at_;
            else if (hash || rest.starts_with("//"))
                at_ = std::min(text_.find('\n', at_), text_.size());
            else if (rest.starts_with("/*"))
                at_ = end_of(text_.find("*/", at_ + 2));
            else
                return;
        }
    }
    [[nodiscard]] std::size_t end_of(std::size_t found) const {
        return found == std::string_view::npos ? text_.size() : found + 2;
    }
    [[nodiscard]] bool on(char c) const { return at_ < text_.size() && text_[at_] == c; }

    decoded plain(bool key) {
        auto const begin = at_;
        for (; at_ < text_.size(); ++at_) {
            char const c = text_[at_];
            if (c == ',' || c == '}' || c == ']' || c == '\n') break;
            if (c == '$' && text_.substr(at_).starts_with("${")) {
                at_ = std::min(text_.find_first_of("}\n", at_), text_.size() - 1);
                continue;
            }
            if (c == '#' && at_ > begin && is_blank(text_[at_ - 1])) break;
            bool const ends_key =
                c == separator_ && (separator_ == '=' || at_ + 1 == text_.size() ||
                                    is_blank(text_[at_ + 1]) || text_[at_ + 1] == '\n');
            if (key && ends_key) break;
        }
        auto end = at_;
        while (end > begin && is_blank(text_[end - 1]))
            --end;
        return in_.slice(begin, end);
    }

    decoded scalar(bool key) {
        bool const quoted = on('"') || on('\'');
        return quoted ? read_quoted(in_, at_) : plain(key);
    }

    bool mapping(std::vector<std::string> const& path, int depth) {
        auto const group = groups_.next();
        for (++at_;;) {
            skip();
            if (at_ >= text_.size()) return false;
            if (on('}')) return ++at_, true;
            if (on(',')) {
                ++at_;
                continue;
            }
            auto const before = at_;
            auto const key = scalar(true);
            skip();
            if (!on(separator_)) {
                if (at_ == before || on('[') || on('{') || on(']')) return false;
                continue;  // a key without a value
            }
            ++at_;
            skip();
            auto inner = path;
            inner.emplace_back(key.text());
            if (!item(std::move(inner), group, depth)) return false;
        }
    }

    bool list(std::vector<std::string> const& path, int depth) {
        auto const group = groups_.next();
        auto const first = out_.size();
        bool options = false;
        for (++at_;;) {
            skip();
            if (at_ >= text_.size()) return false;
            if (on(']')) break;
            if (on(',')) {
                ++at_;
                continue;
            }
            auto const before = at_;
            options = options || text_.substr(at_).starts_with("\"-") ||
                      text_.substr(at_).starts_with("'-");
            if (!item(path, group, depth) || at_ == before) return false;
        }
        ++at_;
        if (options) join(first, group);
        return true;
    }

    /// The words of a command are read as its line.
    void join(std::size_t first, std::size_t group) {
        if (out_.size() < first + 2) return;
        auto line = decoded::made_at(out_[first].text.source(0));
        for (auto i = first; i < out_.size(); ++i) {
            auto const& word = out_[i].text;
            if (out_[i].group != group) return;
            if (i > first) line.push(' ', word.source(0));
            for (std::size_t c = 0; c < word.text().size(); ++c)
                line.push(word.text()[c], word.source(c));
        }
        value joined{out_[first].path, std::move(line), group};
        out_.resize(first);
        out_.push_back(std::move(joined));
    }

    bool item(std::vector<std::string> path, std::size_t group, int depth) {
        if (on('{') || on('[')) return collection(path, depth + 1);
        auto text = scalar(false);
        add_value({std::move(path), std::move(text), group}, groups_, out_);
        return true;
    }

    decoded const& in_;
    std::string_view text_;
    std::size_t at_;
    group_counter& groups_;
    std::vector<value>& out_;
    char separator_;
};

}  // namespace

bool read_flow(decoded const& in, std::size_t& at, std::vector<std::string> const& path,
               group_counter& groups, std::vector<value>& out, char separator) {
    flow_reader reader(in, at, groups, out, separator);
    bool const whole = reader.collection(path, 0);
    at = reader.at();
    return whole;
}

decoded read_quoted(decoded const& in, std::size_t& at) {
    auto const text = in.text();
    char const quote = text[at];
    auto const begin = ++at;
    auto const undone = [&](std::size_t i) {
        return quote == '"' ? text[i] == '\\' && i + 1 < text.size()
                            : text.substr(i).starts_with("''");
    };
    bool plain = true;
    auto end = begin;
    for (; end < text.size() && (text[end] != quote || undone(end)); ++end) {
        if (undone(end)) {
            plain = false;
            ++end;
        }
    }
    end = std::min(end, text.size());
    at = std::min(end + 1, text.size());
    if (plain) return in.slice(begin, end);
    auto made = decoded::made_at(in.source(begin));
    for (auto i = begin; i < end; ++i) {
        bool const escape = undone(i);
        if (escape) ++i;
        if (i < end) made.push(escape && quote == '"' ? unescaped(text[i]) : text[i], in.source(i));
    }
    return made;
}

}  // namespace bevmesh::registrar::scan
