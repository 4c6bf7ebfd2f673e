// The small codecs: headers, Go's durations, base64.
#include <algorithm>
#include <array>
#include <charconv>

#include "mesh/consul/codec.hpp"

namespace bevmesh::consul {

namespace {

bool same_name(std::string_view a, std::string_view b) {
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct unit {
    std::string_view name;
    double milliseconds;
};

// Longer names first: "ms" is no minute.
constexpr std::array<unit, 7> units{{{"ns", 1e-6},
                                     {"us", 1e-3},
                                     {"\xc2\xb5s", 1e-3},
                                     {"ms", 1},
                                     {"h", 3'600'000},
                                     {"m", 60'000},
                                     {"s", 1'000}}};

}  // namespace

answer_facts decode_headers(header_lines const& headers, bool with_token) {
    answer_facts f;
    bool deny = false;
    for (auto const& [name, text] : headers) {
        if (same_name(name, "X-Consul-Index")) f.index = number_of(text);
        if (same_name(name, "X-Consul-ContentHash")) f.content_hash = text;
        if (same_name(name, "X-Consul-Results-Filtered-By-ACLs")) f.filtered = text == "true";
        if (same_name(name, "X-Consul-KnownLeader")) f.known_leader = text == "true";
        if (same_name(name, "X-Consul-Default-ACL-Policy")) deny = text == "deny";
        if (same_name(name, "X-Consul-LastContact")) {
            constexpr std::uint64_t longest = 1'000'000'000'000;
            f.last_contact = milliseconds(std::min(number_of(text), longest));
        }
    }
    f.filtered = f.filtered || (deny && !with_token);
    return f;
}

std::string encode_duration(milliseconds d) {
    auto const count = d.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

result<milliseconds> decode_duration(std::string_view text) {
    auto const refuse = [&] {
        return failure{errc::bad_answer, "\"" + std::string(text) + "\" is no duration"};
    };
    auto rest = text;
    bool const negative = !rest.empty() && rest.front() == '-';
    if (negative) rest.remove_prefix(1);
    if (rest == "0") return milliseconds(0);
    if (rest.empty()) return refuse();
    double total = 0;
    while (!rest.empty()) {
        double number = 0;
        auto const read = std::from_chars(rest.data(), rest.data() + rest.size(), number,
                                          std::chars_format::fixed);
        if (read.ec != std::errc() || rest.front() == '-') return refuse();
        rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
        bool known = false;
        for (auto const& u : units) {
            if (rest.substr(0, u.name.size()) != u.name) continue;
            rest.remove_prefix(u.name.size());
            total += number * u.milliseconds;
            known = true;
            break;
        }
        if (!known) return refuse();
    }
    constexpr double longest = 9.2e15;  // Go's limit is 2^63 ns
    if (total > longest) return refuse();
    auto const count = static_cast<std::int64_t>(total + 1e-6);
    return milliseconds(negative ? -count : count);
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t group = 0;
    unsigned held = 0;
    for (char const c : bytes) {
        group = (group << 8U) | static_cast<unsigned char>(c);
        held += 8;
        while (held >= 6) {
            held -= 6;
            out += alphabet[(group >> held) & 63U];
        }
    }
    if (held > 0) out += alphabet[(group << (6 - held)) & 63U];
    while (out.size() % 4 != 0)
        out += '=';
    return out;
}

result<std::string> base64_decode(std::string_view text) {
    auto const refuse = failure{errc::bad_answer, "not base64"};
    if (text.size() % 4 != 0) return refuse;
    auto const padding = text.size() - text.substr(0, text.find('=')).size();
    if (padding > 2) return refuse;
    for (char const c : text.substr(text.size() - padding)) {
        if (c != '=') return refuse;
    }
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    unsigned held = 0;
    for (char const c : text.substr(0, text.size() - padding)) {
        auto const digit = alphabet.find(c);
        if (digit == std::string_view::npos) return refuse;
        group = (group << 6U) | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>((group >> held) & 255U);
        }
    }
    return out;
}

}  // namespace bevmesh::consul
