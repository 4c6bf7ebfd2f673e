// FNV-1a, 64 bits (Fowler, Noll, Vo): tells apart what was not meant to differ. No defence against
// anybody who means to collide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bevmesh {

class fnv1a {
public:
    void add(unsigned char c) noexcept { state_ = (state_ ^ c) * 0x100000001b3ULL; }
    /// Only its characters: what must not run together with the next needs a mark of its own.
    void add(std::string_view text) noexcept {
        for (char const c : text)
            add(static_cast<unsigned char>(c));
    }

    [[nodiscard]] std::uint64_t value() const noexcept { return state_; }
    /// 16 digits.
    [[nodiscard]] std::string hex() const {
        std::string text;
        for (unsigned shift = 64; shift > 0;) {
            shift -= 4;
            text += "0123456789abcdef"[(state_ >> shift) & 15U];
        }
        return text;
    }

private:
    std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace bevmesh
