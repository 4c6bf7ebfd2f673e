#include "certs/generation.hpp"

#include <utility>

namespace bevmesh::certs {
namespace {

std::string joined(std::vector<std::string> const& pems) {
    std::string text;
    for (auto const& each : pems)
        text += each + (each.ends_with('\n') ? "" : "\n");
    return text;
}

std::vector<std::string> certificates_in(std::vector<stored_file> const& files) {
    auto const* const file = find_file(files, file_names::certificate);
    return file == nullptr ? std::vector<std::string>() : split_pem(file->reveal());
}

}  // namespace

result<std::vector<stored_file>> files_of(material const& m, key_form const& how) {
    auto chain = m.got.chain;
    chain.insert(chain.begin(), m.got.certificate);
    auto const certificate = joined(chain);
    auto const key = how.traditional ? m.key.traditional() : m.key.pkcs8();
    std::vector<stored_file> files;
    auto const add = [&files](std::string_view name, secret content, mode_t mode) {
        files.push_back({std::string(name), std::move(content), mode});
    };
    if (!m.crls.empty()) add(file_names::crls, secret(m.crls), 0644);
    add(file_names::trusted, secret(joined(m.got.trusted)), 0644);
    add(file_names::key, key, how.mode);
    add("combined.pem", secret(std::string(key.reveal()) + certificate), how.mode);
    if (!how.pkcs12_password.empty()) {
        auto bag = m.key.pkcs12(m.got.certificate, m.got.chain, how.pkcs12_password);
        if (bag.has_error()) return bag.error();
        add("keystore.p12", std::move(*bag), how.mode);
    }
    add(file_names::certificate, secret(certificate), 0644);
    return files;
}

result<material> read_material(std::vector<stored_file> const& files) {
    auto const* const pem = find_file(files, file_names::key);
    auto chain = certificates_in(files);
    if (chain.empty() || pem == nullptr) return missing_file();
    auto key = private_key::read(*pem);
    if (key.has_error()) return key.error();
    granted made;
    made.certificate = std::move(chain.front());
    chain.erase(chain.begin());
    made.chain = std::move(chain);
    auto const* const crls = find_file(files, file_names::crls);
    return material{std::move(*key), std::move(made),
                    crls == nullptr ? std::string() : std::string(crls->reveal())};
}

secret const* find_file(std::vector<stored_file> const& files, std::string_view name) {
    for (auto const& each : files)
        if (each.name == name) return &each.content;
    return nullptr;
}

failure missing_file() {
    return {errc::local_error, "a file of the generation is missing"};
}

std::string certificate_in(std::vector<stored_file> const& files) {
    auto const all = certificates_in(files);
    return all.empty() ? std::string() : all.front();
}

}  // namespace bevmesh::certs
