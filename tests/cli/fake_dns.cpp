#include "tests/cli/fake_dns.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bevmesh::testing {
namespace {

using bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t type_srv = 33;

void put16(bytes& to, std::uint16_t value) {
    to.push_back(static_cast<std::uint8_t>(value >> 8U));
    to.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

std::uint16_t get16(bytes const& from, std::size_t at) {
    return static_cast<std::uint16_t>((from.at(at) << 8U) | from.at(at + 1));
}

void put_name(bytes& to, std::string const& name) {
    std::size_t start = 0;
    while (start < name.size()) {
        auto const end = std::min(name.find('.', start), name.size());
        to.push_back(static_cast<std::uint8_t>(end - start));
        to.insert(to.end(), name.begin() + static_cast<std::ptrdiff_t>(start),
                  name.begin() + static_cast<std::ptrdiff_t>(end));
        start = end + 1;
    }
    to.push_back(0);
}

/// The question's name; `at` is moved behind it.
std::string get_name(bytes const& from, std::size_t& at) {
    std::string name;
    while (auto const length = from.at(at++)) {
        if (!name.empty()) name += '.';
        for (unsigned i = 0; i < length; ++i)
            name += static_cast<char>(from.at(at++));
    }
    return name;
}

bytes packed(int family, std::string const& address) {
    bytes data(family == AF_INET ? 4 : 16);
    if (::inet_pton(family, address.c_str(), data.data()) != 1) throw std::runtime_error(address);
    return data;
}

int bound_socket(int kind, std::uint16_t& port) {
    int const made = ::socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    auto* const generic = reinterpret_cast<sockaddr*>(&where);
    if (::bind(made, generic, size) != 0) {
        ::close(made);
        return -1;
    }
    ::getsockname(made, generic, &size);
    port = ntohs(where.sin_port);
    return made;
}

}  // namespace

fake_dns::fake_dns() : wake_(::eventfd(0, EFD_CLOEXEC)) {
    // The UDP port that the system gives may be somebody's TCP port.
    for (int attempt = 0; attempt < 20 && streams_ < 0; ++attempt) {
        if (datagrams_ >= 0) ::close(datagrams_);
        port_ = 0;
        datagrams_ = bound_socket(SOCK_DGRAM, port_);
        streams_ = bound_socket(SOCK_STREAM, port_);
    }
    if (streams_ < 0 || ::listen(streams_, 8) != 0) throw std::runtime_error("bind");
    thread_ = std::jthread([this] { serve(); });
}

fake_dns::~fake_dns() {
    ::eventfd_write(wake_, 1);
    thread_.join();
    for (int const fd : {datagrams_, streams_, wake_})
        ::close(fd);
}

void fake_dns::add(std::string const& name, std::uint16_t type, bytes data) {
    std::scoped_lock const held(lock_);
    names_.insert(name);
    records_[{name, type}].push_back(std::move(data));
}

void fake_dns::add_a(std::string const& name, std::string const& address) {
    add(name, type_a, packed(AF_INET, address));
}

void fake_dns::add_aaaa(std::string const& name, std::string const& address) {
    add(name, type_aaaa, packed(AF_INET6, address));
}

void fake_dns::add_srv(std::string const& name, std::uint16_t port, std::string const& target) {
    bytes data;
    put16(data, 1);
    put16(data, 1);
    put16(data, port);
    put_name(data, target);
    add(name, type_srv, std::move(data));
}

void fake_dns::fail(std::string const& name, unsigned rcode) {
    std::scoped_lock const held(lock_);
    rcodes_[name] = rcode;
}

void fake_dns::fall_silent() {
    std::scoped_lock const held(lock_);
    silent_ = true;
}

void fake_dns::cut_udp() {
    std::scoped_lock const held(lock_);
    cut_ = true;
}

std::string fake_dns::address() const {
    return "127.0.0.1:" + std::to_string(port_);
}

bool fake_dns::saw_edns() const {
    std::scoped_lock const held(lock_);
    return edns_;
}

void fake_dns::serve() {
    std::array<pollfd, 3> watched{
        {{datagrams_, POLLIN, 0}, {streams_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    while (::poll(watched.data(), watched.size(), -1) > 0 && watched[2].revents == 0) {
        if (watched[1].revents != 0) serve_stream();
        if (watched[0].revents == 0) continue;
        bytes query(4096);
        sockaddr_in from{};
        socklen_t size = sizeof from;
        auto* const peer = reinterpret_cast<sockaddr*>(&from);
        auto const got = ::recvfrom(datagrams_, query.data(), query.size(), 0, peer, &size);
        if (got <= 0) continue;
        query.resize(static_cast<std::size_t>(got));
        auto const answer = respond(query, true);
        if (!answer.empty()) ::sendto(datagrams_, answer.data(), answer.size(), 0, peer, size);
    }
}

/// One connection, until its peer closes: messages with their length before them (RFC 1035 4.2.2).
void fake_dns::serve_stream() {
    int const peer = ::accept4(streams_, nullptr, nullptr, SOCK_CLOEXEC);
    bytes head(2);
    while (::recv(peer, head.data(), 2, MSG_WAITALL) == 2) {
        bytes query(get16(head, 0));
        if (::recv(peer, query.data(), query.size(), MSG_WAITALL) <= 0) break;
        auto const answer = respond(query, false);
        if (answer.empty()) break;
        bytes message;
        put16(message, static_cast<std::uint16_t>(answer.size()));
        message.insert(message.end(), answer.begin(), answer.end());
        ::send(peer, message.data(), message.size(), MSG_NOSIGNAL);
    }
    ::close(peer);
}

fake_dns::bytes fake_dns::respond(bytes const& query, bool over_udp) {
    std::scoped_lock const held(lock_);
    if (silent_) return {};
    std::size_t at = 12;
    auto const name = get_name(query, at);
    auto const type = get16(query, at);
    at += 4;
    edns_ = edns_ || get16(query, 10) > 0;
    auto const failing = rcodes_.find(name);
    unsigned const rcode = failing != rcodes_.end() ? failing->second
                           : names_.contains(name)  ? 0U
                                                    : 3U;
    bool const cut = cut_ && over_udp;
    std::vector<bytes> answers;
    if (auto const found = records_.find({name, type}); found != records_.end() && !cut)
        answers = found->second;
    bytes made(query.begin(), query.begin() + 2);
    put16(made, static_cast<std::uint16_t>(0x8400U | (cut ? 0x0200U : 0U) | rcode));
    put16(made, 1);
    put16(made, static_cast<std::uint16_t>(answers.size()));
    put16(made, 0);
    put16(made, 0);
    made.insert(made.end(), query.begin() + 12, query.begin() + static_cast<std::ptrdiff_t>(at));
    for (auto const& data : answers) {
        put16(made, 0xc00c);  // the name of the question
        put16(made, type);
        put16(made, 1);
        put16(made, 0);
        put16(made, 0);
        put16(made, static_cast<std::uint16_t>(data.size()));
        made.insert(made.end(), data.begin(), data.end());
    }
    return made;
}

}  // namespace bevmesh::testing
