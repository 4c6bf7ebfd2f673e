// What the Vault client sends, to which server, and what it makes of answers good and bad.
#include <nlohmann/json.hpp>

#include "mesh/vault/client.hpp"
#include "mesh/vault/login.hpp"
#include "mesh/vault/transport.hpp"
#include "tests/catch.hpp"
#include "tests/mesh/api_fixture.hpp"
#include "tests/mesh/recorded.hpp"

using namespace bevmesh;
using namespace bevmesh::testing;

namespace {

vault_config settings() {
    vault_config s;
    s.pki.mount = "pki_bev";
    s.pki.root_mount = "pki_bev_root";
    s.pki.role = "service-thanos";
    s.approle.role = "bevmesh-thanos";
    return s;
}

std::string document(std::string const& name) {
    return recorded("openbao-2.7/" + name);
}

std::string http_answer(std::string const& status, std::string const& headers,
                        std::string const& body) {
    return "HTTP/1.1 " + status + "\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Servers before and after a good one, which is `api`.
struct cluster {
    /// `before` are tried first, in order.
    explicit cluster(std::vector<net::endpoint> before = {}) {
        std::vector<std::unique_ptr<net::http_client>> all;
        for (auto& where : before)
            all.push_back(client_of(api.loop, std::move(where)));
        all.push_back(client_of(api.loop, net::parse_endpoint(api.address(), 1).value()));
        servers = std::make_unique<vault::transport>(std::move(all), "", 0);
    }
    vault::client& client() {
        if (!client_) {
            client_ = vault::make_client(std::move(servers), settings());
            client_->set_token(secret("t0ken"));
        }
        return *client_;
    }
    [[nodiscard]] std::string token_of_last() const {
        for (auto const& [name, value] : api.asked.back().headers)
            if (name == "X-Vault-Token") return value;
        return "none";
    }

    api_double api;
    std::unique_ptr<vault::transport> servers;
    std::unique_ptr<vault::client> client_;
};

std::string sealed_answer() {
    return http_answer("503 Service Unavailable", "", document("sealed.json"));
}

/// Servers that speak bytes, tried in the order in which they were added.
struct scripted_cluster {
    scripted_server const& add(std::vector<script> scripts) {
        all.push_back(std::make_unique<scripted_server>(loop, std::move(scripts)));
        return *all.back();
    }
    std::unique_ptr<vault::client> client() {
        std::vector<std::unique_ptr<net::http_client>> clients;
        for (auto const& server : all)
            clients.push_back(client_of(loop, server->where()));
        auto made = vault::make_client(
            std::make_unique<vault::transport>(std::move(clients), "", 0), settings());
        made->set_token(secret("t0ken"));
        return made;
    }
    template <class T>
    T call(awaitable<T> operation) {
        std::optional<T> out;
        auto const keep = [](awaitable<T> op, std::optional<T>& into) -> awaitable<void> {
            into = co_await std::move(op);
        };
        run(loop, keep(std::move(operation), out));
        return std::move(*out);
    }

    boost::asio::io_context loop;
    std::vector<std::unique_ptr<scripted_server>> all;
};

vault::sign_request wanted() {
    vault::sign_request w;
    w.csr = "CSR";
    w.common_name = "redis.service.consul";
    return w;
}

awaitable<bool> done(bool well) {
    co_return well;
}

char const* const sign_path = "POST /v1/pki_bev/sign/service-thanos";

}  // namespace

TEST_CASE("a CSR goes to the role of the configuration, with the token") {
    cluster c;
    c.api.on(sign_path, 200, document("sign.json"));
    auto const s = call(c.api, c.client().sign(wanted()));
    CHECK(s->chain.size() == 2);
    CHECK(c.token_of_last() == "t0ken");
    CHECK(nlohmann::json::parse(c.api.asked.back().body)["csr"] == "CSR");
    auto canary = wanted();
    canary.issuer = "new one";
    c.api.on("POST /v1/pki_bev/issuer/new%20one/sign/service-thanos", 200, document("sign.json"));
    CHECK(call(c.api, c.client().sign(std::move(canary))).has_value());
}

TEST_CASE("without a token nothing is sent") {
    cluster c;
    c.client().set_token(secret());
    CHECK(call(c.api, c.client().sign(wanted())).error().code == errc::forbidden);
    CHECK(c.api.asked.empty());
}

TEST_CASE("a refused CSR is asked for once and not elsewhere") {
    cluster c;
    c.api.on(sign_path, 400, document("sign-refused.json"));
    auto const refused = call(c.api, c.client().sign(wanted())).error();
    CHECK(refused.code == errc::bad_input);
    CHECK_FALSE(vault::is_transient(refused));
    CHECK(refused.doing.find("URI Subject Alternative Names") != std::string::npos);
    CHECK(c.api.asked.size() == 1);
}

TEST_CASE("a sealed server and one that breaks off: the next one signs") {
    scripted_cluster c;
    auto const& sealed = c.add({answer_and_close(sealed_answer())});
    auto const& broken = c.add({answer_and_close(http_answer("200 OK", "", "x").substr(0, 30))});
    c.add(
        {answer_and_close(http_answer("200 OK", "Connection: close\r\n", document("sign.json")))});
    auto const client = c.client();
    CHECK(c.call(client->sign(wanted())).has_value());
    // They are not tried first again at once.
    CHECK(c.call(client->sign(wanted())).has_value());
    CHECK(sealed.connections() == 1);
    CHECK(broken.connections() == 1);
}

TEST_CASE("all servers away is told of each, and may pass") {
    scripted_cluster c;
    c.add({answer_and_close(sealed_answer())});
    c.add({answer_and_close("nonsense")});
    auto const away = c.call(c.client()->sign(wanted())).error();
    CHECK(vault::is_transient(away));
    CHECK(away.doing.find("Vault is sealed") != std::string::npos);
    CHECK(away.doing.find("; POST /v1/pki_bev/sign/service-thanos at 127.0.0.1:") !=
          std::string::npos);
    CHECK(away.doing.find("t0ken") == std::string::npos);
}

TEST_CASE("the token goes to no server that only a redirect names") {
    boost::asio::io_context loop;
    scripted_server const stranger(loop, {echo()});
    scripted_cluster c;
    c.add({answer_and_close(
        http_answer("307 Temporary Redirect",
                    "Location: http://" + net::to_string(stranger.where()) + "/v1/x\r\n", ""))});
    CHECK(vault::is_transient(c.call(c.client()->sign(wanted())).error()));
    CHECK(stranger.connections() == 0);
}

TEST_CASE("a token that is not known is mended once, and the call made again") {
    cluster c;
    c.api.on(sign_path, 403, document("bad-token.json"));
    unsigned mended = 0;
    c.client().on_unknown_token([&](secret used) {
        CHECK(used.reveal() == "t0ken");
        ++mended;
        c.client().set_token(secret("new"));
        c.api.on(sign_path, 200, document("sign.json"));
        return done(true);
    });
    CHECK(call(c.api, c.client().sign(wanted())).has_value());
    CHECK(mended == 1);
    CHECK(c.token_of_last() == "new");
    // What a policy forbids, no login mends.
    c.api.on(sign_path, 403, document("no-policy.json"));
    CHECK(call(c.api, c.client().sign(wanted())).error().code == errc::forbidden);
    CHECK(mended == 1);
}

TEST_CASE("the trust bundle is every issuer of both mounts, each once, without a token") {
    cluster c;
    auto const listed = document("issuers.json");
    auto const ids = nlohmann::json::parse(listed)["data"]["keys"];
    c.api.on("GET /v1/pki_bev/issuers?list=true", 200, listed);
    c.api.on("GET /v1/pki_bev_root/issuers?list=true", 200, listed);
    unsigned n = 0;
    for (auto const& id : ids) {
        auto const pem = "PEM " + std::to_string(n++);
        for (auto const* const mount : {"pki_bev", "pki_bev_root"})
            c.api.on("GET /v1/" + std::string(mount) + "/issuer/" + id.get<std::string>() + "/pem",
                     200, pem + "\n");
    }
    auto const all = call(c.api, c.client().issuers()).value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].certificate == "PEM 0");
    CHECK(c.token_of_last() == "none");
}

TEST_CASE("a CA whose key is elsewhere has no CRL, which is no failure") {
    cluster c;
    auto const ids = nlohmann::json::parse(document("issuers.json"))["data"]["keys"];
    c.api.on("GET /v1/pki_bev/issuers?list=true", 200, document("issuers.json"));
    c.api.on("GET /v1/pki_bev_root/issuers?list=true", 200, R"({"data":{"keys":[]}})");
    auto const path = "GET /v1/pki_bev/issuer/";
    c.api.on(path + ids[0].get<std::string>() + "/crl/pem", 500, document("crl-none.json"));
    c.api.on(path + ids[1].get<std::string>() + "/crl/pem", 200, document("crl.pem"));
    auto const pem = call(c.api, c.client().crls()).value();
    CHECK(pem.starts_with("-----BEGIN X509 CRL-----"));
    CHECK(pem.ends_with("-----END X509 CRL-----\n"));
}

TEST_CASE(
    "CRLs are of the CAs of the bundle: of no mount that has none, and of none that is retired") {
    cluster c;
    auto listed = nlohmann::json::parse(document("issuers.json"));
    auto const ids = listed["data"]["keys"];
    auto const retired = ids[0].get<std::string>();
    listed["data"]["key_info"][retired]["issuer_name"] = std::string(vault::retired_prefix) + "ca";
    c.api.on("GET /v1/pki_bev/issuers?list=true", 200, listed.dump());
    c.api.on("GET /v1/pki_bev_root/issuers?list=true", 404, R"({"errors":[]})");
    c.api.on("GET /v1/pki_bev/issuer/" + ids[1].get<std::string>() + "/crl/pem", 200,
             document("crl.pem"));
    auto const pem = call(c.api, c.client().crls());
    REQUIRE(pem.has_value());
    CHECK(pem->starts_with("-----BEGIN X509 CRL-----"));
    CHECK(c.token_of_last() == "none");
}

TEST_CASE("secrets by mount and path, slashes kept") {
    cluster c;
    c.api.on("GET /v1/bev/data/a/b%20c", 200, document("kv.json"));
    CHECK(call(c.api, c.client().read_secret("bev/", "a/b c"))->data.size() == 2);
    c.api.on("GET /v1/bev/data/gone", 404, document("kv-deleted.json"));
    CHECK(call(c.api, c.client().read_secret("bev", "gone")).error().code == errc::not_found);
}

TEST_CASE("health is of each server, of those that cannot be asked, too") {
    net::endpoint nobody;
    nobody.host = "127.0.0.1";
    nobody.port = 1;
    cluster c({nobody});
    c.api.on("GET /v1/sys/health", 503, document("health-sealed.json"));
    auto const reports = call(c.api, c.client().health());
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].health.has_error());
    CHECK(reports[1].health->state == vault::node_state::sealed);
}

TEST_CASE("a login goes with role and secret ID and without a token") {
    cluster c;
    auto const login = vault::make_login_client(std::move(c.servers), settings().approle);
    c.api.on("POST /v1/auth/approle/login", 200, document("login.json"));
    auto const t = call(c.api, login->login("role", secret("sid")));
    CHECK(t->lease == seconds(86'400));
    CHECK(c.token_of_last() == "none");
    CHECK(nlohmann::json::parse(c.api.asked.back().body) ==
          nlohmann::json{{"role_id", "role"}, {"secret_id", "sid"}});
    c.api.on("POST /v1/auth/approle/login", 400, document("login-refused.json"));
    CHECK(call(c.api, login->login("role", secret("no"))).error().code == errc::bad_input);
}

TEST_CASE("a secret ID that Vault does not know is answered with nothing") {
    cluster c;
    auto const login = vault::make_login_client(std::move(c.servers), settings().approle);
    auto const* const path = "POST /v1/auth/approle/role/bevmesh-thanos/secret-id/lookup";
    c.api.on(path, 204, "");
    CHECK(call(c.api, login->look_up_secret_id(secret("t"), secret("sid"))).error().code ==
          errc::not_found);
    c.api.on(path, 200, document("secret-id-lookup.json"));
    CHECK(call(c.api, login->look_up_secret_id(secret("t"), secret("sid")))->lease ==
          seconds(2'592'000));
}

TEST_CASE("addresses without TLS are refused, as there is no switch for it") {
    boost::asio::io_context loop;
    auto plain = settings();
    plain.addresses = {"http://127.0.0.1:8200"};
    auto const made = vault::make_client(loop.get_executor(), plain, node_config());
    CHECK(made.error().doing.find("expected https://") != std::string::npos);
}
