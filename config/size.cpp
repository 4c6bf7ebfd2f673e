#include "config/size.hpp"

#include <array>

#include "config/format.hpp"

namespace bevmesh::config {
namespace {

struct unit {
    std::string_view suffix;
    std::uint64_t bytes;
};

constexpr std::array<unit, 4> units{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"B", 1}}};

class size_type final : public type<std::uint64_t> {
public:
    size_type(std::uint64_t least, std::uint64_t most) : least_(least), most_(most) {
        expected_ = "a size from " + format_size(least) + " to " + format_size(most) +
                    ", such as 512KiB or 16MiB";
    }

    void read(node const& at, reader& in, std::uint64_t& out) const override {
        if (at.type != node::kind::scalar) {
            in.report(at.at, at.type == node::kind::null ? "has no value" : "is " + describe(at),
                      expected_);
            return;
        }
        auto const value = parse_size(at.text);
        if (!value && parse_unsigned(at.text))
            in.report(at.at, at.text + " has no unit", expected_);
        else if (!value)
            in.report(at.at, in_quotes(at.text) + " is not a size", expected_);
        else if (*value < least_ || *value > most_)
            in.report(at.at, at.text + " is out of range", expected_);
        else
            out = *value;
    }
    json show(std::uint64_t const& value) const override { return format_size(value); }
    json schema() const override {
        return {{"type", "string"}, {"pattern", "^[0-9]+(GiB|MiB|KiB|B)$"}};
    }

private:
    std::uint64_t least_;
    std::uint64_t most_;
    std::string expected_;
};

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    auto const digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos) return {};
    auto const number = parse_unsigned(text.substr(0, digits));
    auto const suffix = text.substr(digits);
    for (auto const& u : units) {
        if (u.suffix != suffix) continue;
        if (!number || *number > (1ULL << 60U) / u.bytes) return {};
        return *number * u.bytes;
    }
    return {};
}

std::string format_size(std::uint64_t bytes) {
    if (bytes == 0) return "0B";
    for (auto const& u : units)
        if (bytes % u.bytes == 0) return std::to_string(bytes / u.bytes) + std::string(u.suffix);
    return std::to_string(bytes) + "B";
}

type_of<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
    return std::make_shared<size_type>(least, most);
}

}  // namespace bevmesh::config
