// A service's certificate files: a directory with a generation each, and those in use.
//
//   FOLDER/.gen-7/{cert.pem,key.pem,...}   written whole, with owner and mode, before anybody
//   FOLDER/current -> .gen-7               reads it: one rename changes every file at once
//
// For programs that cannot follow a link that moves, `flat` has the files in FOLDER itself, each
// renamed into its place in the order given (what is trusted before the key, the certificate last);
// `inplace` overwrites them, for single files that are bound into a container, where a rename would
// not be seen. Between two of the files both of these are mixed for a moment; `linked` never is.
// Owner and mode are set before there is content. The folder belongs to the service's user: what is
// in it is taken as directory.hpp says.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "certs/directory.hpp"

namespace bevmesh::certs {

enum class layout { linked, flat, inplace };

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
    std::string folder_;
    layout how_;
    ownership of_;
};

}  // namespace bevmesh::certs
