#include "mesh/redis/connection.hpp"

#include <array>

#include <hiredis/hiredis.h>

#include "mesh/net/stream.hpp"
#include "mesh/net/tls.hpp"

namespace bevmesh::redis {
namespace {

using reader_handle = std::unique_ptr<redisReader, decltype(&redisReaderFree)>;
using reply_handle = std::unique_ptr<void, decltype(&freeReplyObject)>;

std::string wire(std::vector<std::string> const& argv) {
    std::vector<char const*> words;
    std::vector<std::size_t> sizes;
    for (auto const& a : argv) {
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

reply convert(redisReply const& raw) {
    reply r;
    switch (raw.type) {
        case REDIS_REPLY_STATUS:
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_ERROR:
            r.is = raw.type == REDIS_REPLY_ERROR ? reply::kind::error : reply::kind::text;
            r.text.assign(raw.str, static_cast<std::size_t>(raw.len));
            break;
        case REDIS_REPLY_INTEGER:
            r.is = reply::kind::integer;
            r.number = raw.integer;
            break;
        case REDIS_REPLY_ARRAY:
            r.is = reply::kind::array;
            for (std::size_t i = 0; i < raw.elements; ++i)
                r.items.push_back(convert(*raw.element[i]));
            break;
        default:
            break;
    }
    return r;
}

class stream_connection final : public connection {
public:
    stream_connection(boost::asio::any_io_executor executor, settings how,
                      net::tls_identity const& identity)
        : executor_(std::move(executor)),
          how_(std::move(how)),
          name_(net::to_string(how_.where)),
          stream_(net::make_stream(executor_, how_.where, identity)),
          reader_(redisReaderCreate(), &redisReaderFree) {}

    awaitable<result<void>> open(net::steady_point deadline) override;
    awaitable<result<reply>> call(std::vector<std::string> argv,
                                  net::steady_point deadline) override;
    void close() noexcept override { stream_->close(); }
    std::string const& name() const noexcept override { return name_; }

private:
    awaitable<result<reply>> exchange(std::string request);
    [[nodiscard]] failure trouble(failure const& reason, bool expired) const {
        if (expired) return {errc::timed_out, "Redis at " + name_ + ": no answer in time"};
        return {reason.code, "Redis at " + name_ + ": " + reason.doing};
    }

    boost::asio::any_io_executor executor_;
    settings how_;
    std::string name_;
    std::unique_ptr<net::byte_stream> stream_;
    reader_handle reader_;
};

awaitable<result<void>> stream_connection::open(net::steady_point deadline) {
    bool expired = false;
    net::watchdog limit(executor_, deadline, [this, &expired] {
        expired = true;
        stream_->close();
    });
    auto const connected = co_await stream_->connect(deadline);
    limit.disarm();
    if (!connected || expired) {
        auto const reason = connected ? failure() : connected.error();
        co_return expired ? failure{errc::timed_out, "connect to Redis at " + name_ + ": timed out"}
                          : trouble(reason, false);
    }
    if (how_.password.empty()) co_return result<void>();
    std::vector<std::string> auth{"AUTH"};
    if (!how_.user.empty()) auth.push_back(how_.user);
    auth.emplace_back(how_.password.reveal());
    auto const answer = co_await call(std::move(auth), deadline);
    if (!answer) co_return answer.error();
    // A server that is LOADING says so to the next command too; it is no wrong password.
    if (answer->failed() && answer->error_code() != "LOADING") {
        stream_->close();
        co_return failure{errc::forbidden, "Redis at " + name_ + ": " + answer->text};
    }
    co_return result<void>();
}

awaitable<result<reply>> stream_connection::call(std::vector<std::string> argv,
                                                 net::steady_point deadline) {
    bool expired = false;
    net::watchdog limit(executor_, deadline, [this, &expired] {
        expired = true;
        stream_->close();
    });
    auto request = wire(argv);
    auto answer = co_await exchange(std::move(request));
    limit.disarm();
    if (answer && !expired) co_return std::move(*answer);
    stream_->close();
    co_return trouble(answer ? failure() : answer.error(), expired);
}

awaitable<result<reply>> stream_connection::exchange(std::string request) {
    auto const sent = co_await stream_->write(request);
    if (!sent) co_return sent.error();
    std::array<char, 4096> buffer{};
    for (;;) {
        void* raw = nullptr;
        if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK)
            co_return failure{errc::bad_answer, std::string("not Redis: ") + reader_->errstr};
        if (raw != nullptr) {
            reply_handle const owned(raw, &freeReplyObject);
            co_return convert(*static_cast<redisReply const*>(raw));
        }
        auto const got = co_await stream_->read_some(buffer);
        if (!got) co_return got.error();
        if (*got == 0) co_return failure{errc::truncated, "the server closed the connection"};
        redisReaderFeed(reader_.get(), buffer.data(), *got);
    }
}

}  // namespace

std::string_view reply::error_code() const noexcept {
    if (!failed()) return {};
    return std::string_view(text).substr(0, text.find(' '));
}

result<std::unique_ptr<connection>> make_connection(boost::asio::any_io_executor const& executor,
                                                    settings how) {
    net::tls_identity identity;
    if (how.where.transport == net::endpoint::kind::tls) {
        auto context = net::make_client_context(how.tls);
        if (!context) return context.error();
        identity.context = std::move(*context);
        identity.server_name = how.tls.server_name;
        identity.verify = how.tls.verify;
    }
    return std::unique_ptr<connection>(
        std::make_unique<stream_connection>(executor, std::move(how), identity));
}

}  // namespace bevmesh::redis
