#include "registrar/check_labels.hpp"

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::registrar;

namespace {

using settings = std::map<std::string, std::string>;

struct outcome {
    std::optional<check_config> check;
    std::vector<label_problem> problems;
};

outcome read(settings const& s) {
    outcome r;
    r.check = read_check(s, r.problems);
    return r;
}

check_kind kind_of(settings const& s) {
    auto const r = read(s);
    REQUIRE(r.check);
    CHECK(r.problems.empty());
    return r.check->kind;
}

}  // namespace

TEST_CASE("every kind of check can be written as a label") {
    CHECK(kind_of({{"http", "/health"}}) == check_kind::http);
    CHECK(kind_of({{"https", "/"}}) == check_kind::https);
    CHECK(kind_of({{"tcp", "true"}}) == check_kind::tcp);
    CHECK(kind_of({{"udp", "1"}}) == check_kind::udp);
    CHECK(kind_of({{"grpc", "true"}}) == check_kind::grpc);
    CHECK(kind_of({{"h2ping", "yes"}}) == check_kind::h2ping);
    CHECK(kind_of({{"script", "/bin/x"}}) == check_kind::script);
    CHECK(kind_of({{"docker", "redis-cli ping"}}) == check_kind::docker);
    CHECK(kind_of({{"ttl", "30s"}}) == check_kind::ttl);
    CHECK(kind_of({{"alias", "thanos:db:5432"}}) == check_kind::alias);
    CHECK(kind_of({{"redis", "true"}}) == check_kind::redis);
    CHECK(kind_of({{"postgres", "true"}}) == check_kind::postgres);
}

TEST_CASE("all settings of a check") {
    auto const r = read({{"https", "/h"},
                         {"name", "front"},
                         {"interval", "5s"},
                         {"timeout", "1s"},
                         {"start_period", "1m"},
                         {"deregister_after", "10m"},
                         {"header", "X-A: b: c"},
                         {"header.X-D", "e"},
                         {"method", "HEAD"},
                         {"body", "{}"},
                         {"tls_skip_verify", "true"},
                         {"tls_server_name", "x.example"},
                         {"initial_status", "warning"},
                         {"success_before_passing", "2"},
                         {"failures_before_warning", "1"},
                         {"failures_before_critical", "3"}});
    REQUIRE(r.check);
    CHECK(r.problems.empty());
    CHECK(r.check->path == "/h");
    CHECK(r.check->name == "front");
    CHECK(r.check->interval == milliseconds{5'000});
    CHECK(r.check->start_period == milliseconds{60'000});
    CHECK(r.check->deregister_after == milliseconds{600'000});
    CHECK(r.check->headers.at("X-A") == std::vector<std::string>{"b: c"});
    CHECK(r.check->headers.at("X-D") == std::vector<std::string>{"e"});
    CHECK(r.check->method == "HEAD");
    CHECK(r.check->tls_skip_verify);
    CHECK(r.check->initial_status == "warning");
    CHECK(r.check->failures_before_critical == 3);
}

TEST_CASE("a gRPC check may name the service; commands are split, not given to a shell") {
    CHECK(read({{"grpc", "bev.Search"}}).check->grpc_service == "bev.Search");
    CHECK(read({{"grpc", "true"}}).check->grpc_service.empty());
    CHECK(read({{"script", "/bin/x 'a b'"}}).check->command ==
          std::vector<std::string>{"/bin/x", "a b"});
}

TEST_CASE("an image cannot have a file of the node read and sent to it") {
    auto const r = read({{"redis", "true"}, {"password_file", "/etc/shadow"}});
    REQUIRE(r.check);
    CHECK(r.check->password_file.empty());
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].setting == "password_file");
}

TEST_CASE("of several kinds the first counts, the others are told") {
    auto const r = read({{"tcp", "true"}, {"http", "/"}});
    REQUIRE(r.check);
    CHECK(r.check->kind == check_kind::http);
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].setting == "tcp");
}

TEST_CASE("a bad setting is left out, a bad kind leaves out the check") {
    struct row {
        settings given;
        std::string problem;
        bool kept;
    };
    for (auto const& r : std::vector<row>{
             {{{"tcp", "true"}, {"interval", "15"}}, "interval", true},
             {{{"tcp", "true"}, {"interval", "0s"}}, "interval", true},
             {{{"tcp", "true"}, {"tls", "perhaps"}}, "tls", true},
             {{{"tcp", "true"}, {"header", "novalue"}}, "header", true},
             {{{"tcp", "true"}, {"header", ":x"}}, "header", true},
             {{{"tcp", "true"}, {"header.", "x"}}, "header.", true},
             {{{"tcp", "true"}, {"intervall", "5s"}}, "intervall", true},
             {{{"tcp", "true"}, {"initial_status", "ok"}}, "initial_status", true},
             {{{"tcp", "true"}, {"success_before_passing", "-1"}}, "success_before_passing", true},
             {{{"tcp", "true"}, {"failures_before_critical", "99999999999"}},
              "failures_before_critical",
              true},
             {{{"tcp", "8080"}}, "tcp", false},
             {{{"ttl", "30"}}, "ttl", false},
             {{{"script", "'"}}, "script", false},
             {{{"docker", "  "}}, "docker", false},
             {{{"http", ""}}, "http", false},
             {{{"interval", "5s"}}, "", false}}) {
        auto const found = read(r.given);
        CAPTURE(r.problem);
        CHECK(found.check.has_value() == r.kept);
        REQUIRE(found.problems.size() == 1);
        CHECK(found.problems[0].setting == r.problem);
        CHECK_FALSE(found.problems[0].expected.empty());
    }
}
