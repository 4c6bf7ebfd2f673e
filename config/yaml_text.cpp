// JSON values as YAML.
#include "config/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "config/problem.hpp"

namespace bevmesh::config {
namespace {

using json = nlohmann::ordered_json;

// Words that one version of YAML or another takes for something else than text.
bool is_special(std::string_view text) {
    constexpr std::array<std::string_view, 10> special{"true", "false", "yes", "no", "on",
                                                       "off",  "null",  "y",   "n",  "nan"};
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return std::ranges::find(special, lower) != special.end();
}

// Text that stands for itself without quotes. Digits at the start could make a number, a time or a
// date: only what is clearly none of these goes without.
bool is_plain(std::string_view text) {
    auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    auto const inside = [&](char c) {
        return letter(c) || digit(c) || std::string_view("_./:@-").find(c) != text.npos;
    };
    if (text.empty() || !std::ranges::all_of(text, inside) || text.back() == ':') return false;
    if (digit(text.front()))
        return parse_duration(text).has_value() || std::ranges::count(text, '.') == 3;
    return (letter(text.front()) || text.front() == '/' || text.front() == '_') &&
           !is_special(text);
}

std::string scalar(json const& value) {
    if (!value.is_string()) return value.dump();
    auto const& text = value.get_ref<std::string const&>();
    // JSON's quoted text is YAML's; bytes that are not UTF-8 are replaced rather than thrown at.
    return is_plain(text) ? text
                          : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_one_line(json const& value) {
    if (!value.is_structured() || value.empty()) return true;
    if (!value.is_array()) return false;
    std::size_t width = 0;
    for (auto const& item : value) {
        if (item.is_structured()) return false;
        width += scalar(item).size() + 2;
    }
    return width <= 70;
}

std::string one_line(json const& value) {
    if (!value.is_structured()) return scalar(value);
    if (value.is_object()) return "{}";
    std::string text = "[";
    for (auto const& item : value)
        text += (text.size() > 1 ? ", " : "") + scalar(item);
    return text + "]";
}

class writer {
public:
    explicit writer(remark const& about) : about_(about) {}

    void write(json const& value, std::string const& path, std::size_t indent) {
        if (value.is_object())
            write_object(value, path, indent);
        else
            write_list(value, path, indent);
    }
    [[nodiscard]] std::string take() && { return std::move(text_); }

private:
    void write_object(json const& value, std::string const& path, std::size_t indent) {
        bool first = true;
        for (auto const& [key, item] : value.items()) {
            // The first key of a mapping in a list stands behind the dash.
            if (!first || text_.empty() || text_.back() == '\n') text_.append(indent, ' ');
            first = false;
            text_ += scalar(key) + ":";
            write_value(item, join(path, key), indent + 2);
        }
    }

    void write_list(json const& value, std::string const& path, std::size_t indent) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            text_.append(indent, ' ');
            text_ += "-";
            if (!is_one_line(value[i]) && value[i].is_object()) {
                text_ += " ";
                write_object(value[i], join(path, i), indent + 2);
            } else {
                write_value(value[i], join(path, i), indent + 2);
            }
        }
    }

    void write_value(json const& value, std::string const& path, std::size_t indent) {
        if (is_one_line(value)) {
            text_ += " " + one_line(value);
            auto const remark = about_ ? about_(path) : std::string();
            text_ += (remark.empty() ? "" : "  # " + remark) + "\n";
        } else {
            text_ += "\n";
            write(value, path, indent);
        }
    }

    remark const& about_;
    std::string text_;
};

}  // namespace

std::string to_yaml(json const& value, remark const& about) {
    if (is_one_line(value)) return one_line(value) + "\n";
    writer out(about);
    out.write(value, "", 0);
    return std::move(out).take();
}

}  // namespace bevmesh::config
