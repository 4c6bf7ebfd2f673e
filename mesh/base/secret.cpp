#include "mesh/base/secret.hpp"

#include <string.h>  // explicit_bzero

namespace bevmesh {

secret::secret(secret&& other) noexcept : text_(other.text_) {
    other.wipe();
}

secret& secret::operator=(secret const& other) {
    if (this != &other) {
        wipe();
        text_ = other.text_;
    }
    return *this;
}

secret& secret::operator=(secret&& other) noexcept {
    if (this != &other) {
        wipe();
        text_ = other.text_;
        other.wipe();
    }
    return *this;
}

secret::~secret() {
    wipe();
}

void secret::wipe() noexcept {
    if (!text_.empty()) ::explicit_bzero(text_.data(), text_.size());
    text_.clear();
}

bool operator==(secret const& a, secret const& b) noexcept {
    if (a.text_.size() != b.text_.size()) return false;
    unsigned different = 0;
    for (std::size_t i = 0; i < a.text_.size(); ++i)
        different |= static_cast<unsigned char>(a.text_[i] ^ b.text_[i]);
    return different == 0;
}

}  // namespace bevmesh
