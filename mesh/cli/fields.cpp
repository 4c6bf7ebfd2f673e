#include "mesh/cli/fields.hpp"

#include <nlohmann/json.hpp>

namespace bevmesh::cli {

using nlohmann::json;

json const& member_at(json const& object, char const* key) {
    static json const none;
    if (!object.is_object()) return none;
    auto const it = object.find(key);
    return it == object.end() ? none : *it;
}

std::string text_at(json const& object, char const* key) {
    auto const& value = member_at(object, key);
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() ? value.dump() : std::string();
}

std::uint64_t number_at(json const& object, char const* key) {
    auto const& value = member_at(object, key);
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

bool flag_at(json const& object, char const* key) {
    auto const& value = member_at(object, key);
    return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> texts_at(json const& object, char const* key) {
    std::vector<std::string> texts;
    for (auto const& item : member_at(object, key))
        if (item.is_string()) texts.push_back(item.get<std::string>());
    return texts;
}

std::string address_and_port(std::string const& address, std::uint64_t port) {
    if (port == 0) return address;
    bool const bracketed = address.find(':') != std::string::npos;
    return (bracketed ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace bevmesh::cli
