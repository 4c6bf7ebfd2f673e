// A real PostgreSQL whose certificate must be for the address that it is met at.
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "mesh/postgres/connection.hpp"
#include "tests/catch.hpp"
#include "tests/failover/postgres/pair.hpp"
#include "tests/mesh/certificates.hpp"

namespace bevmesh::failover::postgres {
namespace {

using namespace testing;

void show(postgres_process const& server, issued const& files) {
    auto const data = server.data();
    std::ofstream(data + "/postgresql.conf", std::ios::app) << "\nssl = on\n";
    for (auto const& [from, name] :
         {std::pair(files.cert_file, "/server.crt"), std::pair(files.key_file, "/server.key")}) {
        std::filesystem::copy_file(from, data + name);
        REQUIRE(::chown((data + name).c_str(), 65534, 65534) == 0);
    }
}

/// Empty: it is let in.
std::string refusal(std::string const& names) {
    authority ca;
    postgres_process server("a");
    std::string why;
    on_loop(
        [](executor on, postgres_process& one, authority& by, std::string const& its_names,
           std::string& said) -> awaitable<void> {
            one.init();
            show(one, by.issue(its_names));
            one.start();
            auto login = one.login();
            login.ssl_mode = "verify-full";
            login.ssl_root_cert = by.ca_file();
            auto const met = bevmesh::postgres::make_connection(on, login);
            auto const opened = co_await met->open(std::chrono::steady_clock::now() + limit);
            if (!opened) said = describe(opened.error());
        },
        server, ca, names, why);
    return why;
}

}  // namespace

TEST_CASE("a server at a literal address is let in by its certificate's address, and no other") {
    CHECK(refusal("IP:127.0.0.1").empty());
    CHECK_THAT(refusal("IP:127.0.0.9,DNS:localhost"), Catch::Contains("127.0.0.1"));
}

TEST_CASE("a file of ours that is gone says nothing of the server") {
    authority ca;
    auto const shown = ca.issue("IP:127.0.0.1");
    postgres_process server("a");
    on_loop(
        [](executor on, postgres_process& one, issued const& files) -> awaitable<void> {
            one.init();
            show(one, files);
            one.start();
            server_options how;
            auto login = one.login();
            login.ssl_mode = "verify-full";
            login.ssl_root_cert = "/nowhere/ca.pem";
            how.login = [login] { return login; };
            auto const s = make_server(on, std::move(how));
            auto const seen = co_await s->probe(limit);
            REQUIRE(seen.has_error());
            INFO(seen.error().detail);
            CHECK(seen.error().why == condition::bad_credentials);
        },
        server, shown);
}

}  // namespace bevmesh::failover::postgres
