// A directory that may belong to somebody else, who may put anything into it at any time.
//
// It is opened once, and what is in it is named relative to that: a link in its place, or in a
// file's, leads nowhere, and a file that has a further name elsewhere (a hard link), or in
// another's directory is neither his nor the wanted owner's, is left alone. Without this a
// service's user, who owns the service's folder, could have the daemon give him, or overwrite, the
// files of another. Names are plain: no slash, neither `.` nor `..`. Failures are
// errc::local_error, errc::not_found where there is no such name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/os/descriptor.hpp"

namespace bevmesh::certs {

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

/// By errno: errc::local_error, errc::not_found for ENOENT.
[[nodiscard]] failure system_failure(std::string const& doing);
[[nodiscard]] bool is_plain(std::string_view name) noexcept;

/// On the disk, all of them, at little more than the price of one.
[[nodiscard]] bool sync_all(std::vector<descriptor> const& files);

class directory {
public:
    /// `of`: whose the files in it are to be.
    [[nodiscard]] static result<directory> open(std::string const& path, ownership const& of);
    /// Made where it is not there; one that is made is closed until it has its owner.
    [[nodiscard]] static result<directory> make(std::string const& path, ownership const& of);
    [[nodiscard]] result<directory> open_directory(std::string const& name) const;
    [[nodiscard]] result<directory> make_directory(std::string const& name) const;

    /// One that is there, with open(2)'s `access`: a regular file with this one name.
    [[nodiscard]] result<descriptor> open_file(std::string const& name, int access) const;
    /// One that is not there yet, with its owner and mode before its content. Not on the disk yet.
    [[nodiscard]] result<descriptor> make_file(stored_file const& file) const;
    /// The content anew, of an open file of this directory.
    [[nodiscard]] result<void> write(descriptor const& to, stored_file const& file) const;
    [[nodiscard]] result<secret> read(std::string const& name) const;
    /// Owner and mode as wanted, whatever was done to them since.
    [[nodiscard]] result<void> mend(stored_file const& file) const;

    [[nodiscard]] result<void> link(std::string const& name, std::string const& target) const;
    /// Within this directory, or into `into`; replaces what has the name there.
    [[nodiscard]] result<void> rename(std::string const& from, std::string const& to) const;
    [[nodiscard]] result<void> move(std::string const& from, directory const& into,
                                    std::string const& to) const;
    /// Best efforts: what is not there is no failure.
    void remove_file(std::string const& name) const noexcept;
    /// A directory with its files, whose content is overwritten first: a best effort, a journal or
    /// a flash disk may keep what was. One that is not there is no failure.
    [[nodiscard]] result<void> remove_directory(std::string const& name) const;

    [[nodiscard]] result<std::vector<std::string>> names() const;
    [[nodiscard]] result<void> sync() const;
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    [[nodiscard]] std::string path_of(std::string const& name) const { return path_ + "/" + name; }

private:
    directory(std::string path, ownership const& of, descriptor opened)
        : path_(std::move(path)), of_(of), opened_(std::move(opened)) {}

    static result<directory> open_at(int at, std::string const& name, std::string path,
                                     ownership const& of);
    static result<directory> make_at(int at, std::string const& name, std::string path,
                                     ownership const& of);
    [[nodiscard]] bool is_ours(int file) const;
    void wipe() const;

    std::string path_;  // for messages
    ownership of_;
    descriptor opened_;
};

}  // namespace bevmesh::certs
