// A string that cannot be printed by accident: tokens, passwords, keys.
//
// It has no stream or fmt operator, compares in constant time, and wipes its memory when it goes.
// The only way to the text is reveal(), which a reviewer can search for.
#pragma once

#include <string>
#include <string_view>

namespace bevmesh {

class secret {
public:
    secret() = default;
    explicit secret(std::string text) : text_(std::move(text)) {}
    secret(secret const&) = default;
    secret(secret&& other) noexcept;
    secret& operator=(secret const& other);
    secret& operator=(secret&& other) noexcept;
    ~secret();

    /// For the one line that puts it on the wire.
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

    friend bool operator==(secret const& a, secret const& b) noexcept;

private:
    void wipe() noexcept;
    std::string text_;
};

}  // namespace bevmesh
