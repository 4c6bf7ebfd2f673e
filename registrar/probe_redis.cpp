// PING over RESP: hiredis' formatter and reader over our own stream (Debian's hiredis has no TLS,
// and its own I/O would block the loop).
#include <array>
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <hiredis/hiredis.h>

#include "mesh/net/deadline.hpp"
#include "mesh/net/stream.hpp"
#include "registrar/prober.hpp"

namespace bevmesh::registrar {
namespace {

using boost::asio::awaitable;

using reader_handle = std::unique_ptr<redisReader, decltype(&redisReaderFree)>;
using reply_handle = std::unique_ptr<void, decltype(&freeReplyObject)>;

struct reply {
    bool error = false;
    std::string text;
};

std::string command(std::vector<std::string_view> const& argv) {
    std::vector<char const*> words;
    std::vector<std::size_t> sizes;
    for (auto const a : argv) {
        words.push_back(a.data());
        sizes.push_back(a.size());
    }
    char* made = nullptr;
    auto const size =
        redisFormatCommandArgv(&made, static_cast<int>(argv.size()), words.data(), sizes.data());
    if (size < 0) return {};
    std::string bytes(made, static_cast<std::size_t>(size));
    redisFreeCommand(made);
    return bytes;
}

awaitable<result<reply>> exchange(net::byte_stream& stream, redisReader& reader,
                                  std::string request) {
    auto const sent = co_await stream.write(request);
    if (!sent) co_return sent.error();
    std::array<char, 1024> buffer{};
    for (;;) {
        void* raw = nullptr;
        if (redisReaderGetReply(&reader, &raw) != REDIS_OK)
            co_return failure{errc::bad_answer, std::string("not Redis: ") + reader.errstr};
        if (raw) {
            reply_handle const owned(raw, &freeReplyObject);
            auto const* r = static_cast<redisReply const*>(raw);
            bool const text = r->type == REDIS_REPLY_STATUS || r->type == REDIS_REPLY_ERROR ||
                              r->type == REDIS_REPLY_STRING;
            co_return reply{
                r->type == REDIS_REPLY_ERROR,
                text ? std::string(r->str, static_cast<std::size_t>(r->len)) : std::string()};
        }
        auto const got = co_await stream.read_some(buffer);
        if (!got) co_return got.error();
        if (*got == 0) co_return failure{errc::truncated, "the server closed the connection"};
        redisReaderFeed(&reader, buffer.data(), *got);
    }
}

awaitable<probe_outcome> converse(net::byte_stream& stream, probe const& what,
                                  net::steady_point deadline) {
    auto const password = read_password(what.password_file);
    if (!password) co_return probe_outcome{false, describe(password.error())};
    auto const connected = co_await stream.connect(deadline);
    if (!connected) co_return probe_outcome{false, connected.error().doing};
    reader_handle const reader(redisReaderCreate(), &redisReaderFree);
    if (!password->empty()) {
        std::vector<std::string_view> argv{"AUTH"};
        if (!what.user.empty()) argv.push_back(what.user);
        argv.push_back(password->reveal());
        auto auth = command(argv);
        auto const answer = co_await exchange(stream, *reader, std::move(auth));
        if (!answer) co_return probe_outcome{false, answer.error().doing};
        // LOADING is told by PING below, and is not a wrong password.
        if (answer->error && !answer->text.starts_with("LOADING"))
            co_return probe_outcome{false, answer->text};
    }
    std::vector<std::string_view> const ping_words{"PING"};
    auto ping = command(ping_words);
    auto const answer = co_await exchange(stream, *reader, std::move(ping));
    if (!answer) co_return probe_outcome{false, answer.error().doing};
    bool const alive = !answer->error || (password->empty() && answer->text.starts_with("NOAUTH"));
    co_return probe_outcome{alive, alive ? std::string() : answer->text};
}

}  // namespace

awaitable<probe_outcome> probe_redis(probe const& what) {
    auto const executor = co_await boost::asio::this_coro::executor;
    net::endpoint peer;
    peer.host = what.host;
    peer.port = what.port;
    net::tls_identity const plain;
    auto const stream = net::make_stream(executor, peer, plain);
    auto const deadline = std::chrono::steady_clock::now() + what.timeout;
    bool expired = false;
    net::watchdog const limit(executor, deadline, [&] {
        expired = true;
        stream->close();
    });
    auto outcome = co_await converse(*stream, what, deadline);
    if (expired)
        outcome = probe_outcome{false, "no answer within " + net::limit_text(what.timeout)};
    stream->close();
    co_return outcome;
}

}  // namespace bevmesh::registrar
