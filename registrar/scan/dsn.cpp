#include "registrar/scan/dsn.hpp"

#include <algorithm>

#include "registrar/ip_text.hpp"
#include "registrar/scan/inventory.hpp"
#include "registrar/scan/value.hpp"
#include "registrar/scan/words.hpp"

namespace bevmesh::registrar::scan {
namespace {

constexpr auto none = std::string_view::npos;

bool is_scheme(char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '.' || c == '-';
}

/// Where the text of a DSN ends: at a blank, a quote, a bracket that it did not open.
std::size_t end_of_token(std::string_view text, std::size_t at, std::size_t limit) {
    int braces = 0;
    for (; at < limit; ++at) {
        char const c = text[at];
        if (c == '$' && at + 1 < text.size() && text[at + 1] == '{')
            ++braces, ++at;
        else if (c == '}' && braces-- == 0)
            break;
        else if (is_blank(c) || std::string_view("\n\"'`<>|\\;)").find(c) != none)
            break;
    }
    return at;
}

/// Whether what follows an "@" can be a host, and not the rest of somebody's mail address.
bool begins_with_host(std::string_view text) {
    if (text.starts_with('[')) return true;
    auto const end = std::min(text.find_first_not_of("0123456789."), text.size());
    return is_ipv4(text.substr(0, end));
}

std::size_t end_of_userinfo(std::string_view text, std::size_t from, std::size_t end,
                            bool suspicious) {
    auto const token = text.substr(from, end - from);
    auto const stop = std::min(token.find_first_of("/?"), token.size());
    auto at = token.substr(0, stop).rfind('@');
    if (at == none) {
        // A password with a "/" that is not encoded.
        auto const later = token.rfind('@');
        bool const host = later != none && token.find(':') < later &&
                          (suspicious || begins_with_host(token.substr(later + 1))) &&
                          token.substr(0, later).find_first_of("=&") == none;
        if (host) at = later;
    }
    return at == none ? from : from + at + 1;
}

/// In a line such as `DB_PASSWORD: "x"`, where "x" begins and ends; else nothing.
std::pair<std::size_t, std::size_t> keyed_secret(std::string_view line) {
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] != '=' && line[i] != ':') continue;
        if (line.substr(i).starts_with("://")) continue;
        auto end = i;
        while (end > 0 && !is_word(line[end - 1]) && end + 4 > i)
            --end;
        auto begin = end;
        while (begin > 0 && is_word(line[begin - 1]))
            --begin;
        if (!names_secret(words_of(line.substr(begin, end - begin)))) continue;
        auto from = line.find_first_not_of(" \t\"'\\", i + 1);
        if (from == none) return {0, 0};
        auto const to = line.find_first_of("\"'\r\n", from);
        return {from, std::min(to, line.size())};
    }
    return {0, 0};
}

std::string masked_line(std::string_view line) {
    std::string made;
    std::size_t done = 0;
    auto const hide = [&](std::size_t begin, std::size_t end) {
        if (begin < done || begin >= end) return;
        made += line.substr(done, begin - done);
        made += "***";
        done = end;
    };
    auto const [from, to] = keyed_secret(line);
    bool const nested = line.substr(from, to - from).find("://") != none;
    if (from < to && !nested) hide(from, to);
    for (auto const& d : find_dsns(line, true)) {
        if (d.authority == d.userinfo) continue;
        auto const colon = line.find(':', d.userinfo);
        // Without a colon it may be a token instead of a user.
        hide(colon < d.authority ? colon + 1 : d.userinfo, d.authority - 1);
    }
    made += line.substr(done);
    return made;
}

}  // namespace

std::vector<dsn> find_dsns(std::string_view text, bool suspicious) {
    std::vector<dsn> found;
    for (auto at = text.find("://"); at != none; at = text.find("://", at + 3)) {
        dsn one;
        one.begin = at;
        while (one.begin > 0 && is_scheme(text[one.begin - 1]))
            --one.begin;
        if (one.begin == at) continue;
        one.scheme = lower(text.substr(one.begin, at - one.begin));
        one.userinfo = at + 3;
        // Another one inside ends it, where that one's scheme begins.
        auto const next = std::min(text.find("://", one.userinfo), text.size());
        one.end = std::min(end_of_token(text, one.userinfo, next), next);
        if (one.end == next && next < text.size())
            while (one.end > one.userinfo && is_scheme(text[one.end - 1]))
                --one.end;
        one.authority = end_of_userinfo(text, one.userinfo, one.end, suspicious);
        one.path = one.authority;
        while (one.path < one.end && std::string_view("/?#").find(text[one.path]) == none)
            ++one.path;
        found.push_back(std::move(one));
    }
    return found;
}

std::string masked(std::string_view text) {
    std::string made;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size());
        made += masked_line(text.substr(at, end - at));
        if (end < text.size()) made += '\n';
        at = end + 1;
    }
    return made;
}

}  // namespace bevmesh::registrar::scan
