// Files that log in: taken when they are this user's alone, refused with what to do otherwise.
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "mesh/vault/secret_file.hpp"
#include "mesh/vault/session_driver.hpp"
#include "tests/catch.hpp"

using namespace bevmesh;

namespace {

struct place {
    place() {
        std::string name = "/tmp/bevmesh-vault-files.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~place() { std::filesystem::remove_all(path); }
    place(place const&) = delete;
    place& operator=(place const&) = delete;

    std::string file(std::string const& name, std::string const& text, mode_t mode = 0600) const {
        auto const full = path + "/" + name;
        std::ofstream(full) << text;
        REQUIRE(::chmod(full.c_str(), mode) == 0);
        return full;
    }
    std::string path;
};

}  // namespace

TEST_CASE("the first line of a file of mode 0600 or 0400 is the secret") {
    place const p;
    CHECK(vault::read_secret_file(p.file("a", "s3cret \nmore\n"))->reveal() == "s3cret");
    CHECK(vault::read_secret_file(p.file("b", "x", 0400))->reveal() == "x");
}

TEST_CASE("a file that others can read or write is refused with what to do") {
    place const p;
    for (mode_t const mode : {0640U, 0604U, 0660U, 0644U, 0620U}) {
        auto const path = p.file("s", "s3cret\n", mode);
        auto const refused = vault::read_secret_file(path).error();
        CHECK(refused.code == errc::local_error);
        CHECK(refused.doing.find("expected 0600: chmod 600 " + path) != std::string::npos);
        CHECK(refused.doing.find("s3cret") == std::string::npos);
    }
    CHECK(vault::read_secret_file(p.file("m", "x", 0644)).error().doing.find("mode 0644") !=
          std::string::npos);
}

TEST_CASE("what is no file, or empty, is said; what is not there is its own failure") {
    place const p;
    CHECK(vault::read_secret_file(p.path).error().code == errc::local_error);
    CHECK(vault::read_secret_file(p.file("e", "\n")).error().doing.find("is empty") !=
          std::string::npos);
    CHECK(vault::read_secret_file(p.path + "/none").error().code == errc::not_found);
}

TEST_CASE("a role ID is needed, a secret ID may be in the state instead") {
    place const p;
    approle_config how;
    how.role_id_file = p.path + "/role";
    how.secret_id_file = p.path + "/secret";
    CHECK(vault::read_session_files(how).error().code == errc::local_error);
    p.file("role", "r\n");
    CHECK(vault::read_session_files(how)->secret_id.empty());
    p.file("secret", "s\n", 0644);
    CHECK(vault::read_session_files(how).has_error());
}

TEST_CASE("NODE in role names is the node") {
    vault_config settings;
    auto const own = vault::for_node(settings, "thanos");
    CHECK(own.approle.role == "bevmesh-thanos");
    CHECK(own.pki.role == "service-thanos");
    CHECK(vault::policy_for(own.approle, "thanos").wrapped_path ==
          "auth/approle/role/bevmesh-thanos/secret-id");
}
