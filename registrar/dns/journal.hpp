// What `bevmesh dns apply` has written or is about to write, so that it can always be taken back.
//
// The journal is on the disk before the first file is touched, and goes with the last. It is root's
// in a folder that is root's (the folder above may be the daemon's user's): a journal of anybody
// else is refused, since root acts by it. A lost one is replaced by the marks in the files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registrar/dns/plan.hpp"

namespace bevmesh::registrar::dns {

struct written_file {
    planned_file file;
    std::string kept;                  // where the former one is; empty: there was none
    std::vector<std::string> folders;  // made for it, outermost first

    friend bool operator==(written_file const&, written_file const&) = default;
};

struct journal {
    bool complete = false;  // the apply came to its end, and no remove has begun
    dns::needs needs;
    std::vector<written_file> files;
    std::vector<std::string> restart;
    dns::forwarder forward;
    std::vector<std::string> restart_engine;

    [[nodiscard]] written_file const* find(std::string const& path) const;
};

class journal_store {
public:
    /// Takes the lock for as long as it lives. errc::conflict: another one has it.
    [[nodiscard]] static result<journal_store> open(std::string const& state_dir);
    journal_store(journal_store&& other) noexcept;
    journal_store& operator=(journal_store&&) = delete;
    ~journal_store();

    [[nodiscard]] result<void> save(journal const& j) const;
    /// The journal and its folder.
    void erase() const;

private:
    journal_store(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
    std::string folder_;
    int lock_ = -1;
    bool made_parent_ = false;
};

/// Nothing where none was written. Needs no lock: it is replaced whole.
[[nodiscard]] result<std::optional<journal>> read_journal(std::string const& state_dir);

/// Of files with our mark, where the journal was lost: without what it alone knows.
[[nodiscard]] std::optional<journal> find_marked(std::vector<std::string> const& paths);

/// Makes the file as it was planned, keeping the former one if there is one.
[[nodiscard]] result<void> install(written_file const& f);
/// As it was before. errc::conflict: somebody else has changed it since, it is left alone.
[[nodiscard]] result<void> restore(written_file const& f);
/// Whether the file is as we wrote it.
[[nodiscard]] bool is_as_written(written_file const& f);

}  // namespace bevmesh::registrar::dns
