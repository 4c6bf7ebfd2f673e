// Mappings with known keys: the fields of a struct, each with its type, its default and a sentence.
//
// The default of a field is what a default-constructed T has there; it is not written down again.
// A key that nobody declared is a problem, with the nearest key that somebody did.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/type.hpp"

namespace bevmesh::config {

template <class T>
struct field {
    std::string key;
    std::string doc;
    bool required = false;
    std::function<void(node const&, reader&, T&)> read;
    std::function<json(T const&)> show;
    std::function<json()> schema;

    [[nodiscard]] field mandatory() && {
        required = true;
        return std::move(*this);
    }
};

/// The key `name` is the member of T.
template <class T, class M>
[[nodiscard]] field<T> key(std::string name, M T::* member, type_of<M> as, std::string doc) {
    return {std::move(name),
            std::move(doc),
            false,
            [=](node const& at, reader& in, T& out) { as->read(at, in, out.*member); },
            [=](T const& value) { return as->show(value.*member); },
            [=] { return as->schema(); }};
}

/// The same, and a document without the key is wrong.
template <class T, class M>
[[nodiscard]] field<T> required(std::string name, M T::* member, type_of<M> as, std::string doc) {
    return key(std::move(name), member, std::move(as), std::move(doc)).mandatory();
}

/// The key `name` is a mapping whose fields are members of the same T.
template <class T>
[[nodiscard]] field<T> group(std::string name, type_of<T> as, std::string doc) {
    return {std::move(name),
            std::move(doc),
            false,
            [=](node const& at, reader& in, T& out) { as->read(at, in, out); },
            [=](T const& value) { return as->show(value); },
            [=] { return as->schema(); }};
}

namespace detail {

void report_unknown(member const& m, reader& in, std::vector<std::string> const& known);
void report_missing(std::string const& key, position at, reader& in, std::string const& doc);
/// "", [], {} and 0: not shown where it is the default, as it says nothing.
[[nodiscard]] bool says_nothing(json const& value);

}  // namespace detail

template <class T>
class fields {
public:
    explicit fields(std::vector<field<T>> all) : all_(std::move(all)) {}

    /// Reads the member if its key is one of these.
    [[nodiscard]] bool take(member const& m, reader& in, T& out) const {
        for (auto const& f : all_) {
            if (f.key != m.key) continue;
            auto const inside = in.enter(m.key, place_of(m));
            f.read(m.value, in, out);
            return true;
        }
        return false;
    }
    void report_missing(std::vector<member> const& members, position at, reader& in) const {
        for (auto const& f : all_) {
            auto const has_key = [&](member const& m) { return m.key == f.key; };
            if (f.required && std::ranges::none_of(members, has_key))
                detail::report_missing(f.key, at, in, f.doc);
        }
    }
    void show(T const& value, json& into) const {
        T const initial{};
        for (auto const& f : all_) {
            auto shown = f.show(value);
            bool const is_default = shown == f.show(initial);
            if (shown.is_null() || (is_default && detail::says_nothing(shown))) continue;
            into[f.key] = std::move(shown);
        }
    }
    void describe(json& properties, json& required) const {
        T const initial{};
        for (auto const& f : all_) {
            auto& property = properties[f.key] = f.schema();
            property["description"] = f.doc;
            auto const standard = f.show(initial);
            if (f.required)
                required.push_back(f.key);
            else if (!standard.is_structured() && !standard.is_null() &&
                     !detail::says_nothing(standard))
                property["default"] = standard;
        }
    }
    [[nodiscard]] std::vector<std::string> keys() const {
        std::vector<std::string> names;
        for (auto const& f : all_)
            names.push_back(f.key);
        return names;
    }

private:
    std::vector<field<T>> all_;
};

template <class T>
class object_type final : public type<T> {
public:
    object_type(std::string expected, std::vector<field<T>> all)
        : expected_(std::move(expected)), fields_(std::move(all)) {}

    void read(node const& at, reader& in, T& out) const override {
        auto const* members = members_of(at, in, expected_);
        if (members == nullptr) return;
        for (auto const& m : *members)
            if (!fields_.take(m, in, out)) detail::report_unknown(m, in, fields_.keys());
        fields_.report_missing(*members, in.where().of(in.path()), in);
    }
    json show(T const& value) const override {
        auto shown = json::object();
        fields_.show(value, shown);
        return shown;
    }
    json schema() const override {
        auto properties = json::object();
        auto required = json::array();
        fields_.describe(properties, required);
        json made{{"type", required.empty() ? json::array({"object", "null"}) : json("object")},
                  {"additionalProperties", false},
                  {"properties", std::move(properties)}};
        if (!required.empty()) made["required"] = std::move(required);
        return made;
    }

private:
    std::string expected_;
    fields<T> fields_;
};

/// `expected`: "a node, such as {address: 10.0.0.1}".
template <class T>
[[nodiscard]] type_of<T> object(std::string expected, std::vector<field<T>> all) {
    return std::make_shared<object_type<T>>(std::move(expected), std::move(all));
}

}  // namespace bevmesh::config
