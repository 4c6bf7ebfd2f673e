// What the Docker client sends, and what it makes of answers good and bad.
#include "mesh/docker/client.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;

namespace {

struct engine {
    engine() {
        docker_config settings;
        settings.address = api.address();
        client = std::move(docker::make_client(api.loop.get_executor(), settings).value());
        speaks("1.41");
    }
    void speaks(std::string const& version) {
        api.on("GET /_ping", 200, "OK", {{"Api-Version", version}});
    }
    std::size_t pings() const {
        std::size_t n = 0;
        for (auto const& r : api.asked)
            n += r.target == "/_ping" ? 1U : 0U;
        return n;
    }

    api_double api;
    std::unique_ptr<docker::client> client;
};

std::string frame(char which, std::string const& text) {
    std::string out(8, '\0');
    out[0] = which;
    out[7] = static_cast<char>(text.size());
    return out + text;
}

}  // namespace

TEST_CASE("the version is negotiated once, and again after a failure") {
    engine e;
    e.api.on("GET /v1.41/info", 200, recorded("docker-1.41/info.json"));
    CHECK(call(e.api, e.client->info())->name == "oracle1");
    CHECK(call(e.api, e.client->info()).has_value());
    CHECK(e.pings() == 1);
    // The engine was replaced by one that no longer speaks the old version.
    e.speaks("1.60");
    e.api.on("GET /v1.41/info", 400, R"({"message":"client version 1.41 is too old"})");
    e.api.on("GET /v1.52/info", 200, recorded("docker-1.41/info.json"));
    auto const refused = call(e.api, e.client->info());
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc::bad_input);
    CHECK(refused.error().doing.find("400 client version 1.41 is too old") != std::string::npos);
    CHECK(call(e.api, e.client->info()).has_value());
    CHECK(e.pings() == 2);
}

TEST_CASE("an engine that is too old, or none, is refused with the reason") {
    engine e;
    e.speaks("1.40");
    auto const old = call(e.api, e.client->info());
    REQUIRE(old.has_error());
    CHECK(old.error().doing == "GET /_ping at " + e.api.address() +
                                   ": the engine speaks API 1.40, bevmesh needs 1.41 (Docker "
                                   "20.10) or later");
    e.api.on("GET /_ping", 200, "hello");
    CHECK(call(e.api, e.client->ping()).error().code == errc::bad_answer);
    e.api.on("GET /_ping", 503, "starting");
    CHECK(call(e.api, e.client->ping()).error().code == errc::remote_error);
}

TEST_CASE("containers are listed and inspected, and a missing one is not found") {
    engine e;
    e.api.on("GET /v1.41/containers/json", 200, recorded("docker-1.41/list.json"));
    CHECK(call(e.api, e.client->list())->size() == 9);
    e.api.on("GET /v1.41/containers/redis/json", 200, recorded("docker-1.41/inspect-redis.json"));
    CHECK(call(e.api, e.client->inspect("redis"))->hostname == "redis-host");
    e.api.on("GET /v1.41/containers/gone/json", 404, R"({"message":"No such container: gone"})");
    auto const gone = call(e.api, e.client->inspect("gone"));
    CHECK(gone.error().code == errc::not_found);
    CHECK(gone.error().doing.find("404 No such container: gone") != std::string::npos);
    e.api.on("GET /v1.41/containers/json", 500, R"({"message":"no"})");
    CHECK(call(e.api, e.client->list()).error().code == errc::remote_error);
    e.api.on("GET /v1.41/networks", 200, recorded("docker-1.41/networks.json"));
    CHECK(call(e.api, e.client->networks())->size() == 6);
}

TEST_CASE("start, stop and kill; what is so already is no error") {
    engine e;
    e.api.on("POST /v1.41/containers/x/start", 204, "");
    CHECK(call(e.api, e.client->start("x")).has_value());
    e.api.on("POST /v1.41/containers/x/start", 304, "");
    CHECK(call(e.api, e.client->start("x")).has_value());
    e.api.on("POST /v1.41/containers/x/stop?t=5", 304, "");
    CHECK(call(e.api, e.client->stop("x", seconds(5))).has_value());
    e.api.on("POST /v1.41/containers/x/kill?signal=HUP", 409, R"({"message":"is not running"})");
    CHECK(call(e.api, e.client->kill("x", "HUP")).error().code == errc::conflict);
}

TEST_CASE("a container is made of an image of our own, and both are removed") {
    engine e;
    e.api.on("POST /v1.41/images/create?fromSrc=-&tag=latest&repo=probe", 200, "{}");
    CHECK(call(e.api, e.client->import_image("tar", "probe")).has_value());
    CHECK(e.api.asked.back().body == "tar");
    e.api.on("POST /v1.41/containers/create?name=p1", 201, R"({"Id":"abc","Warnings":[]})");
    auto const made = call(e.api, e.client->create("p1", R"({"Image":"probe"})"));
    REQUIRE(made.has_value());
    CHECK(*made == "abc");
    e.api.on("DELETE /v1.41/containers/abc?force=true&v=true", 204, "");
    CHECK(call(e.api, e.client->remove("abc")).has_value());
    e.api.on("DELETE /v1.41/images/probe", 409, R"({"message":"in use"})");
    CHECK(call(e.api, e.client->remove_image("probe")).error().code == errc::conflict);
}

TEST_CASE("exec gives both outputs and the exit code") {
    engine e;
    e.api.on("POST /v1.41/containers/x/exec", 201, R"({"Id":"e1"})");
    e.api.on("POST /v1.41/exec/e1/start", 200, frame(1, "to out\n") + frame(2, "to err\n"));
    e.api.on("GET /v1.41/exec/e1/json", 200, recorded("docker-1.41/exec-inspect.json"));
    std::vector<std::string> const argv{"/bin/tool", "say", "4"};
    auto const done = call(e.api, e.client->exec("x", argv));
    REQUIRE(done.has_value());
    CHECK(done->exit_code == 4);
    CHECK(done->out == "to out\n");
    CHECK(done->err == "to err\n");
    CHECK(e.api.asked[1].body ==
          R"({"AttachStderr":true,"AttachStdout":true,"Cmd":["/bin/tool","say","4"]})");
    e.api.on("POST /v1.41/exec/e1/start", 200, "not framed");
    CHECK(call(e.api, e.client->exec("x", argv)).error().code == errc::bad_answer);
}

namespace {

constexpr auto ping_answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";

std::string chunk(std::string const& text) {
    constexpr auto digits = "0123456789abcdef";
    std::string size;
    for (auto n = text.size(); n > 0; n /= 16)
        size.insert(0, 1, digits[n % 16]);
    return size + "\r\n" + text + "\r\n";
}

awaitable<void> play_events(std::shared_ptr<wire> w, std::string body) {
    co_await w->request();
    co_await w->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
}

awaitable<void> read_all(docker::client& client, std::vector<std::string>& seen, failure& end) {
    auto opened = co_await client.events(0);
    if (opened.has_error()) {
        end = opened.error();
        co_return;
    }
    for (;;) {
        auto const e = co_await (*opened)->next();
        if (e.has_error()) {
            end = e.error();
            co_return;
        }
        seen.push_back(e->action);
    }
}

/// The actions that came, and how it ended, when the engine sends `body` as its stream.
std::string events_of(std::string body) {
    boost::asio::io_context loop;
    script const stream = [body](std::shared_ptr<wire> w) {
        return play_events(std::move(w), body);
    };
    std::vector<script> plays{answer(ping_answer), stream};
    scripted_server server(loop, std::move(plays));
    docker_config settings;
    settings.address = net::to_string(server.where());
    auto const client = std::move(docker::make_client(loop.get_executor(), settings).value());
    std::vector<std::string> seen;
    failure end;
    run(loop, read_all(*client, seen, end));
    std::string text;
    for (auto const& one : seen)
        text += one + " ";
    return text + "| " + describe(end);
}

std::string event_line(std::string const& action) {
    return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":"a"},"timeNano":1})";
}

}  // namespace

TEST_CASE("events come one by one over any chunks, in both framings") {
    auto const two = event_line("start") + "\n" + event_line("die") + "\n";
    auto const ended = "the engine ended the stream of events (truncated answer)";
    CHECK(events_of(chunk(two) + "0\r\n\r\n") == std::string("start die | ") + ended);
    std::string pieces;
    for (char const c : two)
        pieces += chunk(std::string(1, c));
    CHECK(events_of(pieces + "0\r\n\r\n") == std::string("start die | ") + ended);
    auto const sequence = "\x1e" + event_line("start") + "\n\x1e" + event_line("die") + "\n";
    CHECK(events_of(chunk(sequence) + "0\r\n\r\n") == std::string("start die | ") + ended);
}

TEST_CASE("an engine that dies breaks the stream off, and garbage is named") {
    auto const died = events_of(chunk(event_line("start") + "\n") + "5\r\nab");
    CHECK(died.find("start | GET /v1.41/events at ") == 0);
    CHECK(died.find("(truncated answer)") != std::string::npos);
    CHECK(events_of(chunk(event_line("start") + "\nrubbish\n")) ==
          "start | the event: not JSON: rubbish (bad answer)");
    std::string endless;
    for (int i = 0; i < 120; ++i)
        endless += chunk(std::string(10'000, 'x'));
    CHECK(events_of(endless).find("(too large)") != std::string::npos);
}

TEST_CASE("a refused stream of events carries the engine's message") {
    engine e;
    auto const query = std::string("GET /v1.41/events");
    std::vector<std::string> seen;
    failure end;
    run(e.api.loop, read_all(*e.client, seen, end));
    CHECK(end.code == errc::not_found);
    CHECK(end.doing == query + " at " + e.api.address() + ": 404");
}
