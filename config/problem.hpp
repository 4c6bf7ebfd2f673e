// What is wrong with a document, and where; and where in the document each value stands.
//
// Lines and columns count from 1, columns in characters; line 0 is "no place". Keys are written as
// a path: services.kafka.instances[0].port. Pure values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bevmesh::config {

struct position {
    int line = 0;
    int column = 0;

    friend auto operator<=>(position const&, position const&) = default;
};

struct problem {
    std::string file;
    int line = 0;
    int column = 0;
    std::string key;       // path of the key; empty: the document as a whole
    std::string message;   // what is wrong
    std::string expected;  // what was expected; empty: the message says it

    friend bool operator==(problem const&, problem const&) = default;
};

/// "file:line:col: key: what is wrong; what was expected".
[[nodiscard]] std::string to_string(problem const& p);

/// What a user wrote, in quotes, fit for a terminal: control characters escaped, 60 bytes at most.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// `base.key`, or `key` where base is empty.
[[nodiscard]] std::string join(std::string_view base, std::string_view key);
[[nodiscard]] std::string join(std::string_view base, std::size_t index);

/// ", did you mean X" with the nearest of `known`; empty where none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::vector<std::string> const& known);

/// Where the keys of a document stand, and which of them have a problem already.
class locations {
public:
    void set(std::string path, position at) { places_[std::move(path)] = at; }
    void mark_damaged(std::string path) { damaged_.insert(std::move(path)); }

    /// Place of the key, or of the nearest key above it that has one.
    [[nodiscard]] position of(std::string_view path) const;
    [[nodiscard]] bool contains(std::string_view path) const { return places_.contains(path); }
    /// The key or one above it has a problem: what follows from its value is noise.
    [[nodiscard]] bool damaged(std::string_view path) const;
    /// The key or one below it has a problem: what seems to be missing may be there, misspelt.
    [[nodiscard]] bool damaged_below(std::string_view path) const;

private:
    std::map<std::string, position, std::less<>> places_;
    std::set<std::string, std::less<>> damaged_;
};

}  // namespace bevmesh::config
