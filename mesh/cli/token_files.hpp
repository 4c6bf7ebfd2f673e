// The files that `bevmesh consul bootstrap` leaves for the nodes, below one directory of ours:
//
//   management.token        the first token of a new cluster (--init)
//   NODE/consul.token       the daemon's; goes to consul.token_file of the configuration
//   NODE/acl-tokens.json    the Consul agent's own and its DNS'; goes to its configuration
//   directory
//
// Files are born with mode 0600 and replaced whole, directories with 0700. A directory that
// somebody else could write to is refused: what is put there could be exchanged.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/consul/bootstrap.hpp"

namespace bevmesh::cli {

class token_files {
public:
    explicit token_files(std::string directory) : directory_(std::move(directory)) {}

    /// Secrets of the files that are there; makes nothing.
    [[nodiscard]] result<std::map<consul::token_slot, secret>> read(
        std::vector<std::string> const& nodes) const;
    [[nodiscard]] result<void> write(consul::token_slot const& slot, secret const& token) const;

    /// Empty: there is none.
    [[nodiscard]] result<secret> management() const;
    [[nodiscard]] result<void> write_management(secret const& token) const;
    void remove_management() const;

    [[nodiscard]] std::string path_of(consul::token_slot const& slot) const;
    [[nodiscard]] std::string management_path() const { return directory_ + "/management.token"; }

private:
    [[nodiscard]] result<void> put(std::string const& path, secret const& content) const;

    std::string directory_;
};

}  // namespace bevmesh::cli
