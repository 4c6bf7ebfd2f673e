// What a keeper writes: keys in every form, and CRLs.
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "certs/crl.hpp"
#include "tests/certs/keeper_world.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;
using namespace bevmesh::certs::testing;

namespace {

std::string text_of(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(fs::path const& path) {
    struct stat is{};
    REQUIRE(::stat(path.c_str(), &is) == 0);
    return is.st_mode & 07777U;
}

using certificate_file = std::unique_ptr<X509, decltype(&X509_free)>;
using key_file = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using buffer = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

buffer buffer_of(std::string const& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all};
}

certificate_file certificate_in(std::string const& pem) {
    return {PEM_read_bio_X509(buffer_of(pem).get(), nullptr, nullptr, nullptr), &X509_free};
}

key_file key_in(std::string const& pem) {
    return {PEM_read_bio_PrivateKey(buffer_of(pem).get(), nullptr, nullptr, nullptr),
            &EVP_PKEY_free};
}

struct keystore {
    certificate_file certificate{nullptr, &X509_free};
    key_file key{nullptr, &EVP_PKEY_free};
    int others = 0;
};

/// Its key is null where the password does not open it.
keystore keystore_in(std::string const& bytes, char const* password) {
    std::unique_ptr<PKCS12, decltype(&PKCS12_free)> const bag(
        d2i_PKCS12_bio(buffer_of(bytes).get(), nullptr), &PKCS12_free);
    REQUIRE(bag != nullptr);
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    STACK_OF(X509)* others = nullptr;
    keystore found;
    if (PKCS12_parse(bag.get(), password, &key, &certificate, &others) != 1) return found;
    found.key.reset(key);
    found.certificate.reset(certificate);
    found.others = sk_X509_num(others);
    sk_X509_pop_free(others, X509_free);
    return found;
}

}  // namespace

TEST_CASE("the key of every file is the certificate's: traditional, combined, and in a keystore") {
    world w;
    w.settings.key.traditional = true;
    w.settings.key.pkcs12_password = secret("let me in");
    w.settings.key.mode = 0600;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const current = w.root / "redis/current";
    auto const chain = text_of(current / "cert.pem");
    auto const certificate = certificate_in(chain);
    REQUIRE(certificate != nullptr);
    CHECK(read_leaf(certificate.get()).serial == k.state().proven->serial);

    auto const key = text_of(current / "key.pem");
    CHECK(key.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    CHECK(X509_check_private_key(certificate.get(), key_in(key).get()) == 1);
    // Key first: there are programs that read no further than what they look for.
    CHECK(text_of(current / "combined.pem") == key + chain);
    auto const store = text_of(current / "keystore.p12");
    auto const opened = keystore_in(store, "let me in");
    REQUIRE(opened.key != nullptr);
    CHECK(X509_cmp(opened.certificate.get(), certificate.get()) == 0);
    CHECK(X509_check_private_key(certificate.get(), opened.key.get()) == 1);
    CHECK(opened.others == static_cast<int>(split_pem(chain).size()) - 1);
    CHECK(keystore_in(store, "let me").key == nullptr);
    for (auto const* name : {"key.pem", "combined.pem", "keystore.p12"})
        CHECK(mode_of(current / name) == 0600);
}

TEST_CASE("without a password there is no keystore, and the key is PKCS#8") {
    world w;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const current = w.root / "redis/current";
    CHECK_FALSE(fs::exists(current / "keystore.p12"));
    auto const key = text_of(current / "key.pem");
    CHECK(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    CHECK(text_of(current / "combined.pem").starts_with(key));
}

TEST_CASE("CRLs are a file beside the bundle, and another one costs no signature") {
    world w;
    w.settings.reads_crl = true;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    CHECK(w.content("crl.pem").empty());
    auto const first = w.vault.authority.crl({});
    w.trust(first);
    w.run_until([&] { return !k.state().proven->crl.empty(); });
    CHECK(w.content("crl.pem") == first);
    auto const second = w.vault.authority.crl({"abcd99"});
    w.trust(second);
    w.run_until([&] { return k.state().proven->crl == crl_hash(second); });
    CHECK(w.content("crl.pem") == second);
    // Nobody knows any: what there is stays, also beside another certificate.
    w.trust("");
    w.made->rotate();
    w.run_until([&] { return w.vault.signs == 2 && k.state().proven->serial == "abcd02"; });
    CHECK(w.content("crl.pem") == second);
    std::optional<std::vector<std::string>> both;
    bevmesh::testing::run(w.loop, ask_certificates(&k, &both));
    CHECK(both->size() == 2);
}

TEST_CASE("a daemon that starts while Vault's CRLs cannot be seen keeps those that there are") {
    world w;
    auto const list = w.vault.authority.crl({"abcd99"});
    w.settings.reads_crl = true;
    w.make();
    w.trust(list);
    w.run_until([&] { return w.made->state().proven && w.content("crl.pem") == list; });
    auto const before = w.made->state();
    w.make(before);
    w.made->rotate();
    w.run_until([&] { return w.made->state().proven->serial != before.proven->serial; });
    CHECK(w.content("crl.pem") == list);
}

TEST_CASE("a service that reads no CRL has no such file, and is not told of one") {
    world w;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    w.trust(w.vault.authority.crl({}));
    w.run_until([&] { return k.state().proven->generation == 2; });
    w.trust(w.vault.authority.crl({"abcd99"}));
    CHECK(k.state().doing == operation::none);
    CHECK_FALSE(fs::exists(w.root / "redis/current/crl.pem"));
}

TEST_CASE("a certificate that is on a CRL while it is in use is replaced") {
    world w;
    w.settings.reads_crl = true;
    auto const& k = w.make();
    w.run_until([&] { return k.state().proven.has_value(); });
    auto const serial = k.state().proven->serial;
    w.made->revoked(serial);
    w.run_until([&] { return k.state().proven->serial != serial; });
    CHECK(w.vault.signs == 2);
    REQUIRE(w.alarms.size() == 1);
    CHECK(w.alarms.front().find("was revoked") != std::string::npos);
}
