// Unknown and missing keys.
#include "config/object.hpp"

#include <array>

namespace bevmesh::config::detail {
namespace {

// Sections of the whole mesh that the documentation names and this version does not read. To take
// them and do nothing would be worse than to refuse them.
constexpr std::array<std::string_view, 3> planned{"failover", "certs", "tls"};

}  // namespace

void report_unknown(member const& m, reader& in, std::vector<std::string> const& known) {
    std::string expected;
    for (auto const& key : known)
        expected += (expected.empty() ? "one of " : ", ") + key;
    bool const is_planned = std::ranges::find(planned, m.key) != planned.end();
    in.report(join(in.path(), m.key), m.at,
              is_planned ? "is not supported by this version of bevmesh"
                         : "unknown key" + did_you_mean(m.key, known),
              expected);
}

void report_missing(std::string const& key, position at, reader& in, std::string const& doc) {
    // The sentence of the schema as the end of ours.
    auto what = doc.substr(0, doc.find_last_not_of('.') + 1);
    if (!what.empty() && what[0] >= 'A' && what[0] <= 'Z')
        what[0] = static_cast<char>(what[0] - 'A' + 'a');
    in.report(join(in.path(), key), at, "is missing", what);
}

bool says_nothing(json const& value) {
    if (value.is_number_unsigned()) return value.get<unsigned>() == 0;
    if (value.is_string()) return value.get_ref<std::string const&>().empty();
    return value.is_structured() && value.empty();
}

}  // namespace bevmesh::config::detail
