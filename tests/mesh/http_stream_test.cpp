// Answers that are read while they arrive.
#include "tests/catch.hpp"
#include "tests/mesh/net_fixture.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;
namespace asio = boost::asio;

namespace {

awaitable<void> read_stream(net::http_client& client, std::string& text, failure& end) {
    auto opened = co_await client.open(get("/events"));
    if (opened.has_error()) FAIL(describe(opened.error()));
    auto& stream = **opened;
    CHECK(stream.head().status == 200);
    for (;;) {
        auto const piece = co_await stream.read_some(milliseconds(100));
        if (piece.has_error()) {
            end = piece.error();
            co_return;
        }
        if (piece->empty()) co_return;
        text += *piece;
    }
}

}  // namespace

TEST_CASE("a stream gives what comes, its regular end, a break and silence") {
    auto const head = std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    auto const outcome = [&](script play) {
        asio::io_context loop;
        scripted_server server(loop, std::vector<script>(1, std::move(play)));
        auto const client = client_of(loop, server.where());
        std::string text;
        failure end{errc::canceled, "regular"};
        run(loop, read_stream(*client, text, end));
        return text + " | " + std::string(name(end.code));
    };
    CHECK(outcome(answer_and_close(head + "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")) ==
          "onetwo | canceled");
    CHECK(outcome(answer_and_close(head + "3\r\none\r\n3\r\nt")) == "onet | truncated answer");
    CHECK(outcome(answer(head + "3\r\none\r\n")) == "one | timed out");
    CHECK(outcome(answer(head + "3\r\none\r\nzz\r\n")) == "one | bad answer");
    CHECK(outcome(answer_and_close("HTTP/1.1 200 OK\r\n\r\nto the end")) ==
          "to the end | canceled");
}
