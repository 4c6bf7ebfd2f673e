// From the parser's events to the tree. The only file that knows yaml-cpp.
#include "config/tree.hpp"

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <string>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/source.hpp"

namespace bevmesh::config {
namespace {

constexpr std::size_t most_problems = 500;

// Thrown through the parser to stop it, from events alone: it recurses a level for each nesting.
struct stop {
    problem why;
};

// A read-only stream over text that somebody else owns.
class view_buffer : public std::streambuf {
public:
    explicit view_buffer(std::string_view text) {
        // The get area is char* by its interface; nothing writes to it.
        char* const begin = const_cast<char*>(text.data());  // NOLINT
        setg(begin, begin, begin + text.size());
    }
};

node make(node::kind type, position at) {
    node made;
    made.type = type;
    made.at = at;
    return made;
}

struct extent {
    std::size_t nodes = 1;
    std::size_t text = 0;
    std::size_t depth = 0;  // of collections
};

extent measure(node const& n) {
    bool const is_scalar = n.type == node::kind::scalar || n.type == node::kind::null;
    extent sum{1, n.text.size(), is_scalar ? 0U : 1U};
    auto const add = [&](node const& child) {
        auto const [nodes, text, depth] = measure(child);
        sum.nodes += nodes;
        sum.text += text;
        sum.depth = std::max(sum.depth, depth + 1);
    };
    for (auto const& item : n.items)
        add(item);
    for (auto const& [key, at, value] : n.members) {
        sum.text += key.size();
        add(value);
    }
    return sum;
}

class builder final : public YAML::EventHandler {
public:
    builder(line_index const& lines, parsed& out) : lines_(lines), out_(out) {}

    void OnDocumentStart(YAML::Mark const& mark) override {
        if (++documents_ > 1) give_up(place(mark), "a second document begins here", "one document");
    }
    void OnDocumentEnd() override {}
    void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
        count({}, place(mark));
        add(make(node::kind::null, place(mark)), anchor);
    }
    void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  std::string const& text) override {
        count({1, text.size(), 0}, place(mark));
        bool const is_string = tag == "!" || tag == "tag:yaml.org,2002:str";
        if (!is_string) refuse_tag(place(mark), tag);
        auto scalar = make(node::kind::scalar, place(mark));
        scalar.text = text;
        scalar.quoted = is_string;
        add(std::move(scalar), anchor);
    }
    void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override;
    void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(node::kind::sequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(node::kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

    [[nodiscard]] bool saw_document() const { return documents_ > 0; }

private:
    // A collection whose end has not come.
    struct level {
        node value;
        YAML::anchor_t anchor = 0;
        std::optional<member> pending;  // a key that waits for its value
        bool refused = false;           // the pending key is not to be in the tree
        std::map<std::string, position> keys;
        std::string path;
    };

    position place(YAML::Mark const& mark) const {
        return lines_.place(mark.line + 1, mark.column);
    }
    [[noreturn]] void give_up(position at, std::string message, std::string expected) const {
        throw stop{{"", at.line, at.column, path(), std::move(message), std::move(expected)}};
    }
    void report(position at, std::string key, std::string message, std::string expected) {
        if (out_.problems.size() >= most_problems) give_up(at, "too many problems to go on", "");
        out_.problems.push_back(
            {"", at.line, at.column, std::move(key), std::move(message), std::move(expected)});
    }
    [[nodiscard]] std::string path() const;
    [[nodiscard]] std::string top_key() const;
    void refuse_tag(position at, std::string const& tag);
    void open(node::kind type, YAML::Mark const& mark, std::string const& tag,
              YAML::anchor_t anchor);
    void close();
    void add(node value, YAML::anchor_t anchor);
    void count(extent const& more, position at);
    void take_key(level& map, node const& key);

    line_index const& lines_;
    parsed& out_;
    std::vector<level> levels_;
    std::map<YAML::anchor_t, node> anchored_;
    extent total_{0, 0, 0};
    int documents_ = 0;
};

std::string builder::path() const {
    if (levels_.empty()) return {};
    auto const& innermost = levels_.back();
    if (innermost.value.type == node::kind::sequence)
        return join(innermost.path, innermost.value.items.size());
    return innermost.pending ? join(innermost.path, innermost.pending->key) : innermost.path;
}

void builder::refuse_tag(position at, std::string const& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    report(at, path(), "the tag " + in_quotes(tag) + " has no meaning here",
           "a value without a tag");
}

void builder::count(extent const& more, position at) {
    total_.nodes += more.nodes;
    total_.text += more.text;
    if (levels_.size() + more.depth > deepest_nesting)
        throw stop{{"", at.line, at.column, top_key(), "nested more than 32 levels deep",
                    "at most 32 levels"}};
    if (total_.nodes > most_nodes)
        give_up(at, "too many values, aliases counted as what they stand for", "at most 100000");
    if (total_.text > most_text)
        give_up(at, "too much text, aliases counted as what they stand for", "at most 4 MiB");
}

// The path alone would fill the screen when the nesting is the trouble.
std::string builder::top_key() const {
    if (levels_.empty() || !levels_.front().pending) return {};
    return join("", levels_.front().pending->key);
}

void builder::open(node::kind type, YAML::Mark const& mark, std::string const& tag,
                   YAML::anchor_t anchor) {
    auto const at = place(mark);
    count({1, 0, 1}, at);
    refuse_tag(at, tag);
    level opened;
    opened.value = make(type, at);
    opened.anchor = anchor;
    opened.path = path();
    levels_.push_back(std::move(opened));
}

void builder::close() {
    auto finished = std::move(levels_.back());
    levels_.pop_back();
    add(std::move(finished.value), finished.anchor);
}

void builder::OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) {
    auto const at = place(mark);
    auto const found = anchored_.find(anchor);
    if (found == anchored_.end())
        give_up(at, "an alias inside of the value that it names", "a value that is complete");
    count(measure(found->second), at);
    add(found->second, 0);
}

void builder::take_key(level& map, node const& key) {
    map.refused = true;
    if (key.type != node::kind::scalar) {
        report(key.at, map.path, "the key is " + describe(key), "text as a key");
    } else if (key.text == "<<" && !key.quoted) {
        report(key.at, join(map.path, "<<"), "merge keys (<<) are not supported",
               "the keys written out, or an alias for a whole value");
    } else if (auto const [first, is_new] = map.keys.emplace(key.text, key.at); !is_new) {
        report(key.at, join(map.path, key.text),
               "the key is there twice, first in line " + std::to_string(first->second.line),
               "each key once");
    } else {
        map.refused = false;
    }
    map.pending = member{key.text, key.at, {}};
}

void builder::add(node value, YAML::anchor_t anchor) {
    if (anchor != 0) anchored_[anchor] = value;
    if (levels_.empty()) {
        out_.root = std::move(value);
        return;
    }
    auto& into = levels_.back();
    if (into.value.type == node::kind::sequence) {
        into.value.items.push_back(std::move(value));
    } else if (!into.pending) {
        take_key(into, value);
    } else {
        into.pending->value = std::move(value);
        // The parser's place for a value that is not there is that of whatever comes next.
        auto& given = into.pending->value;
        if (given.type == node::kind::null && given.at.line != into.pending->at.line)
            given.at = into.pending->at;
        if (!into.refused) into.value.members.push_back(*std::move(into.pending));
        into.pending.reset();
    }
}

// The parser's words, as a part of our sentence. It quotes the byte that it stumbled over as it is,
// be it a control character or the middle of a letter.
std::string in_ascii(std::string const& words) {
    std::string out;
    for (char const c : words)
        out += c >= ' ' && c <= '~' ? c : '?';
    return out;
}

problem syntax_error(YAML::Exception const& e, line_index const& lines) {
    auto const at = e.mark.is_null() ? position{} : lines.place(e.mark.line + 1, e.mark.column);
    return {"", at.line, at.column, "", "not YAML: " + in_ascii(e.msg), ""};
}

}  // namespace

node const* node::find(std::string_view key) const {
    for (auto const& m : members)
        if (m.key == key) return &m.value;
    return nullptr;
}

std::string describe(node const& n) {
    switch (n.type) {
        case node::kind::null:
            return "nothing";
        case node::kind::sequence:
            return "a list";
        case node::kind::map:
            return "a mapping";
        case node::kind::scalar:
            break;
    }
    return n.quoted ? "the text " + in_quotes(n.text) : in_quotes(n.text);
}

parsed parse(std::string_view text) {
    parsed out;
    line_index const lines(text);
    view_buffer buffer(text);
    std::istream stream(&buffer);
    builder events(lines, out);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(events)) {
        }
        out.complete = events.saw_document();
        if (!out.complete)
            out.problems.push_back({"", 1, 1, "", "the document is empty", "a configuration"});
    } catch (stop const& s) {
        out.problems.push_back(s.why);
    } catch (YAML::Exception const& e) {
        out.problems.push_back(syntax_error(e, lines));
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        out.problems.push_back({"", 0, 0, "", "not YAML: " + in_ascii(e.what()), ""});
    }
    return out;
}

}  // namespace bevmesh::config
