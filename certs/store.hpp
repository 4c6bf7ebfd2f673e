// A service's certificate files: a directory with a generation each, and those in use.
//
//   FOLDER/.gen-7/{cert.pem,key.pem,...}   written whole, with owner and mode, before anybody
//   FOLDER/current -> .gen-7               reads it: one rename changes every file at once
//
// For programs that cannot follow a link that moves, `flat` has the files in FOLDER itself, each
// renamed into its place in the order given (what is trusted before the key, the certificate last);
// `inplace` overwrites them, for single files that are bound into a container, where a rename would
// not be seen. Between two of the files both of these are mixed for a moment; `linked` never is.
// Owner and mode are set before there is content. Links are not followed where files are made.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/os/descriptor.hpp"

namespace bevmesh::certs {

enum class layout { linked, flat, inplace };

struct ownership {
    std::optional<uid_t> user;  // absent: the daemon's
    std::optional<gid_t> group;
    mode_t directory = 0750;
};

struct stored_file {
    std::string name;  // "key.pem"
    secret content;
    mode_t mode = 0640;
};

class store {
public:
    store(std::string folder, layout how, ownership of)
        : folder_(std::move(folder)), how_(how), of_(of) {}

    /// Makes the folder if need be, and a file in it as write() would, which the next write() uses.
    [[nodiscard]] result<void> check_writable() const;
    /// Replaces what an interrupted write left of this generation.
    [[nodiscard]] result<void> write(unsigned generation,
                                     std::vector<stored_file> const& files) const;
    /// Makes a generation that was written the one in use: forward, and back.
    [[nodiscard]] result<void> use(unsigned generation) const;
    [[nodiscard]] result<std::vector<stored_file>> read(unsigned generation) const;
    /// Ascending.
    [[nodiscard]] result<std::vector<unsigned>> generations() const;
    /// Overwrites and removes the generations before `than`, but for `but`.
    [[nodiscard]] result<void> forget_older(unsigned than, unsigned but = 0) const;

    [[nodiscard]] std::string const& folder() const noexcept { return folder_; }

private:
    [[nodiscard]] std::string path_of(unsigned generation) const;
    [[nodiscard]] result<void> make_directory(std::string const& path) const;
    [[nodiscard]] result<descriptor> begin_file(std::string const& path,
                                                stored_file const& file) const;
    [[nodiscard]] result<descriptor> take_probe(std::string const& path,
                                                stored_file const& file) const;
    [[nodiscard]] result<void> overwrite(std::string const& path, stored_file const& file) const;
    [[nodiscard]] result<void> mend(unsigned generation,
                                    std::vector<stored_file> const& files) const;
    [[nodiscard]] result<void> link_to(unsigned generation) const;
    [[nodiscard]] result<void> place(stored_file const& file) const;

    std::string folder_;
    layout how_;
    ownership of_;
};

}  // namespace bevmesh::certs
