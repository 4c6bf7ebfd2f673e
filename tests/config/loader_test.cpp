#include "config/loader.hpp"

#include <cstdlib>
#include <fstream>
#include <unistd.h>

#include "config/source.hpp"
#include "tests/catch.hpp"
#include "tests/config/problems.hpp"

namespace bevmesh::config {
namespace {

class temporary_file {
public:
    explicit temporary_file(std::string const& text) {
        std::string name = "/tmp/bevmesh-config-test-XXXXXX";
        int const fd = mkstemp(name.data());
        REQUIRE(fd >= 0);
        ::close(fd);
        path_ = name;
        std::ofstream(path_) << text;
    }
    ~temporary_file() { ::unlink(path_.c_str()); }
    temporary_file(temporary_file const&) = delete;
    temporary_file& operator=(temporary_file const&) = delete;

    [[nodiscard]] std::string const& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace

TEST_CASE("a small document has every default filled in") {
    auto const file = load_text(head, "f");
    REQUIRE(file.problems.empty());
    mesh_config expected;
    expected.name = "bev";
    expected.nodes["n1"].address = "10.0.0.1";
    expected.nodes["n2"].address = "10.0.0.2";
    CHECK(file.value == expected);
    CHECK(file.where.of("nodes.n2.address") == position{2, 48});
}

TEST_CASE("everything that is wrong is told at once, in the order of the document") {
    CHECK(
        problems_of("mesh: {name: BEV, domian: consul}\n"
                    "nodes:\n"
                    "  thanos: {address: 100.122.12.54}\n"
                    "  thanos: {address: 100.122.12.54}\n"
                    "registrar: {resync: 30}\n"
                    "services:\n"
                    "  redis:\n"
                    "    match: {container: redis}\n"
                    "    nodes: [tanos]\n"
                    "    port: 70000\n"
                    "    checks: [htpp: /health]\n"
                    "  cache: {match: {container: cache}, port: 80}\n"
                    "  web: {match: {container: web}, port: 80}\n") ==
        lines{"f:1:14: mesh.name: \"BEV\" is not valid; expected a DNS label (RFC 1123): a-z, 0-9 "
              "and -, at most 63, no - at either end",
              "f:1:19: mesh.domian: unknown key, did you mean domain; expected one of name, "
              "domain, datacenter",
              "f:4:3: nodes.thanos: the key is there twice, first in line 3; expected each key "
              "once",
              "f:5:21: registrar.resync: 30 has no unit; expected a duration from 1s to 1h, such "
              "as 500ms, 30s or 1m30s",
              "f:9:13: services.redis.nodes[0]: \"tanos\" is no node of this mesh, did you mean "
              "thanos; expected one of thanos",
              "f:10:11: services.redis.port: 70000 is out of range; expected a port from 1 to "
              "65535",
              "f:11:14: services.redis.checks[0]: \"htpp\" is no kind of check, did you mean http; "
              "expected one of tcp, http, https, udp, grpc, h2ping, script, docker, ttl, alias, "
              "redis, postgres",
              "f:13:40: services.web.port: 80/tcp on thanos is taken by services.cache.port (line "
              "12); expected each port once on a node"});
}

TEST_CASE("a file is read, from a pipe too, and named in its problems") {
    temporary_file const good(head);
    CHECK(load_file(good.path()).problems.empty());
    temporary_file const bad("mesh: 5\n");
    auto const problems = load_file(bad.path()).problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].file == bad.path());
}

TEST_CASE("a file that cannot be read is one problem") {
    auto const text = [](std::string const& path) {
        auto const problems = load_file(path).problems;
        return problems.size() == 1 ? to_string(problems[0]) : "other than one problem";
    };
    CHECK(text("/nonexistent/bev.yaml") ==
          "/nonexistent/bev.yaml: cannot be read: No such file or directory");
    CHECK(text("/") == "/: cannot be read: Is a directory");
}

TEST_CASE("a file without end is read up to the limit") {
    auto const problems = load_file("/dev/zero").problems;
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message == "larger than 1 MiB");
}

}  // namespace bevmesh::config
