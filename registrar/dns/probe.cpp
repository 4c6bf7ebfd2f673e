#include "registrar/dns/probe.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <memory>
#include <netdb.h>

#include "mesh/net/dns.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/resolv_conf.hpp"

namespace bevmesh::registrar::dns {
namespace {

reply reply_of(net::dns_answer const& answer) {
    reply made;
    if (!answer) {
        auto const code = answer.error().code;
        made.is = code == errc::not_found   ? outcome::missing
                  : code == errc::timed_out ? outcome::silent
                                            : outcome::refused;
        return made;
    }
    for (auto const& record : *answer)
        made.values.push_back(record.type == net::dns_type::srv
                                  ? record.target + ":" + std::to_string(record.port)
                                  : record.address);
    std::ranges::sort(made.values);
    made.is = made.values.empty() ? outcome::empty : outcome::found;
    return made;
}

reply ask_libc(std::string const& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    int const code = ::getaddrinfo(name.c_str(), nullptr, &hints, &first);
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> const owner(first, ::freeaddrinfo);
    reply made;
    if (code == EAI_NONAME)
        made.is = outcome::missing;
    else if (code == EAI_NODATA)
        made.is = outcome::missing;
    else if (code == EAI_AGAIN)
        made.is = outcome::silent;
    else if (code != 0)
        made.is = outcome::refused;
    if (code != 0) return made;
    for (auto const* at = first; at != nullptr; at = at->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                          NI_NUMERICHOST) == 0)
            made.values.emplace_back(text.data());
    }
    std::ranges::sort(made.values);
    made.is = made.values.empty() ? outcome::empty : outcome::found;
    return made;
}

}  // namespace

result<server_report> ask_server(std::string const& server, question_list const& questions) {
    auto const udp = net::make_dns_resolver(server, questions.timeout);
    if (!udp) return udp.error();
    auto const tcp = net::make_dns_resolver(server, questions.timeout, net::dns_transport::tcp);
    if (!tcp) return tcp.error();
    std::vector<net::dns_question> asked{{questions.missing, net::dns_type::a}};
    std::vector<net::dns_question> by_tcp;
    for (auto const& n : questions.names) {
        for (auto const type : {net::dns_type::a, net::dns_type::aaaa, net::dns_type::srv})
            asked.push_back({n, type});
        by_tcp.push_back({n, net::dns_type::a});
    }
    auto const answers = (*udp)->ask(asked);
    // Who is silent over UDP is not waited for once more.
    bool const silent = std::ranges::all_of(
        answers, [](auto const& a) { return reply_of(a).is == outcome::silent; });
    auto const again = silent ? std::vector<net::dns_answer>() : (*tcp)->ask(by_tcp);
    server_report made;
    made.server = server;
    made.missing = reply_of(answers[0]);
    for (std::size_t i = 0; i < questions.names.size(); ++i)
        made.names.push_back({questions.names[i], reply_of(answers[1 + 3 * i]),
                              reply_of(answers[2 + 3 * i]), reply_of(answers[3 + 3 * i]),
                              silent ? reply() : reply_of(again[i])});
    return made;
}

view_report ask_here(question_list const& questions) {
    auto const text = read_text("/etc/resolv.conf");
    auto conf = parse_resolv_conf(text ? text->value_or("") : std::string());
    if (conf.nameservers.empty()) conf.nameservers.emplace_back("127.0.0.1");
    view_report made;
    for (auto const& server : conf.nameservers) {
        bool const is_v6 = server.find(':') != std::string::npos;
        auto report = ask_server(is_v6 ? "[" + server + "]:53" : server, questions);
        if (!report) report = server_report{server, {}, {outcome::refused, {}}};
        report->server = server;
        made.servers.push_back(std::move(*report));
    }
    // Where no server answers, libc would wait for each of them again.
    bool const silent = std::ranges::all_of(
        made.servers, [](auto const& s) { return s.missing.is == outcome::silent; });
    for (auto const& n : questions.names)
        made.libc.push_back({n, silent ? reply() : ask_libc(n)});
    if (!silent) made.libc_missing = ask_libc(questions.missing);
    return made;
}

}  // namespace bevmesh::registrar::dns
