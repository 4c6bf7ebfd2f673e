// Walks a tree by the schema: collects every problem with its path and place, and the places of
// keys.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.hpp"
#include "config/tree.hpp"

namespace bevmesh::config {

class reader {
public:
    /// Goes one step down for the life of the scope.
    class scope {
    public:
        scope(reader& in, std::string path, position at)
            : in_(in), above_(std::exchange(in.path_, std::move(path))) {
            in_.where_.set(in_.path_, at);
        }
        ~scope() { in_.path_ = std::move(above_); }
        scope(scope const&) = delete;
        scope& operator=(scope const&) = delete;

    private:
        reader& in_;
        std::string above_;
    };

    /// The document as a whole; the path stays empty.
    [[nodiscard]] scope begin(position at) { return {*this, "", at}; }
    [[nodiscard]] scope enter(std::string_view key, position at) {
        return {*this, join(path_, key), at};
    }
    [[nodiscard]] scope enter(std::size_t index, position at) {
        return {*this, join(path_, index), at};
    }

    void report(position at, std::string message, std::string expected) {
        report(path_, at, std::move(message), std::move(expected));
    }
    void report(std::string path, position at, std::string message, std::string expected) {
        where_.mark_damaged(path);
        problems_.push_back(
            {"", at.line, at.column, std::move(path), std::move(message), std::move(expected)});
    }

    /// The key itself is no good; its value may be.
    void report_key(position at, std::string message, std::string expected) {
        problems_.push_back(
            {"", at.line, at.column, path_, std::move(message), std::move(expected)});
    }
    /// The key has a problem that somebody else reports.
    void mark_damaged(std::string path) { where_.mark_damaged(std::move(path)); }

    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] locations const& where() const { return where_; }
    [[nodiscard]] std::vector<problem> const& problems() const { return problems_; }

private:
    std::string path_;
    locations where_;
    std::vector<problem> problems_;
};

}  // namespace bevmesh::config
