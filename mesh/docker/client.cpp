#include "mesh/docker/client.hpp"

#include <algorithm>
#include <utility>

#include "mesh/docker/codec.hpp"
#include "mesh/docker/framing.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::docker {

namespace {

constexpr std::size_t event_length_max = 1U << 20U;
constexpr milliseconds exec_limit{60'000};

class http_events final : public event_stream {
public:
    explicit http_events(std::unique_ptr<net::http_stream> stream) : stream_(std::move(stream)) {}

    awaitable<result<event>> next() override {
        for (;;) {
            if (auto const document = splitter_.next()) co_return decode_event(*document);
            auto const piece = co_await stream_->read_some(milliseconds(0));
            if (piece.has_error()) co_return piece.error();
            if (piece->empty()) {
                co_return failure{errc::truncated, "the engine ended the stream of events"};
            }
            auto const fed = splitter_.feed(*piece);
            if (fed.has_error()) co_return fed.error();
        }
    }

private:
    std::unique_ptr<net::http_stream> stream_;
    document_splitter splitter_{event_length_max};
};

class http_docker final : public client {
public:
    explicit http_docker(std::unique_ptr<net::http_client> http) : http_(std::move(http)) {}

    awaitable<result<std::string>> ping() override;
    awaitable<result<engine_info>> info() override { return read("/info", decode_info); }
    awaitable<result<std::vector<listed_container>>> list() override;
    awaitable<result<container>> inspect(std::string id) override {
        return read("/containers/" + net::percent_encode(id) + "/json", decode_container);
    }
    awaitable<result<std::unique_ptr<event_stream>>> events(std::int64_t since_nano) override;
    awaitable<result<std::vector<network>>> networks() override {
        return read("/networks", decode_networks);
    }
    awaitable<result<void>> start(std::string id) override {
        return act(id, "/start", milliseconds(60'000));
    }
    awaitable<result<void>> stop(std::string id, seconds grace) override {
        return act(id, "/stop?t=" + std::to_string(grace.count()), grace + seconds(20));
    }
    awaitable<result<void>> kill(std::string id, std::string signal) override {
        return act(id, "/kill?signal=" + net::percent_encode(signal), milliseconds(20'000));
    }
    awaitable<result<exec_result>> exec(std::string id, std::vector<std::string> argv) override;
    awaitable<result<exec_output>> logs(std::string id, unsigned lines) override {
        return read("/containers/" + net::percent_encode(id) +
                        "/logs?stdout=true&stderr=true&tail=" + std::to_string(lines),
                    demultiplex);
    }
    awaitable<result<std::string>> create(std::string name, std::string config) override;
    awaitable<result<void>> remove(std::string id) override {
        return erase("/containers/" + net::percent_encode(id) + "?force=true&v=true");
    }
    awaitable<result<void>> import_image(std::string tar, std::string repository) override;
    awaitable<result<void>> remove_image(std::string reference) override {
        return erase("/images/" + net::percent_encode(reference));
    }
    net::endpoint const& peer() const noexcept override { return http_->peer(); }

private:
    /// With the version in front of the target; negotiates when it must.
    awaitable<result<net::http_response>> send(net::http_request request);
    awaitable<result<std::string>> version();
    awaitable<result<int>> exit_code_of(std::string exec_id, instant deadline);
    awaitable<result<void>> act(std::string id, std::string verb, milliseconds limit);
    awaitable<result<void>> erase(std::string target);

    template <class T>
    awaitable<result<T>> read(std::string target, result<T> (*decode)(std::string_view)) {
        net::http_request request;
        request.target = std::move(target);
        request.timeout = milliseconds(20'000);
        auto const got = co_await send(std::move(request));
        if (got.has_error()) co_return got.error();
        co_return decode(got->body);
    }

    /// After these the engine may be another one: it is asked for its version again.
    void doubt(errc code) {
        if (code == errc::unreachable || code == errc::truncated || code == errc::bad_input ||
            code == errc::timed_out) {
            version_.clear();
        }
    }

    std::unique_ptr<net::http_client> http_;
    std::string version_;
};

net::http_request post(std::string target, std::string body) {
    net::http_request r;
    r.method = "POST";
    r.target = std::move(target);
    if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
    r.body = std::move(body);
    return r;
}

awaitable<result<std::string>> http_docker::ping() {
    net::http_request request;
    request.target = "/_ping";
    request.timeout = milliseconds(5'000);
    auto const named = request;
    auto const got = co_await http_->send(std::move(request));
    if (got.has_error()) {
        doubt(got.error().code);
        co_return got.error();
    }
    if (got->status != 200) {
        co_return net::status_failure(named, peer(), got->status, error_message(got->body));
    }
    auto const agreed = negotiate(got->header("Api-Version"));
    if (agreed.has_error()) {
        co_return failure{agreed.error().code,
                          "GET /_ping at " + net::to_string(peer()) + ": " + agreed.error().doing};
    }
    version_ = *agreed;
    co_return version_;
}

awaitable<result<std::string>> http_docker::version() {
    if (!version_.empty()) co_return version_;
    co_return co_await ping();
}

awaitable<result<net::http_response>> http_docker::send(net::http_request request) {
    auto const agreed = co_await version();
    if (agreed.has_error()) co_return agreed.error();
    request.target = "/v" + *agreed + request.target;
    net::http_request named;
    named.method = request.method;
    named.target = request.target;
    auto got = co_await http_->send(std::move(request));
    if (got.has_error()) {
        doubt(got.error().code);
        co_return got.error();
    }
    // 304: it is started, or stopped, already.
    if ((got->status >= 200 && got->status <= 299) || got->status == 304) co_return got;
    auto const refusal = net::status_failure(named, peer(), got->status, error_message(got->body));
    doubt(refusal.code);
    co_return refusal;
}

awaitable<result<std::vector<listed_container>>> http_docker::list() {
    auto entries = co_await read("/containers/json", decode_list);
    if (entries.has_error()) co_return entries.error();
    std::vector<listed_container> out;
    out.reserve(entries->size());
    for (auto& entry : *entries) {
        auto& one = out.emplace_back();
        one.id = std::move(entry.id);
        one.fingerprint = std::move(entry.fingerprint);
    }
    co_return out;
}

awaitable<result<std::unique_ptr<event_stream>>> http_docker::events(std::int64_t since_nano) {
    auto const agreed = co_await version();
    if (agreed.has_error()) co_return agreed.error();
    net::http_request request;
    request.target = "/v" + *agreed + "/events" + events_query(since_nano);
    net::http_request named;
    named.target = "/v" + *agreed + "/events";
    auto opened = co_await http_->open(std::move(request));
    if (opened.has_error()) {
        doubt(opened.error().code);
        co_return opened.error();
    }
    auto const status = (*opened)->head().status;
    if (status != 200) {
        auto const reason = co_await (*opened)->read_some(milliseconds(5'000));
        auto const told = reason.has_value() ? error_message(*reason) : std::string();
        auto const refusal = net::status_failure(named, peer(), status, told);
        doubt(refusal.code);
        co_return refusal;
    }
    std::unique_ptr<event_stream> stream = std::make_unique<http_events>(std::move(*opened));
    co_return stream;
}

awaitable<result<void>> http_docker::act(std::string id, std::string verb, milliseconds limit) {
    auto request = post("/containers/" + net::percent_encode(id) + verb, "");
    request.timeout = limit;
    auto const got = co_await send(std::move(request));
    if (got.has_error()) co_return got.error();
    co_return result<void>();
}

awaitable<result<void>> http_docker::erase(std::string target) {
    net::http_request request;
    request.method = "DELETE";
    request.target = std::move(target);
    auto const got = co_await send(std::move(request));
    if (got.has_error()) co_return got.error();
    co_return result<void>();
}

awaitable<result<std::string>> http_docker::create(std::string name, std::string config) {
    auto request = post("/containers/create?name=" + net::percent_encode(name), std::move(config));
    request.never_resend = true;
    auto const got = co_await send(std::move(request));
    if (got.has_error()) co_return got.error();
    co_return decode_exec_id(got->body);
}

awaitable<result<void>> http_docker::import_image(std::string tar, std::string repository) {
    auto request =
        post("/images/create?fromSrc=-&tag=latest&repo=" + net::percent_encode(repository), "");
    request.headers.emplace_back("Content-Type", "application/x-tar");
    request.body = std::move(tar);
    auto const got = co_await send(std::move(request));
    if (got.has_error()) co_return got.error();
    co_return result<void>();
}

awaitable<result<exec_result>> http_docker::exec(std::string id, std::vector<std::string> argv) {
    auto create = post("/containers/" + net::percent_encode(id) + "/exec", encode_exec(argv));
    auto const created = co_await send(std::move(create));
    if (created.has_error()) co_return created.error();
    auto const exec_id = decode_exec_id(created->body);
    if (exec_id.has_error()) co_return exec_id.error();

    auto start = post("/exec/" + *exec_id + "/start", R"({"Detach":false,"Tty":false})");
    start.timeout = exec_limit;
    auto const began = net::now();
    auto const ran = co_await send(std::move(start));
    if (ran.has_error()) co_return ran.error();
    auto output = demultiplex(ran->body);
    if (output.has_error()) {
        co_return failure{output.error().code, "exec in " + id + ": " + output.error().doing};
    }
    auto const deadline = std::max<instant>(began + exec_limit, net::now() + seconds(1));
    auto const code = co_await exit_code_of(*exec_id, deadline);
    if (code.has_error()) co_return code.error();
    exec_result done;
    done.exit_code = *code;
    done.out = std::move(output->out);
    done.err = std::move(output->err);
    co_return done;
}

/// The engine closes the output before it knows the exit code: a little, or seconds where many
/// processes end at once.
awaitable<result<int>> http_docker::exit_code_of(std::string exec_id, instant deadline) {
    for (milliseconds pause(20);; pause = std::min(2 * pause, milliseconds(500))) {
        auto const code = co_await read("/exec/" + exec_id + "/json", decode_exec_exit);
        if (code.has_error()) co_return code.error();
        if (code->has_value()) co_return **code;
        if (net::now() + pause >= deadline) break;
        co_await net::sleep_for(pause);
    }
    co_return failure{errc::timed_out, "exec " + exec_id + ": ended without an exit code"};
}

}  // namespace

result<std::unique_ptr<client>> make_client(boost::asio::any_io_executor executor,
                                            docker_config const& settings) {
    auto peer = net::parse_endpoint(settings.address, 2375);
    if (peer.has_error()) return peer.error();
    net::http_client_options options;
    options.peer = std::move(*peer);
    auto http = net::make_http_client(std::move(executor), std::move(options));
    if (http.has_error()) return http.error();
    return std::unique_ptr<client>(std::make_unique<http_docker>(std::move(*http)));
}

}  // namespace bevmesh::docker
