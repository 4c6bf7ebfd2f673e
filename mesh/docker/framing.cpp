#include "mesh/docker/framing.hpp"

namespace bevmesh::docker {

namespace {

constexpr char record_separator = '\x1e';

bool is_edge(char c) {
    return c == record_separator || c == '\n' || c == '\r' || c == ' ';
}

}  // namespace

result<void> document_splitter::feed(std::string_view bytes) {
    pending_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
    pending_.append(bytes);
    auto const end = pending_.find_first_of("\n\x1e", scanned_);
    if (end == std::string::npos && pending_.size() > length_max_) {
        return failure{errc::too_large, "a line of more than " + std::to_string(length_max_) +
                                            " bytes begins with " + pending_.substr(0, 60)};
    }
    return {};
}

std::optional<std::string> document_splitter::next() {
    for (;;) {
        while (at_ < pending_.size() && is_edge(pending_[at_]))
            ++at_;
        if (scanned_ < at_) scanned_ = at_;
        auto const end = pending_.find_first_of("\n\x1e", scanned_);
        if (end == std::string::npos) {
            scanned_ = pending_.size();
            return std::nullopt;
        }
        auto text = pending_.substr(at_, end - at_);
        at_ = end + 1;
        scanned_ = at_;
        while (!text.empty() && is_edge(text.back()))
            text.pop_back();
        if (!text.empty()) return text;
    }
}

result<exec_output> demultiplex(std::string_view stream) {
    constexpr std::size_t header_size = 8;
    exec_output out;
    while (!stream.empty()) {
        if (stream.size() < header_size) {
            return failure{errc::truncated, "the output ends in a header"};
        }
        auto const which = stream[0];
        if (which < 0 || which > 2 || stream[1] != 0 || stream[2] != 0 || stream[3] != 0) {
            return failure{errc::bad_answer, "the output is not multiplexed"};
        }
        std::size_t length = 0;
        for (std::size_t i = 4; i < header_size; ++i) {
            length = (length << 8U) | static_cast<unsigned char>(stream[i]);
        }
        stream.remove_prefix(header_size);
        if (stream.size() < length) return failure{errc::truncated, "the output breaks off"};
        (which == 2 ? out.err : out.out).append(stream.substr(0, length));
        stream.remove_prefix(length);
    }
    return out;
}

}  // namespace bevmesh::docker
