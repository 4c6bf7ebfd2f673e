#include "mesh/base/json_fields.hpp"

namespace bevmesh::json {

void wrong(std::string_view key, std::string_view expected) {
    throw std::runtime_error(std::string(key) + ": expected " + std::string(expected));
}

value const& member(value const& object, std::string_view key) {
    static value const none;
    if (object.is_null()) return none;
    if (!object.is_object()) wrong(key, "an object around it");
    auto const found = object.find(std::string(key));
    return found == object.end() ? none : *found;
}

std::string text(value const& object, std::string_view key) {
    auto const& found = member(object, key);
    if (found.is_null()) return {};
    if (!found.is_string()) wrong(key, "a string");
    return found.get<std::string>();
}

bool flag(value const& object, std::string_view key) {
    auto const& found = member(object, key);
    if (found.is_null()) return false;
    if (!found.is_boolean()) wrong(key, "true or false");
    return found.get<bool>();
}

std::vector<std::string> text_list(value const& object, std::string_view key) {
    auto const& found = member(object, key);
    if (found.is_null()) return {};
    if (!found.is_array()) wrong(key, "a list");
    std::vector<std::string> out;
    for (auto const& item : found) {
        if (!item.is_string()) wrong(key, "a list of strings");
        out.push_back(item.get<std::string>());
    }
    return out;
}

std::map<std::string, std::string> text_map(value const& object, std::string_view key) {
    auto const& found = member(object, key);
    if (found.is_null()) return {};
    if (!found.is_object()) wrong(key, "an object");
    std::map<std::string, std::string> out;
    for (auto const& [name, item] : found.items()) {
        if (!item.is_string()) wrong(key, "strings in it");
        out.emplace(name, item.get<std::string>());
    }
    return out;
}

std::string dump(value const& v) {
    return v.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace bevmesh::json
