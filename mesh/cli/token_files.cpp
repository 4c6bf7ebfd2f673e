#include "mesh/cli/token_files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mesh/consul/acl.hpp"
#include "mesh/daemon/state.hpp"

namespace bevmesh::cli {
namespace {

constexpr std::size_t file_max = 64U << 10U;

failure system_failure(std::string const& doing) {
    return {errc::local_error, doing + ": " + std::strerror(errno)};
}

/// Absent: empty.
result<std::string> read_whole(std::string const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) return std::string();
    if (fd < 0) return system_failure("read " + path);
    std::string text(file_max, '\0');
    auto const n = ::read(fd, text.data(), text.size());
    auto const failed = n < 0 ? system_failure("read " + path) : failure{};
    ::close(fd);
    if (n < 0) return failed;
    text.resize(static_cast<std::size_t>(n));
    return text;
}

/// Ours, and nobody else's to write to, where it is there.
result<void> check_directory(std::string const& path) {
    struct stat is{};
    if (::lstat(path.c_str(), &is) != 0) {
        if (errno == ENOENT) return {};
        return system_failure("look at " + path);
    }
    if (!S_ISDIR(is.st_mode)) return failure{errc::local_error, path + " is no directory"};
    if (is.st_uid != ::geteuid() || (is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return failure{errc::local_error,
                       path + ": others may write there; give tokens a directory of your own"};
    return {};
}

result<void> own_directory(std::string const& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_failure("make " + path);
    return check_directory(path);
}

}  // namespace

result<secret> read_secret(std::string const& path) {
    auto text = read_whole(path);
    if (!text) return text.error();
    text->resize(std::min(text->find('\n'), text->size()));
    text->resize(text->find_last_not_of(" \t\r") + 1);
    return secret(std::move(*text));
}

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
    auto const node_directory = path.substr(0, path.rfind('/'));
    for (auto const& directory : {directory_, node_directory})
        if (auto const made = own_directory(directory); !made) return made.error();
    return daemon::replace_file(path, content.reveal());
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
