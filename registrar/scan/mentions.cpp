#include "registrar/scan/mentions.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "registrar/ip_text.hpp"
#include "registrar/scan/dsn.hpp"
#include "registrar/scan/inventory.hpp"
#include "registrar/scan/value.hpp"

namespace bevmesh::registrar::scan {
namespace {

constexpr auto none = std::string_view::npos;
/// How far around an address is looked: a line of megabytes must not cost their square.
constexpr std::size_t longest_word = 1024;

constexpr bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char at_or(std::string_view text, std::size_t i, char otherwise = ' ') {
    return i < text.size() ? text[i] : otherwise;
}

/// Whether a host may begin behind text[i - 1]. "-" only as in ${NAME:-10.0.0.5}.
bool may_begin(std::string_view text, std::size_t i) {
    if (i == 0) return true;
    char const c = text[i - 1];
    if (c == '-') return i >= 2 && text[i - 2] == ':';
    return !is_letter(c) && !is_digit(c) && c != '.' && c != '_';
}

bool may_end(std::string_view text, std::size_t i) {
    char const c = at_or(text, i);
    if (is_letter(c) || is_digit(c) || c == '_') return false;
    return c != '.' || !(is_letter(at_or(text, i + 1)) || is_digit(at_or(text, i + 1)));
}

/// The end of the address that begins at `i`, or `i`.
std::size_t end_of_v4(std::string_view text, std::size_t i) {
    auto end = i;
    while (end < text.size() && end - i < 16 && (is_digit(text[end]) || text[end] == '.'))
        ++end;
    while (end > i && text[end - 1] == '.')
        --end;
    return is_ipv4(text.substr(i, end - i)) && may_end(text, end) ? end : i;
}

std::size_t end_of_v6(std::string_view text, std::size_t i) {
    bool const bracket = text[i] == '[';
    auto const from = i + (bracket ? 1 : 0);
    auto end = from;
    int colons = 0;
    while (end < text.size() && end - from < 46 &&
           (is_hex(text[end]) || text[end] == ':' || text[end] == '.')) {
        colons += static_cast<int>(text[end] == ':');
        ++end;
    }
    if (colons < 2 || !is_ipv6(text.substr(from, end - from))) return i;
    if (bracket) return at_or(text, end) == ']' ? end + 1 : i;
    return may_end(text, end) && at_or(text, end) != '%' && at_or(text, end) != ':' ? end : i;
}

/// ":6379" behind a host, also as "${NAME:-6379}" and behind the "}" of the host's own variable.
void read_port(std::string_view text, mention& m) {
    auto at = m.end;
    if (at_or(text, at) == '}') ++at;
    m.port_end = m.end;
    if (at_or(text, at) == ' ' && m.scheme.empty()) {  // nc -z HOST PORT, replicaof HOST PORT
        auto const end = std::min(text.find_first_not_of("0123456789", at + 1), text.size());
        bool const whole =
            end == text.size() || std::string_view(" \t\r\n;&|)\"'").find(text[end]) != none;
        if (whole && end > at + 2) m.port = parse_port(text.substr(at + 1, end - at - 1));
        return;
    }
    if (at_or(text, at) != ':') return;
    ++at;
    if (text.substr(at).starts_with("${")) {
        auto const variable = text.substr(at, longest_word);
        auto const value = variable.find(":-");
        auto const close = variable.find('}');
        if (value == none || close == none || value > close) return;
        at += value + 2;
    }
    auto end = at;
    while (end < text.size() && is_digit(text[end]))
        ++end;
    if (is_letter(at_or(text, end)) || at_or(text, end) == '.') return;
    m.port = parse_port(text.substr(at, end - at));
    if (m.port && text.substr(m.end, end - m.end).find('$') == none) m.port_end = end;
}

void read_prefix(std::string_view text, mention& m) {
    char const next = at_or(text, m.end);
    if (next == '/' && m.scheme.empty()) {
        auto end = m.end + 1;
        while (end < text.size() && (is_digit(text[end]) || text[end] == '.'))
            ++end;
        m.prefix = end > m.end + 1 && !is_letter(at_or(text, end)) && at_or(text, end) != '/';
    }
    if (next == '-') {
        char const behind = at_or(text, m.end + 1);
        m.prefix = is_digit(behind);
    }
    auto const before = m.begin > 0 ? text[m.begin - 1] : ' ';
    if (before == '-' && m.begin > 1 && is_digit(text[m.begin - 2])) m.prefix = true;
}

/// Where the word that holds `at` begins: a list, a user@, a host of its own before the address.
std::size_t start_of_token(std::string_view text, std::size_t at) {
    auto const first = at - std::min(at, longest_word);
    while (at > first &&
           (is_word(text[at - 1]) || std::string_view(",:@/[$").find(text[at - 1]) != none)) {
        if (text[at - 1] == '[' && at_or(text, at) == '"') break;
        --at;
    }
    return at;
}

void read_before(std::string_view text, std::size_t start, mention& m) {
    auto at = start;
    // ${NAME:-10.0.0.5}
    auto const near = m.begin - std::min(m.begin, longest_word);
    auto const inside = text.substr(near, m.begin - near).rfind("${");
    auto const variable = near + (inside == none ? 0 : inside);
    if (inside != none && text.substr(variable, m.begin - variable).find('}') == none) {
        auto const name = variable + 2;
        auto end = name;
        while (end < m.begin && (is_letter(text[end]) || is_digit(text[end]) || text[end] == '_'))
            ++end;
        m.key = text.substr(name, end - name);
        return;
    }
    auto const skip = [&](std::string_view what) {
        while (at > 0 && what.find(text[at - 1]) != none)
            --at;
    };
    skip(" \t\"'([{\n\\");
    bool const sign = at > 0 && (text[at - 1] == '=' || text[at - 1] == ':');
    if (sign) {
        --at;
        skip(" \t\"'\\");
    }
    auto const end = at;
    while (at > 0 && is_word(text[at - 1]))
        --at;
    auto const word = text.substr(at, end - at);
    if (sign)
        m.key = word.starts_with("-D") ? word.substr(2) : word;  // Java's
    else
        m.option = word;
    if (m.option.size() == 1 && at > 0 && text[at - 1] == '=') m.option = "=";
}

bool is_name_here(std::string_view text, mention const& m) {
    return m.port.has_value() || !m.scheme.empty() || (m.begin == 0 && m.end == text.size());
}

class finder {
public:
    finder(std::string_view text, std::vector<std::string> const& names)
        : text_(text), names_(names), dsns_(find_dsns(text)) {}

    std::vector<mention> run() {
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (!may_begin(text_, i)) continue;
            char const c = text_[i];
            auto end = i;
            bool name = false;
            if (is_digit(c)) end = end_of_v4(text_, i);
            if (end == i && (c == '[' || is_hex(c) || c == ':')) end = end_of_v6(text_, i);
            if (end == i && (is_letter(c) || is_digit(c))) {
                end = end_of_name(i);
                name = end != i;
            }
            if (end == i) continue;
            found(i, end, name);
            i = end - 1;
        }
        return std::move(found_);
    }

private:
    std::size_t end_of_name(std::size_t i) const {
        auto end = i;
        while (end < text_.size() && is_word(text_[end]))
            ++end;
        auto const word = lower(text_.substr(i, end - i));
        return std::ranges::find(names_, word) == names_.end() ? i : end;
    }

    void found(std::size_t begin, std::size_t end, bool name) {
        mention m{begin, end, std::string(text_.substr(begin, end - begin)), {}, end, {}, {}, {}};
        m.name = name;
        if (m.host.starts_with('[')) m.host = m.host.substr(1, m.host.size() - 2);
        auto start = start_of_token(text_, begin);
        auto const next = std::ranges::upper_bound(dsns_, begin, {}, &dsn::begin);
        if (next != dsns_.begin() && begin < std::prev(next)->end) {
            auto const& d = *std::prev(next);
            if (begin < d.authority) return;  // somebody's password
            start = d.begin;
            if (begin < d.path) m.scheme = d.scheme;
            m.in_path = begin >= d.path;
        }
        read_port(text_, m);
        read_prefix(text_, m);
        read_before(text_, m.in_path ? begin : start, m);
        if (!name || is_name_here(text_, m)) found_.push_back(std::move(m));
    }

    std::string_view text_;
    std::vector<std::string> const& names_;
    std::vector<dsn> dsns_;
    std::vector<mention> found_;
};

}  // namespace

std::vector<mention> find_mentions(std::string_view text, std::vector<std::string> const& names) {
    return finder(text, names).run();
}

std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept {
    unsigned port = 0;
    auto const [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (problem != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(port);
}

std::optional<std::uint16_t> port_in(std::string_view text) {
    std::optional<std::uint16_t> found;
    auto const small = lower(text);
    for (std::string_view const word : {"port", "-p"}) {
        for (auto at = small.find(word); at != none; at = small.find(word, at + 1)) {
            auto from = small.find_first_not_of(" \t=:\"'\\", at + word.size());
            if (from == none || from == at + word.size()) continue;
            auto end = from;
            while (end < small.size() && is_digit(small[end]))
                ++end;
            bool const apart = word != "-p" || (at > 0 && is_blank(small[at - 1]));
            auto const port = parse_port(std::string_view(small).substr(from, end - from));
            if (!apart || !port || at_or(small, end) == ':' || at_or(small, end) == '.') continue;
            if (found && *found != *port) return std::nullopt;
            found = port;
        }
    }
    return found;
}

bool may_mention(std::string_view text, std::vector<std::string> const& names) {
    for (auto at = text.find('.'); at != none; at = text.find('.', at + 1)) {
        if (at == 0 || !is_digit(text[at - 1]) || !is_digit(at_or(text, at + 1))) continue;
        auto next = at + 1;
        while (next < text.size() && is_digit(text[next]))
            ++next;
        if (at_or(text, next) == '.' && is_digit(at_or(text, next + 1))) return true;
    }
    if (text.find("::") != none) return true;
    int colons = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ':')
            ++colons;
        else if (!is_hex(text[i]))
            colons = 0;
        if (colons == 7) return true;
    }
    if (names.empty()) return false;
    auto const small = lower(text);
    return std::ranges::any_of(names, [&](auto const& n) { return small.find(n) != none; });
}

}  // namespace bevmesh::registrar::scan
