#include "failover/redis/boot_fence.hpp"

#include <algorithm>
#include <cctype>

namespace bevmesh::failover::redis {
namespace {

std::string lower(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

/// The words of a line; quotes, which Redis allows, are taken off.
std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    for (char const c : line) {
        if (c == '"' || c == '\'') continue;
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            if (!word.empty()) words.push_back(std::move(word));
            word.clear();
        } else {
            word += c;
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

class reading {
public:
    void directive(std::vector<std::string> const& words) {
        if (words.empty() || words.front().starts_with('#')) return;
        auto const key = lower(words.front());
        if (key == "include") include_ = words.size() > 1 ? words[1] : "a file";
        if (key != "replicaof" && key != "slaveof") return;
        include_.clear();
        follows_ = words.size() == 3 && !(lower(words[1]) == "no" && lower(words[2]) == "one");
    }
    [[nodiscard]] boot_fence verdict() const {
        if (!include_.empty())
            return {false, "include " + include_ + " stands behind replicaof and may undo it"};
        if (!follows_)
            return {false, "its configuration does not say replicaof: it would start as a primary"};
        return {true, {}};
    }

private:
    bool follows_ = false;
    std::string include_;
};

}  // namespace

boot_fence read_boot_fence(std::string_view file, std::vector<std::string> const& argv) {
    reading all;
    while (!file.empty()) {
        auto const line = file.substr(0, file.find('\n'));
        file.remove_prefix(std::min(file.size(), line.size() + 1));
        all.directive(split(line));
    }
    // "--replicaof HOST PORT --appendonly yes": words up to the next option are one line. HOST PORT
    // may also be one word.
    std::vector<std::string> option;
    for (auto const& word : argv) {
        if (word.starts_with("--")) {
            all.directive(option);
            option.assign(1, word.substr(2));
        } else if (!option.empty()) {
            for (auto& part : split(word))
                option.push_back(std::move(part));
        }
    }
    all.directive(option);
    return all.verdict();
}

}  // namespace bevmesh::failover::redis
