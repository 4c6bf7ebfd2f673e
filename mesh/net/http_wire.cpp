#include "mesh/net/http_wire.hpp"

#include <algorithm>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>

namespace bevmesh::net {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

/// Collects what arrives and trusts no Content-Length with a reservation.
struct piece_body {
    using value_type = std::string;

    class reader {
    public:
        template <bool IsRequest, class Fields>
        reader(http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

        void init(boost::optional<std::uint64_t> const&, error_code& error) { error = {}; }
        template <class Buffers>
        std::size_t put(Buffers const& buffers, error_code& error) {
            error = {};
            auto const before = body_.size();
            for (auto const piece : boost::beast::buffers_range_ref(buffers)) {
                body_.append(static_cast<char const*>(piece.data()), piece.size());
            }
            return body_.size() - before;
        }
        void finish(error_code& error) { error = {}; }

    private:
        value_type& body_;
    };
};

failure parse_failure(error_code const& error) {
    auto code = errc::bad_answer;
    if (error == http::error::partial_message || error == http::error::end_of_stream) {
        code = errc::truncated;
    }
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow) {
        code = errc::too_large;
    }
    return {code, "HTTP: " + error.message()};
}

/// One message after the other out of a run of bytes.
template <bool IsRequest>
class feeder {
public:
    using parser_type = http::parser<IsRequest, piece_body>;

    feeder(std::optional<std::size_t> body_limit, bool skip_body)
        : body_limit_(body_limit), skip_body_(skip_body) {
        restart();
    }

    void restart() {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(header_limit);
        if (body_limit_) {
            parser_->body_limit(std::uint64_t{*body_limit_});
        } else {
            parser_->body_limit(boost::none);
        }
        if constexpr (!IsRequest) parser_->skip(skip_body_);
    }

    void append(std::string_view bytes) { pending_.append(bytes); }

    /// Parses as far as the bytes reach, at most to the end of one message.
    result<void> parse() {
        while (!pending_.empty() && !parser_->is_done()) {
            error_code error;
            auto const buffer = boost::asio::const_buffer(pending_.data(), pending_.size());
            auto const used = parser_->put(buffer, error);
            pending_.erase(0, used);
            if (error == http::error::need_more) {
                if (pending_.size() > header_limit) {
                    return failure{errc::too_large, "HTTP: a header or chunk header without end"};
                }
                return {};
            }
            if (error) return parse_failure(error);
        }
        return {};
    }

    parser_type& parser() { return *parser_; }
    parser_type const& parser() const { return *parser_; }
    bool anything_pending() const { return !pending_.empty(); }

    std::vector<std::pair<std::string, std::string>> headers() const {
        std::vector<std::pair<std::string, std::string>> out;
        for (auto const& field : parser_->get()) {
            auto const key = field.name_string();
            auto const value = field.value();
            out.emplace_back(std::string(key.data(), key.size()),
                             std::string(value.data(), value.size()));
        }
        return out;
    }

private:
    std::optional<std::size_t> body_limit_;
    bool skip_body_;
    std::optional<parser_type> parser_;
    std::string pending_;
};

bool is_token(std::string_view text) {
    auto const fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool is_field_value(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_target(std::string_view text) {
    return !text.empty() && (text.front() == '/' || text.front() == '*') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 127; });
}

bool same_name(std::string_view a, std::string_view b) {
    return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool frames(std::string_view name) {
    return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding") ||
           same_name(name, "Connection");
}

std::string host_of(endpoint const& peer) {
    if (peer.transport == endpoint::kind::unix_socket) return "localhost";
    auto const host = peer.host.find(':') == std::string::npos ? peer.host : "[" + peer.host + "]";
    auto const usual = peer.transport == endpoint::kind::tls ? 443 : 80;
    return peer.port == usual ? host : host + ":" + std::to_string(peer.port);
}

}  // namespace

bool is_idempotent(std::string_view method) noexcept {
    for (auto const* const one : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
        if (method == one) return true;
    }
    return false;
}

result<secret> request_head(http_request const& request, endpoint const& peer) {
    if (!is_token(request.method)) return failure{errc::bad_input, "not an HTTP method"};
    if (!is_target(request.target)) return failure{errc::bad_input, "not an HTTP request target"};
    // Reserved at once: a reallocation would leave a token behind in freed memory.
    std::size_t size = request.method.size() + request.target.size() + peer.host.size() + 256;
    for (auto const& [name, value] : request.headers)
        size += name.size() + value.size() + 4;
    for (auto const& [name, value] : request.secret_headers) {
        size += name.size() + value.reveal().size() + 4;
    }
    std::string text;
    text.reserve(size);
    text.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
    bool host_given = false;
    auto const add = [&](std::string_view name, std::string_view value) {
        if (!is_token(name) || frames(name) || !is_field_value(value)) return false;
        host_given = host_given || same_name(name, "Host");
        text.append(name).append(": ").append(value).append("\r\n");
        return true;
    };
    for (auto const& [name, value] : request.headers) {
        if (!add(name, value)) return failure{errc::bad_input, "cannot send the header " + name};
    }
    for (auto const& [name, value] : request.secret_headers) {
        if (!add(name, value.reveal())) {
            return failure{errc::bad_input, "cannot send the header " + name};
        }
    }
    if (!host_given) add("Host", host_of(peer));
    auto const& method = request.method;
    if (!request.body.empty() || method == "PUT" || method == "POST" || method == "PATCH") {
        text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    }
    text.append("\r\n");
    return secret(std::move(text));
}

std::string response_text(http_response const& response, bool keep_alive, bool body_too) {
    auto const reason = http::obsolete_reason(http::int_to_status(response.status));
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text.append(reason.data(), reason.size()).append("\r\n");
    for (auto const& [name, value] : response.headers) {
        if (!is_token(name) || frames(name) || !is_field_value(value)) continue;
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!keep_alive) text.append("Connection: close\r\n");
    bool const bodiless = response.status < 200 || response.status == 204 || response.status == 304;
    if (!bodiless) {
        text.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    }
    text.append("\r\n");
    if (body_too && !bodiless) text.append(response.body);
    return text;
}

struct response_reader::state : feeder<false> {
    using feeder<false>::feeder;
};

response_reader::response_reader(std::optional<std::size_t> body_limit, bool to_head)
    : state_(std::make_unique<state>(body_limit, to_head)) {}
response_reader::~response_reader() = default;
response_reader::response_reader(response_reader&&) noexcept = default;

result<void> response_reader::feed(std::string_view bytes) {
    state_->append(bytes);
    for (;;) {
        auto const parsed = state_->parse();
        if (parsed.has_error()) return parsed;
        auto const& parser = state_->parser();
        if (!parser.is_header_done() || parser.get().result_int() >= 200) return {};
        if (parser.get().result_int() == 101) {
            return failure{errc::bad_answer, "HTTP: the peer switched protocols unasked"};
        }
        if (!parser.is_done()) return {};
        state_->restart();
    }
}

result<void> response_reader::finish() {
    auto& parser = state_->parser();
    if (parser.is_done()) return {};
    if (!parser.got_some()) return failure{errc::truncated, "closed without an answer"};
    error_code error;
    parser.put_eof(error);
    if (error) return failure{errc::truncated, "closed in the middle of the answer"};
    return {};
}

bool response_reader::head_complete() const noexcept {
    auto const& parser = state_->parser();
    return parser.is_header_done() && parser.get().result_int() >= 200;
}

bool response_reader::complete() const noexcept {
    return state_->parser().is_done();
}

http_response response_reader::head() const {
    http_response out;
    out.status = state_->parser().get().result_int();
    out.headers = state_->headers();
    return out;
}

std::string response_reader::take_body() {
    return std::exchange(state_->parser().get().body(), {});
}

bool response_reader::reusable() const noexcept {
    auto const& parser = state_->parser();
    return parser.is_done() && parser.keep_alive() && !state_->anything_pending();
}

struct request_reader::state : feeder<true> {
    using feeder<true>::feeder;
    bool continued = false;
};

request_reader::request_reader(std::size_t body_limit)
    : state_(std::make_unique<state>(body_limit, false)) {}
request_reader::~request_reader() = default;

result<void> request_reader::feed(std::string_view bytes) {
    state_->append(bytes);
    return state_->parse();
}

bool request_reader::started() const noexcept {
    return state_->parser().got_some() || state_->anything_pending();
}

bool request_reader::complete() const noexcept {
    return state_->parser().is_done();
}

bool request_reader::wants_continue() {
    auto const& parser = state_->parser();
    if (state_->continued || parser.is_done() || !parser.is_header_done()) return false;
    if (!boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) return false;
    state_->continued = true;
    return true;
}

bool request_reader::keep_alive() const noexcept {
    return state_->parser().keep_alive();
}

http_request request_reader::take() {
    auto& message = state_->parser().get();
    http_request out;
    auto const method = message.method_string();
    auto const target = message.target();
    out.method.assign(method.data(), method.size());
    out.target.assign(target.data(), target.size());
    out.headers = state_->headers();
    out.body = std::move(message.body());
    state_->continued = false;
    state_->restart();
    return out;
}

}  // namespace bevmesh::net
