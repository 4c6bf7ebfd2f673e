#include "mesh/net/dns.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <array>
#include <cerrno>
#include <netdb.h>
#include <optional>
#include <poll.h>

#include <ares.h>

#include "mesh/net/clock.hpp"
#include "mesh/net/http.hpp"

namespace bevmesh::net {
namespace {

constexpr std::uint16_t dns_port = 53;
// What resolvers of today accept unfragmented on loopback and mesh; Consul sends up to 4096.
constexpr int edns_size = 4096;

struct ares_deleter {
    void operator()(ares_channeldata* channel) const { ares_destroy(channel); }
};
using channel_ptr = std::unique_ptr<ares_channeldata, ares_deleter>;

errc code_of(int status) {
    switch (status) {
        case ARES_ENOTFOUND:
            return errc::not_found;
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:  // by us, at the deadline
            return errc::timed_out;
        case ARES_ECONNREFUSED:
            return errc::unreachable;
        case ARES_ESERVFAIL:
        case ARES_EREFUSED:
        case ARES_ENOTIMP:
            return errc::remote_error;
        case ARES_EFORMERR:
        case ARES_EBADRESP:
            return errc::bad_answer;
        case ARES_EBADNAME:
            return errc::bad_input;
        default:
            return errc::local_error;
    }
}

std::string reason_of(int status) {
    switch (status) {
        case ARES_ENOTFOUND:
            return "there is no such name (NXDOMAIN)";
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:
            return "no answer in time";
        case ARES_ESERVFAIL:
            return "the server failed (SERVFAIL)";
        case ARES_EREFUSED:
            return "the server refuses (REFUSED)";
        case ARES_ECONNREFUSED:
            return "nobody listens there, or every server failed";
        default:
            return ares_strerror(status);
    }
}

template <int Family, class Address>
std::string text_of(Address const& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(Family, &address, text.data(), text.size());
    return text.data();
}

dns_record address_record(dns_type type, std::string address) {
    dns_record r;
    r.type = type;
    r.address = std::move(address);
    return r;
}

/// c-ares' limit per answer; Consul's own is below it.
constexpr std::size_t addresses_max = 512;

int decode_a(unsigned char const* data, int size, std::vector<dns_record>& records) {
    std::vector<ares_addrttl> found(addresses_max);
    int count = addresses_max;
    int const status = ares_parse_a_reply(data, size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status;
    found.resize(static_cast<std::size_t>(std::max(count, 0)));
    for (auto const& one : found)
        records.push_back(address_record(dns_type::a, text_of<AF_INET>(one.ipaddr)));
    return status;
}

int decode_aaaa(unsigned char const* data, int size, std::vector<dns_record>& records) {
    std::vector<ares_addr6ttl> found(addresses_max);
    int count = addresses_max;
    int const status = ares_parse_aaaa_reply(data, size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status;
    found.resize(static_cast<std::size_t>(std::max(count, 0)));
    for (auto const& one : found)
        records.push_back(address_record(dns_type::aaaa, text_of<AF_INET6>(one.ip6addr)));
    return status;
}

int decode_srv(unsigned char const* data, int size, std::vector<dns_record>& records) {
    ares_srv_reply* first = nullptr;
    int const status = ares_parse_srv_reply(data, size, &first);
    for (auto const* r = first; r != nullptr; r = r->next)
        records.push_back({dns_type::srv, "", r->host, r->port, r->priority, r->weight});
    if (first != nullptr) ares_free_data(first);
    return status;
}

int decode(dns_type type, unsigned char const* data, int size, std::vector<dns_record>& records) {
    switch (type) {
        case dns_type::a:
            return decode_a(data, size, records);
        case dns_type::aaaa:
            return decode_aaaa(data, size, records);
        case dns_type::srv:
            break;
    }
    return decode_srv(data, size, records);
}

int wire_type(dns_type type) {
    return type == dns_type::a ? ns_t_a : type == dns_type::aaaa ? ns_t_aaaa : ns_t_srv;
}

std::vector<std::string> servers_of(ares_channel channel) {
    std::vector<std::string> all;
    ares_addr_port_node* first = nullptr;
    if (ares_get_servers_ports(channel, &first) != ARES_SUCCESS) return all;
    for (auto const* s = first; s != nullptr; s = s->next) {
        endpoint e;
        e.host = s->family == AF_INET ? text_of<AF_INET>(s->addr.addr4)
                                      : text_of<AF_INET6>(s->addr.addr6);
        e.port = static_cast<std::uint16_t>(s->udp_port == 0 ? dns_port : s->udp_port);
        all.push_back(to_string(e));
    }
    ares_free_data(first);
    return all;
}

/// One question in flight. Its address is c-ares' argument: it must not move.
struct pending {
    dns_question question;
    std::optional<int> status;
    std::vector<dns_record> records;
};

void on_answer(void* argument, int status, int, unsigned char* data, int size) {
    auto& p = *static_cast<pending*>(argument);
    if (status == ARES_SUCCESS) status = decode(p.question.type, data, size, p.records);
    // The name exists with records of other types.
    p.status = status == ARES_ENODATA ? ARES_SUCCESS : status;
}

class ares_resolver final : public dns_resolver {
public:
    ares_resolver(channel_ptr channel, milliseconds timeout)
        : channel_(std::move(channel)), timeout_(timeout) {}

    std::vector<dns_answer> ask(std::vector<dns_question> const& questions) override {
        std::vector<pending> all;
        all.reserve(questions.size());
        for (auto const& q : questions)
            all.push_back({q, {}, {}});
        for (auto& p : all)
            ares_query(channel_.get(), p.question.name.c_str(), ns_c_in, wire_type(p.question.type),
                       on_answer, &p);
        wait(all);
        std::vector<dns_answer> answers;
        for (auto& p : all) {
            if (*p.status == ARES_SUCCESS)
                answers.emplace_back(std::move(p.records));
            else
                answers.emplace_back(
                    failure{code_of(*p.status), "DNS " + std::string(name(p.question.type)) + " " +
                                                    p.question.name + " at " + where() + ": " +
                                                    reason_of(*p.status)});
        }
        return answers;
    }

    std::vector<std::string> servers() const override { return servers_of(channel_.get()); }

private:
    /// Until every question has a status; after the deadline c-ares is told to give them one.
    void wait(std::vector<pending> const& all) {
        auto const open = [](pending const& p) { return !p.status.has_value(); };
        auto const deadline = now() + timeout_;
        while (std::ranges::any_of(all, open)) {
            auto const left = std::chrono::ceil<milliseconds>(deadline - now());
            if (left.count() <= 0)
                ares_cancel(channel_.get());
            else
                step(left);
        }
    }

    /// Waits for the sockets, for c-ares' own next retry, and no longer than `limit`.
    void step(milliseconds limit) {
        std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
        auto const mask = static_cast<unsigned>(
            ares_getsock(channel_.get(), sockets.data(), ARES_GETSOCK_MAXNUM));
        std::vector<pollfd> watched;
        for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
            short events = 0;
            if (ARES_GETSOCK_READABLE(mask, i)) events |= POLLIN;
            if (ARES_GETSOCK_WRITABLE(mask, i)) events |= POLLOUT;
            if (events != 0) watched.push_back({sockets[i], events, 0});
        }
        timeval longest{limit.count() / 1000, (limit.count() % 1000) * 1000};
        timeval retry{};
        auto const* const next = ares_timeout(channel_.get(), &longest, &retry);
        auto const wait_ms = next->tv_sec * 1000 + (next->tv_usec + 999) / 1000;
        int const ready = ::poll(watched.data(), watched.size(), static_cast<int>(wait_ms));
        if (ready <= 0) {
            ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            return;
        }
        for (auto const& w : watched) {
            bool const in = (w.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
            bool const out = (w.revents & (POLLOUT | POLLERR)) != 0;
            if (in || out)
                ares_process_fd(channel_.get(), in ? w.fd : ARES_SOCKET_BAD,
                                out ? w.fd : ARES_SOCKET_BAD);
        }
    }

    [[nodiscard]] std::string where() const {
        std::string all;
        for (auto const& s : servers())
            all += (all.empty() ? "" : ", ") + s;
        return all;
    }

    channel_ptr channel_;
    milliseconds timeout_;
};

result<ares_addr_port_node> parse_server(std::string const& text) {
    ares_addr_port_node node{};
    auto const where = parse_endpoint(text, dns_port);
    if (where && where->transport == endpoint::kind::tcp) {
        node.udp_port = node.tcp_port = where->port;
        node.family = AF_INET;
        if (::inet_pton(AF_INET, where->host.c_str(), &node.addr.addr4) == 1) return node;
        node.family = AF_INET6;
        if (::inet_pton(AF_INET6, where->host.c_str(), &node.addr.addr6) == 1) return node;
    }
    return failure{errc::bad_input, "\"" + text +
                                        "\" is not the address of a DNS server; expected " +
                                        "ADDRESS or ADDRESS:PORT, such as 127.0.0.1:8600"};
}

/// `only_server`: nobody else can be asked, so that SERVFAIL and REFUSED are the answer. With
/// several servers c-ares goes on to the next, as libc does, and keeps no record of why.
result<channel_ptr> make_channel(milliseconds timeout, bool only_server, dns_transport transport) {
    static int const initialized = ares_library_init(ARES_LIB_INIT_ALL);
    ares_options options{};
    options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    if (only_server) options.flags |= ARES_FLAG_NOCHECKRESP;
    if (transport == dns_transport::tcp) options.flags |= ARES_FLAG_USEVC;
    options.ednspsz = edns_size;
    // The second try waits twice as long: both together fill the time there is.
    options.timeout = static_cast<int>(std::max<milliseconds::rep>(timeout.count() / 3, 1));
    options.tries = 2;
    int const mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    ares_channel made = nullptr;
    int const status =
        initialized != ARES_SUCCESS ? initialized : ares_init_options(&made, &options, mask);
    if (status != ARES_SUCCESS)
        return failure{errc::local_error, "set up DNS: " + std::string(ares_strerror(status))};
    return channel_ptr(made);
}

}  // namespace

std::string_view name(dns_type type) noexcept {
    return type == dns_type::a ? "A" : type == dns_type::aaaa ? "AAAA" : "SRV";
}

result<std::unique_ptr<dns_resolver>> make_dns_resolver(std::string const& server,
                                                        milliseconds timeout,
                                                        dns_transport transport) {
    auto channel = make_channel(timeout, !server.empty(), transport);
    if (!channel) return channel.error();
    if (!server.empty()) {
        auto node = parse_server(server);
        if (!node) return node.error();
        int const status = ares_set_servers_ports(channel->get(), &*node);
        if (status != ARES_SUCCESS)
            return failure{errc::local_error,
                           "ask " + server + ": " + std::string(ares_strerror(status))};
    } else if (servers_of(channel->get()).size() == 1) {
        channel = make_channel(timeout, true, transport);
        if (!channel) return channel.error();
    }
    return std::make_unique<ares_resolver>(std::move(*channel), timeout);
}

}  // namespace bevmesh::net
