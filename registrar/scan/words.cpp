#include "registrar/scan/words.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "registrar/scan/value.hpp"

namespace bevmesh::registrar::scan {
namespace {

using pair = std::pair<std::string_view, std::string_view>;

constexpr std::array families{
    pair{"postgres", "postgres"},
    pair{"postgresql", "postgres"},
    pair{"pg", "postgres"},
    pair{"psql", "postgres"},
    pair{"pgsql", "postgres"},
    pair{"pgvector", "postgres"},
    pair{"pgbouncer", "postgres"},
    pair{"redis", "redis"},
    pair{"rediss", "redis"},
    pair{"valkey", "redis"},
    pair{"amqp", "rabbitmq"},
    pair{"amqps", "rabbitmq"},
    pair{"rabbitmq", "rabbitmq"},
    pair{"rabbit", "rabbitmq"},
    pair{"rabbitmqadmin", "rabbitmq"},
    pair{"bolt", "neo4j"},
    pair{"neo4j", "neo4j"},
    pair{"cypher", "neo4j"},
    pair{"graphdb", "neo4j"},
    pair{"kafka", "kafka"},
    pair{"bootstrap", "kafka"},
    pair{"brokers", "kafka"},
    pair{"zookeeper", "zookeeper"},
    pair{"zk", "zookeeper"},
    pair{"zkcli", "zookeeper"},
    pair{"elasticsearch", "elasticsearch"},
    pair{"elastic", "elasticsearch"},
    pair{"es", "elasticsearch"},
    pair{"opensearch", "elasticsearch"},
    pair{"influxdb", "influxdb"},
    pair{"influx", "influxdb"},
    pair{"mongodb", "mongodb"},
    pair{"mongo", "mongodb"},
    pair{"mysql", "mysql"},
    pair{"mariadb", "mysql"},
    pair{"memcached", "memcached"},
    pair{"memcache", "memcached"},
    pair{"prometheus", "prometheus"},
    pair{"prom", "prometheus"},
    pair{"grafana", "grafana"},
    pair{"alertmanager", "alertmanager"},
    pair{"vault", "vault"},
    pair{"tor", "tor"},
    pair{"nats", "nats"},
    pair{"minio", "minio"},
};

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 24> scheme_ports{{
    {"http", 80},       {"https", 443},       {"ws", 80},        {"wss", 443},
    {"postgres", 5432}, {"postgresql", 5432}, {"redis", 6379},   {"rediss", 6379},
    {"amqp", 5672},     {"amqps", 5671},      {"bolt", 7687},    {"bolt+s", 7687},
    {"bolt+ssc", 7687}, {"neo4j", 7687},      {"neo4j+s", 7687}, {"neo4j+ssc", 7687},
    {"mongodb", 27017}, {"mysql", 3306},      {"mariadb", 3306}, {"kafka", 9092},
    {"socks5", 1080},   {"socks5h", 1080},    {"ldap", 389},     {"nats", 4222},
}};

constexpr std::array<std::string_view, 22> host_words{
    "host",    "hosts",    "hostname",  "address",  "addr",       "addresses", "ip",   "server",
    "servers", "endpoint", "endpoints", "url",      "uri",        "dsn",       "urls", "uris",
    "target",  "targets",  "brokers",   "upstream", "connection", "hostnames"};

constexpr std::array<std::string_view, 8> glued{"hostname", "host", "port",   "addr",
                                                "address",  "url",  "server", "uri"};

template <std::size_t N>
bool among(std::array<std::string_view, N> const& all, std::string_view word) {
    return std::ranges::find(all, word) != all.end();
}

constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

void add_word(words& to, std::string word) {
    if (word.empty()) return;
    for (auto const end : glued) {
        if (word.size() < end.size() + 2 || !word.ends_with(end)) continue;
        to.push_back(word.substr(0, word.size() - end.size()));
        to.emplace_back(end);
        return;
    }
    to.push_back(std::move(word));
}

}  // namespace

words words_of(std::string_view key) {
    words made;
    std::string word;
    for (std::size_t i = 0; i < key.size(); ++i) {
        char const c = key[i];
        bool const part = is_letter(c) || is_digit(c);
        // redisHost, HTTPServer: a capital after a small letter, or before one.
        bool const begins = is_upper(c) && i > 0 &&
                            ((is_letter(key[i - 1]) && !is_upper(key[i - 1])) ||
                             (is_upper(key[i - 1]) && i + 1 < key.size() && is_letter(key[i + 1]) &&
                              !is_upper(key[i + 1])));
        if (!part || begins) add_word(made, std::exchange(word, {}));
        if (part) word += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    }
    add_word(made, std::move(word));
    return made;
}

bool has_word(words const& in, std::string_view word) noexcept {
    return std::ranges::find(in, word) != in.end();
}

bool names_host(words const& key) {
    return std::ranges::any_of(key, [](auto const& word) { return among(host_words, word); });
}

bool names_secret(words const& key) {
    constexpr std::array<std::string_view, 9> telling{
        "password", "passwd", "secret", "token", "pass", "apikey", "credentials", "pwd", "auth"};
    if (has_word(key, "proxy")) return false;  // nginx's proxy_pass
    return std::ranges::any_of(key,
                               [&](auto const& word) {
                                   return std::ranges::find(telling, word) != telling.end();
                               }) ||
           (has_word(key, "api") && has_word(key, "key")) ||
           (has_word(key, "private") && has_word(key, "key"));
}

words subject_of(words const& key) {
    words left;
    for (auto const& word : key)
        if (!among(host_words, word) && word != "port" && word != "ports") left.push_back(word);
    return left;
}

std::string_view family_of(std::string_view word) noexcept {
    auto const found = std::ranges::find(families, word, &pair::first);
    return found == families.end() ? std::string_view() : found->second;
}

std::string_view family_of_service(std::string_view service) {
    for (auto const& word : words_of(service))
        if (auto const family = family_of(word); !family.empty()) return family;
    return {};
}

unsigned fits(words const& key, std::string_view service) {
    auto const own = words_of(service);
    if (own.empty()) return 0;
    // REDISHOST of some, ALERT_MANAGER of others: also without what is between the words.
    auto const whole = std::ranges::search(key, own);
    if (!whole.empty()) return 2 + static_cast<unsigned>(own.size());
    std::string glued_name, glued_key;
    for (auto const& word : own)
        glued_name += word;
    for (auto const& word : key)
        glued_key += word;
    if (glued_name.size() >= 5 && glued_key.find(glued_name) != std::string::npos)
        return 2 + static_cast<unsigned>(own.size());
    auto const family = family_of_service(service);
    bool const same = !family.empty() && std::ranges::any_of(key, [&](auto const& word) {
        return family_of(word) == family;
    });
    // A name of more words than its family is of something beside it: neo4j-browser.
    return same ? (own.size() == 1 ? 2U : 1U) : 0U;
}

std::optional<std::uint16_t> port_of_scheme(std::string_view scheme) noexcept {
    auto const find = [](std::string_view s) {
        return std::ranges::find(scheme_ports, s,
                                 &std::pair<std::string_view, std::uint16_t>::first);
    };
    auto found = find(scheme);
    if (found == scheme_ports.end()) found = find(scheme.substr(0, scheme.find('+')));
    if (found == scheme_ports.end()) return std::nullopt;
    return found->second;
}

}  // namespace bevmesh::registrar::scan
