#include "mesh/cli/output.hpp"

#include <nlohmann/json.hpp>

#include "mesh/cli/text.hpp"
#include "mesh/cli/yaml.hpp"

namespace bevmesh::cli {

using nlohmann::json;

std::optional<format> parse_format(std::string_view name) {
    if (name == "table") return format::table;
    if (name == "json") return format::json;
    if (name == "yaml") return format::yaml;
    return std::nullopt;
}

std::string to_json_text(json const& value) {
    return printable_json(value.dump(2, ' ', false, json::error_handler_t::replace)) + "\n";
}

std::string to_text(json const& value, format as) {
    if (as == format::json) return to_json_text(value);
    // The way through text replaces invalid UTF-8 once for the whole document.
    return to_yaml(json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace)));
}

}  // namespace bevmesh::cli
