// The types that a schema is made of. Each reads a value from the tree, shows it again, and
// describes itself as JSON Schema (draft 2020-12): one description, so the three cannot disagree.
//
// read() tells the reader of every problem and leaves there what it could not read at its default,
// so that list indices and map keys stay true for whoever looks at the rest. Types are immutable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "config/reader.hpp"
#include "config/tree.hpp"

namespace bevmesh::config {

using json = nlohmann::ordered_json;

template <class T>
class type {
public:
    type() = default;
    type(type const&) = delete;
    type& operator=(type const&) = delete;
    virtual ~type() = default;

    virtual void read(node const& at, reader& in, T& out) const = 0;
    /// What read() would take for this value; null: nothing, its key is to be left out.
    [[nodiscard]] virtual json show(T const& value) const = 0;
    [[nodiscard]] virtual json schema() const = 0;
};

template <class T>
using type_of = std::shared_ptr<type<T> const>;

/// Text of a format.
[[nodiscard]] type_of<std::string> text(format const& as);
[[nodiscard]] type_of<std::string> one_of(std::vector<std::string> words);
[[nodiscard]] type_of<bool> boolean();
/// 1 to 65535.
[[nodiscard]] type_of<std::uint16_t> port();
[[nodiscard]] type_of<unsigned> count(unsigned least, unsigned most);
[[nodiscard]] type_of<milliseconds> duration(milliseconds least, milliseconds most);

/// The members of a mapping, which may be empty or nothing at all; null and a problem if it is
/// none.
[[nodiscard]] std::vector<member> const* members_of(node const& at, reader& in,
                                                    std::string const& expected);
/// The items of a list; null and a problem if it is none.
[[nodiscard]] std::vector<node> const* items_of(node const& at, reader& in,
                                                std::string const& expected);
/// Where a message about a member should point: the value if it stands in the key's line.
[[nodiscard]] position place_of(member const& m);

/// An absent key is no value.
template <class T>
class optional_type final : public type<std::optional<T>> {
public:
    explicit optional_type(type_of<T> inner) : inner_(std::move(inner)) {}

    void read(node const& at, reader& in, std::optional<T>& out) const override {
        inner_->read(at, in, out.emplace());
    }
    json show(std::optional<T> const& value) const override {
        return value ? inner_->show(*value) : json();
    }
    json schema() const override { return inner_->schema(); }

private:
    type_of<T> inner_;
};

/// A section whose default says that the thing is not there, which reads back only as no section.
template <class T>
class unless_absent_type final : public type<T> {
public:
    explicit unless_absent_type(type_of<T> inner) : inner_(std::move(inner)) {}

    void read(node const& at, reader& in, T& out) const override { inner_->read(at, in, out); }
    json show(T const& value) const override { return value == T{} ? json() : inner_->show(value); }
    json schema() const override { return inner_->schema(); }

private:
    type_of<T> inner_;
};

template <class T>
class list_type final : public type<std::vector<T>> {
public:
    list_type(type_of<T> item, std::string expected, std::size_t least)
        : item_(std::move(item)), expected_(std::move(expected)), least_(least) {}

    void read(node const& at, reader& in, std::vector<T>& out) const override {
        auto const* items = items_of(at, in, expected_);
        if (items == nullptr) return;
        if (items->size() < least_) in.report(at.at, "is an empty list", expected_);
        for (std::size_t i = 0; i < items->size(); ++i) {
            auto const inside = in.enter(i, (*items)[i].at);
            item_->read((*items)[i], in, out.emplace_back());
        }
    }
    json show(std::vector<T> const& values) const override {
        auto shown = json::array();
        for (auto const& value : values)
            shown.push_back(item_->show(value));
        return shown;
    }
    json schema() const override {
        json made{{"type", "array"}, {"items", item_->schema()}};
        if (least_ > 0) made["minItems"] = least_;
        return made;
    }

private:
    type_of<T> item_;
    std::string expected_;
    std::size_t least_;
};

template <class T>
class map_type final : public type<std::map<std::string, T>> {
public:
    map_type(format const& key, type_of<T> value, std::string expected)
        : key_(key), value_(std::move(value)), expected_(std::move(expected)) {}

    void read(node const& at, reader& in, std::map<std::string, T>& out) const override {
        auto const* members = members_of(at, in, expected_);
        if (members == nullptr) return;
        for (auto const& m : *members) {
            auto const inside = in.enter(m.key, place_of(m));
            if (!key_.accepts(m.key))
                in.report_key(m.at, in_quotes(m.key) + " is not valid as a key",
                              std::string(key_.expected));
            value_->read(m.value, in, out[m.key]);
        }
    }
    json show(std::map<std::string, T> const& values) const override {
        auto shown = json::object();
        for (auto const& [key, value] : values)
            shown[key] = value_->show(value);
        return shown;
    }
    json schema() const override {
        return {{"type", json::array({"object", "null"})},
                {"propertyNames", {{"pattern", key_.pattern}}},
                {"additionalProperties", value_->schema()}};
    }

private:
    format const& key_;
    type_of<T> value_;
    std::string expected_;
};

template <class T>
[[nodiscard]] type_of<std::optional<T>> optional(type_of<T> inner) {
    return std::make_shared<optional_type<T>>(std::move(inner));
}

template <class T>
[[nodiscard]] type_of<T> unless_absent(type_of<T> inner) {
    return std::make_shared<unless_absent_type<T>>(std::move(inner));
}

/// `expected`: "a list of tags, such as [cache, primary]".
template <class T>
[[nodiscard]] type_of<std::vector<T>> list(type_of<T> item, std::string expected,
                                           std::size_t least = 0) {
    return std::make_shared<list_type<T>>(std::move(item), std::move(expected), least);
}

/// `expected`: "a mapping of ports, such as {management: 15672}".
template <class T>
[[nodiscard]] type_of<std::map<std::string, T>> map(format const& key, type_of<T> value,
                                                    std::string expected) {
    return std::make_shared<map_type<T>>(key, std::move(value), std::move(expected));
}

}  // namespace bevmesh::config
