#include "mesh/docker/client.hpp"

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "mesh/docker/codec.hpp"

namespace bevmesh::docker {
namespace {

using nlohmann::json;

constexpr milliseconds call_timeout{10'000};
/// An engine under load answers a list of a thousand containers in seconds.
constexpr milliseconds list_timeout{30'000};

/// {"type":["container"]} and network connects, as /events wants its filters.
std::string event_filters() {
    return net::percent_encode(R"({"type":["container","network"]})");
}

class http_event_stream final : public event_stream {
public:
    explicit http_event_stream(std::unique_ptr<net::http_stream> stream)
        : stream_(std::move(stream)) {}

    awaitable<result<event>> next() override {
        for (;;) {
            if (auto const record = records_.next(); !record.empty())
                co_return decode_event(record);
            if (records_.too_long())
                co_return failure{errc::bad_answer, "an event of Docker has no end"};
            milliseconds const for_ever{0};
            auto const piece = co_await stream_->read_some(for_ever);
            if (!piece) co_return piece.error();
            if (piece->empty())
                co_return failure{errc::truncated, "Docker closed its stream of events"};
            records_.feed(*piece);
        }
    }

private:
    std::unique_ptr<net::http_stream> stream_;
    record_splitter records_;
};

class http_docker_client final : public client {
public:
    explicit http_docker_client(std::unique_ptr<net::http_client> http) : http_(std::move(http)) {}

    awaitable<result<std::string>> ping() override {
        version_.clear();
        net::http_request r;
        r.target = "/_ping";
        auto const answer = co_await http_->send(std::move(r));
        if (!answer) co_return answer.error();
        auto chosen = choose_api_version(answer->header("Api-Version"));
        if (!chosen) {
            auto f = chosen.error();
            f.doing = "GET /_ping at " + to_string(http_->peer()) + ": " + f.doing;
            co_return f;
        }
        version_ = *chosen;
        co_return version_;
    }

    awaitable<result<engine_info>> info() override {
        auto const body = co_await get("/info", call_timeout);
        if (!body) co_return body.error();
        co_return decode_info(*body);
    }

    awaitable<result<std::vector<listed_container>>> list() override {
        auto const body = co_await get("/containers/json?all=0", list_timeout);
        if (!body) co_return body.error();
        co_return decode_list(*body);
    }

    awaitable<result<container>> inspect(std::string id) override {
        auto const target = "/containers/" + net::percent_encode(id) + "/json";
        auto const body = co_await get(target, call_timeout);
        if (!body) co_return body.error();
        co_return decode_container(*body);
    }

    awaitable<result<std::unique_ptr<event_stream>>> events(std::int64_t since_nano) override {
        auto target = "/events?filters=" + event_filters();
        if (since_nano > 0) {
            auto const rest = std::to_string(since_nano % 1'000'000'000);
            target += "&since=" + std::to_string(since_nano / 1'000'000'000) + "." +
                      std::string(9 - rest.size(), '0') + rest;
        }
        auto request = co_await prepare("GET", target);
        if (!request) co_return request.error();
        auto stream = co_await http_->open(std::move(*request));
        if (!stream) co_return stream.error();
        if ((*stream)->head().status != 200) co_return refused("GET", target, (*stream)->head());
        std::unique_ptr<event_stream> events =
            std::make_unique<http_event_stream>(std::move(*stream));
        co_return std::move(events);
    }

    awaitable<result<std::vector<network>>> networks() override {
        auto const body = co_await get("/networks", call_timeout);
        if (!body) co_return body.error();
        co_return decode_networks(*body);
    }

    awaitable<result<void>> start(std::string id) override {
        co_return co_await act(id, "/start", call_timeout);
    }

    awaitable<result<void>> stop(std::string id, seconds grace) override {
        auto const verb = "/stop?t=" + std::to_string(grace.count());
        auto const limit = call_timeout + grace;
        co_return co_await act(id, verb, limit);
    }

    awaitable<result<void>> kill(std::string id, std::string signal) override {
        auto const verb = "/kill?signal=" + net::percent_encode(signal);
        co_return co_await act(id, verb, call_timeout);
    }

    awaitable<result<exec_result>> exec(std::string id, std::vector<std::string> argv) override;

    [[nodiscard]] net::endpoint const& peer() const noexcept override { return http_->peer(); }

private:
    failure refused(std::string const& method, std::string const& target,
                    net::http_response const& answer) const {
        auto const code = answer.status == 404   ? errc::not_found
                          : answer.status == 409 ? errc::conflict
                          : answer.status == 403 ? errc::forbidden
                          : answer.status == 400 ? errc::bad_input
                                                 : errc::remote_error;
        return {code, method + " " + target + " at " + to_string(http_->peer()) + ": " +
                          std::to_string(answer.status) + " " + decode_error(answer.body)};
    }

    /// With the API version in the path: negotiated first if it is not known.
    awaitable<result<net::http_request>> prepare(std::string method, std::string target) {
        if (version_.empty()) {
            auto const version = co_await ping();
            if (!version) co_return version.error();
        }
        net::http_request r;
        r.method = std::move(method);
        r.target = "/v" + version_ + target;
        r.timeout = call_timeout;
        co_return r;
    }

    awaitable<result<std::string>> get(std::string target, milliseconds limit) {
        auto request = co_await prepare("GET", target);
        if (!request) co_return request.error();
        request->timeout = limit;
        auto answer = co_await http_->send(std::move(*request));
        if (!answer) {
            version_.clear();  // it may be another engine that comes back
            co_return answer.error();
        }
        if (answer->status != 200) co_return refused("GET", target, *answer);
        co_return std::move(answer->body);
    }

    awaitable<result<net::http_response>> post(std::string target, json body, milliseconds limit) {
        auto request = co_await prepare("POST", std::move(target));
        if (!request) co_return request.error();
        request->timeout = limit;
        if (!body.is_null()) {
            request->headers.emplace_back("Content-Type", "application/json");
            request->body = body.dump();
        }
        co_return co_await http_->send(std::move(*request));
    }

    awaitable<result<void>> act(std::string id, std::string verb, milliseconds limit) {
        auto const target = "/containers/" + net::percent_encode(id) + verb;
        json const nothing;
        auto const answer = co_await post(target, nothing, limit);
        if (!answer) co_return answer.error();
        // 304: it is so already.
        if (answer->status != 204 && answer->status != 304)
            co_return refused("POST", target, *answer);
        co_return result<void>();
    }

    std::unique_ptr<net::http_client> http_;
    std::string version_;
};

/// Docker's multiplexed stream: {stream, 0, 0, 0, length big-endian} and the bytes of each frame.
bool demultiplex(std::string_view raw, exec_result& into) {
    while (!raw.empty()) {
        if (raw.size() < 8) return false;
        std::size_t size = 0;
        for (std::size_t i = 4; i < 8; ++i)
            size = size << 8U | static_cast<unsigned char>(raw[i]);
        if (raw.size() - 8 < size) return false;
        (raw[0] == 2 ? into.err : into.out) += raw.substr(8, size);
        raw.remove_prefix(8 + size);
    }
    return true;
}

awaitable<result<exec_result>> http_docker_client::exec(std::string id,
                                                        std::vector<std::string> argv) {
    auto const create = "/containers/" + net::percent_encode(id) + "/exec";
    json const wanted{{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", argv}};
    auto const created = co_await post(create, wanted, call_timeout);
    if (!created) co_return created.error();
    if (created->status != 201) co_return refused("POST", create, *created);
    auto const made = json::parse(created->body, nullptr, false);
    if (!made.is_object() || !made.contains("Id") || !made["Id"].is_string())
        co_return failure{errc::bad_answer, "POST " + create + ": the answer has no Id"};
    auto const exec_path = "/exec/" + made["Id"].get<std::string>();
    json const attached{{"Detach", false}, {"Tty", false}};
    auto const start_path = exec_path + "/start";
    auto const output = co_await post(start_path, attached, list_timeout);
    if (!output) co_return output.error();
    if (output->status != 200) co_return refused("POST", start_path, *output);
    exec_result done;
    if (!demultiplex(output->body, done))
        co_return failure{errc::truncated, "POST " + start_path + ": the output breaks off"};
    auto const inspect_path = exec_path + "/json";
    auto const body = co_await get(inspect_path, call_timeout);
    if (!body) co_return body.error();
    auto const ended = json::parse(*body, nullptr, false);
    if (!ended.is_object() || !ended.contains("ExitCode") || !ended["ExitCode"].is_number())
        co_return failure{errc::bad_answer, "GET " + inspect_path + ": no ExitCode"};
    done.exit_code = ended["ExitCode"].get<int>();
    co_return done;
}

}  // namespace

result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                            docker_config const& settings) {
    auto peer = net::parse_endpoint(settings.address, 2375);
    if (!peer) return peer.error();
    net::http_client_options options;
    options.peer = std::move(*peer);
    auto http = net::make_http_client(std::move(executor), std::move(options));
    if (!http) return http.error();
    return std::unique_ptr<client>(std::make_unique<http_docker_client>(std::move(*http)));
}

}  // namespace bevmesh::docker
