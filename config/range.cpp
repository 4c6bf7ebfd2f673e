// Addresses and subnets.
#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "config/format.hpp"

namespace bevmesh::config {

std::optional<address_range> parse_range(std::string_view text) {
    auto const slash = text.find('/');
    std::string const address(text.substr(0, slash));
    bool const is_v4 = address.find(':') == std::string::npos;
    // inet_pton stops at a NUL byte.
    if (address.find('\0') != std::string::npos) return {};
    address_range range;
    if (is_v4) {
        range.first[10] = range.first[11] = 0xff;
        if (inet_pton(AF_INET, address.c_str(), range.first.data() + 12) != 1) return {};
    } else if (inet_pton(AF_INET6, address.c_str(), range.first.data()) != 1) {
        return {};
    }
    if (slash == std::string_view::npos) return range;
    auto const prefix = parse_unsigned(text.substr(slash + 1));
    unsigned const most = is_v4 ? 32 : 128;
    if (!prefix || *prefix > most) return {};
    range.prefix = static_cast<unsigned>(*prefix) + (128 - most);
    return range;
}

bool address_range::contains(address_range const& other) const {
    if (other.prefix < prefix) return false;
    for (unsigned bit = 0; bit < prefix; ++bit) {
        unsigned const mask = 0x80U >> (bit % 8);
        if (((first[bit / 8] ^ other.first[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

}  // namespace bevmesh::config
