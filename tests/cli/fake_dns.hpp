// A DNS server on loopback, in a thread of its own, that knows what the test told it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bevmesh::testing {

class fake_dns {
public:
    fake_dns();
    ~fake_dns();
    fake_dns(fake_dns const&) = delete;
    fake_dns& operator=(fake_dns const&) = delete;

    void add_a(std::string const& name, std::string const& address);
    void add_aaaa(std::string const& name, std::string const& address);
    void add_srv(std::string const& name, std::uint16_t port, std::string const& target);
    /// An RCODE (2 SERVFAIL, 5 REFUSED) for every question about the name.
    void fail(std::string const& name, unsigned rcode);
    /// Answers nothing any more.
    void fall_silent();
    /// Over UDP every answer says that it is cut and is empty; TCP has the whole.
    void cut_udp();

    [[nodiscard]] std::string address() const;  // "127.0.0.1:PORT"
    [[nodiscard]] bool saw_edns() const;

private:
    using bytes = std::vector<std::uint8_t>;
    void serve();
    void serve_stream();
    [[nodiscard]] bytes respond(bytes const& query, bool over_udp);
    void add(std::string const& name, std::uint16_t type, bytes data);

    int datagrams_ = -1;
    int streams_ = -1;
    int wake_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex lock_;
    std::map<std::pair<std::string, std::uint16_t>, std::vector<bytes>> records_;
    std::map<std::string, unsigned> rcodes_;
    std::set<std::string> names_;
    bool silent_ = false;
    bool cut_ = false;
    bool edns_ = false;
    std::jthread thread_;
};

}  // namespace bevmesh::testing
