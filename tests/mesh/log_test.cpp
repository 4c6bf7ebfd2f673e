// Log lines as an operator reads them.
#include "mesh/log/log.hpp"

#include <cstdio>
#include <string>
#include <type_traits>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "mesh/base/secret.hpp"
#include "tests/catch.hpp"

using bevmesh::log::format_line;

namespace {

/// What is written to stderr while it lives.
class captured_stderr {
public:
    captured_stderr() : file_(std::tmpfile()), before_(::dup(2)) { ::dup2(::fileno(file_), 2); }
    ~captured_stderr() {
        ::dup2(before_, 2);
        ::close(before_);
        std::fclose(file_);
    }
    captured_stderr(captured_stderr const&) = delete;
    captured_stderr& operator=(captured_stderr const&) = delete;

    std::string text() {
        std::fflush(stderr);
        std::string all(64U << 10U, '\0');
        auto const n = ::pread(::fileno(file_), all.data(), all.size(), 0);
        all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return all;
    }

private:
    FILE* file_;
    int before_;
};

}  // namespace

TEST_CASE("values that could be misread are quoted") {
    CHECK(format_line("registered", {{"service", "redis"}, {"address", "100.122.12.54:6379"}}) ==
          "registered service=redis address=100.122.12.54:6379");
    CHECK(format_line("gone", {{"reason", "exit code 1"}, {"tags", ""}}) ==
          R"(gone reason="exit code 1" tags="")");
}

TEST_CASE("a peer cannot break a log line apart") {
    CHECK(format_line("odd", {{"name", "a\nERROR fake=1"}}) == R"(odd name="a\nERROR fake=1")");
}

TEST_CASE("as JSON a line is one object, and each field a member of it") {
    std::string text;
    {
        captured_stderr errors;
        bevmesh::log::configure({"info", "json"});
        bevmesh::log::logger const log("registrar");
        log.info("registered", {{"service", "redis"}, {"address", "100.122.12.54:6379"}});
        log.warning("odd \"name\"", {{"name", "a\nb\x01\xff {}"}, {"reason", ""}});
        log.debug("not asked for");
        bevmesh::log::configure({"info", "text"});
        text = errors.text();
    }
    INFO(text);
    auto const end = text.find('\n');
    REQUIRE(end != std::string::npos);
    auto const first = nlohmann::json::parse(text.substr(0, end));
    CHECK(first.at("level") == "info");
    CHECK(first.at("part") == "registrar");
    CHECK(first.at("message") == "registered");
    CHECK(first.at("service") == "redis");
    CHECK(first.at("address") == "100.122.12.54:6379");
    CHECK(first.at("time").get<std::string>().size() == 29);
    CHECK(first.size() == 6);
    auto const second = nlohmann::json::parse(text.substr(end + 1));
    CHECK(second.at("level") == "warning");
    CHECK(second.at("message") == "odd \"name\"");
    CHECK(second.at("name") == "a\nb\x01\xef\xbf\xbd {}");
    CHECK(second.at("reason").get<std::string>().empty());
}

TEST_CASE("a secret cannot be put into a line") {
    STATIC_REQUIRE_FALSE(std::is_convertible_v<bevmesh::secret, std::string>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<std::string, bevmesh::secret>);
}
