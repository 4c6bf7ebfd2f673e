#include "mesh/cli/token_files.hpp"

#include <unistd.h>

#include "mesh/cli/secret_files.hpp"
#include "mesh/consul/acl.hpp"

namespace bevmesh::cli {
std::string token_files::path_of(consul::token_slot const& slot) const {
    return directory_ + "/" + slot.node +
           (slot.role == consul::token_role::daemon ? "/consul.token" : "/acl-tokens.json");
}

result<std::map<consul::token_slot, secret>> token_files::read(
    std::vector<std::string> const& nodes) const {
    // Before anything is made in Consul, that then had no place.
    if (auto const ours = check_directory(directory_); !ours) return ours.error();
    std::map<consul::token_slot, secret> found;
    auto const keep = [&](consul::token_slot slot, secret token) {
        if (!token.empty()) found.emplace(std::move(slot), std::move(token));
    };
    for (auto const& node : nodes) {
        auto const ours = check_directory(directory_ + "/" + node);
        if (!ours) return ours.error();
        consul::token_slot const daemon{node, consul::token_role::daemon};
        auto own = read_secret(path_of(daemon));
        if (!own) return own.error();
        keep(daemon, std::move(*own));
        consul::token_slot const agent{node, consul::token_role::agent};
        auto const text = read_whole(path_of(agent));
        if (!text) return text.error();
        if (text->empty()) continue;
        auto tokens = consul::decode_agent_tokens(*text);
        if (!tokens)
            return failure{errc::local_error, path_of(agent) + ": " + tokens.error().doing};
        keep(agent, std::move(tokens->agent));
        keep({node, consul::token_role::dns}, std::move(tokens->dns));
    }
    return found;
}

result<void> token_files::put(std::string const& path, secret const& content) const {
    return write_secret(directory_, path, content);
}

result<void> token_files::write(consul::token_slot const& slot, secret const& token) const {
    auto const path = path_of(slot);
    if (slot.role == consul::token_role::daemon)
        return put(path, secret(std::string(token.reveal()) + "\n"));
    auto const before = read_whole(path);
    if (!before) return before.error();
    auto tokens = before->empty() ? consul::agent_tokens{} : consul::decode_agent_tokens(*before);
    if (!tokens) return tokens.error();
    (slot.role == consul::token_role::agent ? tokens->agent : tokens->dns) = token;
    return put(path, consul::encode_agent_tokens(*tokens));
}

result<secret> token_files::management() const {
    return read_secret(management_path());
}

result<void> token_files::write_management(secret const& token) const {
    return put(management_path(), secret(std::string(token.reveal()) + "\n"));
}

void token_files::remove_management() const {
    ::unlink(management_path().c_str());
}

}  // namespace bevmesh::cli
