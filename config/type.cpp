// The types of scalars.
#include "config/type.hpp"

#include <algorithm>

namespace bevmesh::config {
namespace {

// The text of a scalar; null and a problem if it is none.
std::string const* scalar_of(node const& at, reader& in, std::string const& expected) {
    if (at.type == node::kind::scalar) return &at.text;
    in.report(at.at, at.type == node::kind::null ? "has no value" : "is " + describe(at), expected);
    return nullptr;
}

class text_type final : public type<std::string> {
public:
    explicit text_type(format const& as) : as_(as) {}

    void read(node const& at, reader& in, std::string& out) const override {
        std::string const expected(as_.expected);
        auto const* text = scalar_of(at, in, expected);
        if (text == nullptr) return;
        if (text->empty() && !as_.accepts(*text))
            in.report(at.at, "is empty", expected + ", or the key left out");
        else if (!as_.accepts(*text))
            in.report(at.at, in_quotes(*text) + " is not valid", expected);
        out = *text;
    }
    json show(std::string const& value) const override { return value; }
    json schema() const override { return {{"type", "string"}, {"pattern", as_.pattern}}; }

private:
    format const& as_;
};

class word_type final : public type<std::string> {
public:
    explicit word_type(std::vector<std::string> words) : words_(std::move(words)) {
        for (auto const& word : words_)
            expected_ += (expected_.empty() ? "" : ", ") + word;
        expected_ = "one of " + expected_;
    }

    void read(node const& at, reader& in, std::string& out) const override {
        auto const* text = scalar_of(at, in, expected_);
        if (text == nullptr) return;
        if (std::ranges::find(words_, *text) == words_.end())
            in.report(at.at, in_quotes(*text) + " is not known" + did_you_mean(*text, words_),
                      expected_);
        else
            out = *text;
    }
    json show(std::string const& value) const override { return value; }
    json schema() const override { return {{"enum", words_}}; }

private:
    std::vector<std::string> words_;
    std::string expected_;
};

class boolean_type final : public type<bool> {
public:
    void read(node const& at, reader& in, bool& out) const override {
        auto const* text = scalar_of(at, in, "true or false");
        if (text == nullptr) return;
        if (at.quoted || (*text != "true" && *text != "false"))
            in.report(at.at, "is " + describe(at), "true or false");
        else
            out = *text == "true";
    }
    json show(bool const& value) const override { return value; }
    json schema() const override { return {{"type", "boolean"}}; }
};

template <class T>
class number_type final : public type<T> {
public:
    number_type(T least, T most, std::string expected)
        : least_(least), most_(most), expected_(std::move(expected)) {}

    void read(node const& at, reader& in, T& out) const override {
        auto const* text = scalar_of(at, in, expected_);
        if (text == nullptr) return;
        auto const value = parse_unsigned(*text);
        if (!value || at.quoted)
            in.report(at.at, "is " + describe(at), expected_ + (at.quoted ? ", no quotes" : ""));
        else if (*value < least_ || *value > most_)
            in.report(at.at, *text + " is out of range", expected_);
        else
            out = static_cast<T>(*value);
    }
    json show(T const& value) const override { return value; }
    json schema() const override {
        return {{"type", "integer"}, {"minimum", least_}, {"maximum", most_}};
    }

private:
    T least_;
    T most_;
    std::string expected_;
};

class duration_type final : public type<milliseconds> {
public:
    duration_type(milliseconds least, milliseconds most) : least_(least), most_(most) {
        expected_ = "a duration from " + format_duration(least) + " to " + format_duration(most) +
                    ", such as 500ms, 30s or 1m30s";
    }

    void read(node const& at, reader& in, milliseconds& out) const override {
        auto const* text = scalar_of(at, in, expected_);
        if (text == nullptr) return;
        auto const value = parse_duration(*text);
        if (!value && parse_unsigned(*text))
            in.report(at.at, *text + " has no unit", expected_);
        else if (!value)
            in.report(at.at, in_quotes(*text) + " is not a duration", expected_);
        else if (*value < least_ || *value > most_)
            in.report(at.at, *text + " is out of range", expected_);
        else
            out = *value;
    }
    json show(milliseconds const& value) const override { return format_duration(value); }
    json schema() const override {
        return {{"type", "string"}, {"pattern", "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"}};
    }

private:
    milliseconds least_;
    milliseconds most_;
    std::string expected_;
};

}  // namespace

type_of<std::string> text(format const& as) {
    return std::make_shared<text_type>(as);
}

type_of<std::string> one_of(std::vector<std::string> words) {
    return std::make_shared<word_type>(std::move(words));
}

type_of<bool> boolean() {
    return std::make_shared<boolean_type>();
}

type_of<std::uint16_t> port() {
    return std::make_shared<number_type<std::uint16_t>>(std::uint16_t{1}, std::uint16_t{65535},
                                                        "a port from 1 to 65535");
}

type_of<unsigned> count(unsigned least, unsigned most) {
    return std::make_shared<number_type<unsigned>>(
        least, most,
        "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

type_of<milliseconds> duration(milliseconds least, milliseconds most) {
    return std::make_shared<duration_type>(least, most);
}

std::vector<member> const* members_of(node const& at, reader& in, std::string const& expected) {
    if (at.type == node::kind::map || at.type == node::kind::null) return &at.members;
    in.report(at.at, "is " + describe(at), expected);
    return nullptr;
}

std::vector<node> const* items_of(node const& at, reader& in, std::string const& expected) {
    if (at.type == node::kind::sequence) return &at.items;
    in.report(at.at, at.type == node::kind::null ? "has no value" : "is " + describe(at), expected);
    return nullptr;
}

position place_of(member const& m) {
    return m.value.at.line == m.at.line && m.value.type != node::kind::null ? m.value.at : m.at;
}

}  // namespace bevmesh::config
