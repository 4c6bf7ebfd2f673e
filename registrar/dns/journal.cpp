#include "registrar/dns/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "mesh/base/json_fields.hpp"
#include "registrar/dns/files.hpp"

namespace bevmesh::registrar::dns {
namespace {

using json::value;

failure system_failure(std::string const& doing, errc code = errc::local_error) {
    return {code, doing + ": " + std::strerror(errno)};
}

std::string folder_in(std::string const& state_dir) {
    return state_dir + "/dns";
}

std::string file_in(std::string const& folder) {
    return folder + "/journal.json";
}

value to_json(journal const& j) {
    value made{{"complete", j.complete},
               {"needs", {{"host", j.needs.host}, {"bridges", j.needs.bridges}}},
               {"restart", j.restart},
               {"restart_engine", j.restart_engine},
               {"forwarder",
                {{"program", j.forward.program},
                 {"config", j.forward.config},
                 {"pid_file", j.forward.pid_file},
                 {"addresses", j.forward.addresses}}},
               {"files", value::array()}};
    for (auto const& f : j.files)
        made["files"].push_back({{"path", f.file.path},
                                 {"of", static_cast<int>(f.file.of)},
                                 {"content", f.file.content},
                                 {"link", f.file.link},
                                 {"mode", f.file.mode},
                                 {"replaces", f.file.replaces},
                                 {"kept", f.kept},
                                 {"folders", f.folders}});
    return made;
}

written_file read_file(value const& v) {
    written_file f;
    f.file.path = json::text(v, "path");
    f.file.of = static_cast<reader>(json::number<int>(v, "of"));
    f.file.content = json::text(v, "content");
    f.file.link = json::text(v, "link");
    f.file.mode = json::number<unsigned>(v, "mode");
    f.file.replaces = json::flag(v, "replaces");
    f.kept = json::text(v, "kept");
    f.folders = json::text_list(v, "folders");
    return f;
}

journal read(value const& v) {
    journal j;
    j.complete = json::flag(v, "complete");
    j.needs = {json::flag(json::member(v, "needs"), "host"),
               json::flag(json::member(v, "needs"), "bridges")};
    j.restart = json::text_list(v, "restart");
    j.restart_engine = json::text_list(v, "restart_engine");
    auto const& f = json::member(v, "forwarder");
    j.forward = {json::text(f, "program"), json::text(f, "config"), json::text(f, "pid_file"),
                 json::text_list(f, "addresses")};
    for (auto const& one : json::member(v, "files"))
        j.files.push_back(read_file(one));
    return j;
}

/// Root acts by what is in there.
result<void> must_be_roots(std::string const& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return system_failure("look at " + path);
    if (info.st_uid == ::geteuid() && (info.st_mode & 022U) == 0 && !S_ISLNK(info.st_mode))
        return {};
    return failure{errc::forbidden,
                   path + " could have been written by somebody else; look into it, and remove it"};
}

bool stands_as_written(written_file const& f, standing const& now) {
    if (!f.file.link.empty()) return now.is == standing::kind::link && now.target == f.file.link;
    return now.is == standing::kind::file && now.content == f.file.content;
}

}  // namespace

written_file const* journal::find(std::string const& path) const {
    auto const is = [&](written_file const& f) { return f.file.path == path; };
    auto const found = std::ranges::find_if(files, is);
    return found == files.end() ? nullptr : &*found;
}

result<journal_store> journal_store::open(std::string const& state_dir) {
    bool const made_parent = ::mkdir(state_dir.c_str(), 0700) == 0;
    auto const folder = folder_in(state_dir);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return system_failure("make " + folder);
    if (auto const trusted = must_be_roots(folder); !trusted) return trusted.error();
    int const lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0) return system_failure("open " + folder);
    journal_store store(folder, lock);
    store.made_parent_ = made_parent;
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        // Not ours to take away.
        store.lock_ = -1;
        ::close(lock);
        return failure{errc::conflict, "another `bevmesh dns` is at work on this host"};
    }
    return store;
}

journal_store::journal_store(journal_store&& other) noexcept
    : folder_(std::move(other.folder_)),
      lock_(std::exchange(other.lock_, -1)),
      made_parent_(other.made_parent_) {}

journal_store::~journal_store() {
    if (lock_ < 0) return;
    // Empty again, unless a journal is in it.
    if (::rmdir(folder_.c_str()) == 0 && made_parent_)
        ::rmdir(folder_.substr(0, folder_.rfind('/')).c_str());
    ::close(lock_);
}

result<void> journal_store::save(journal const& j) const {
    return put_file(file_in(folder_), to_json(j).dump(1) + "\n", 0600);
}

void journal_store::erase() const {
    ::unlink(file_in(folder_).c_str());
}

result<std::optional<journal>> read_journal(std::string const& state_dir) {
    auto const path = file_in(folder_in(state_dir));
    auto const text = read_text(path);
    if (!text) return text.error();
    if (!text->has_value()) return std::optional<journal>();
    for (auto const& part : {folder_in(state_dir), path})
        if (auto const trusted = must_be_roots(part); !trusted) return trusted.error();
    auto j = json::decode(**text, path, read);
    if (!j) return failure{errc::local_error, j.error().doing};
    return std::optional<journal>(std::move(*j));
}

std::optional<journal> find_marked(std::vector<std::string> const& paths) {
    journal found;
    for (auto const& path : paths) {
        auto const now = look_at(path);
        if (!now || now->is != standing::kind::file) continue;
        if (now->content.substr(0, now->content.find('\n')).find(marker) == std::string::npos)
            continue;
        written_file f;
        f.file.path = path;
        f.file.content = now->content;
        auto const kept = path + ".before-bevmesh";
        if (auto const former = look_at(kept); former && former->is != standing::kind::nothing)
            f.kept = kept;
        if (path.ends_with("-forwarder.conf")) {
            f.file.of = reader::forwarder;
            found.forward.config = path;
            found.forward.program = path.starts_with("/etc/unbound/") ? "unbound" : "dnsmasq";
            found.forward.pid_file = "/run/bevmesh-dns.pid";
        }
        found.files.push_back(std::move(f));
    }
    if (found.files.empty()) return std::nullopt;
    found.complete = true;
    return found;
}

result<void> install(written_file const& f) {
    for (auto const& folder : f.folders)
        if (auto const made = make_folder(folder, 0755); !made) return made;
    if (!f.kept.empty())
        if (auto const kept = keep_beside(f.file.path, f.kept); !kept) return kept;
    if (!f.file.link.empty()) return put_link(f.file.path, f.file.link);
    return put_file(f.file.path, f.file.content, f.file.mode);
}

result<void> restore(written_file const& f) {
    remove_leftover(f.file.path);
    auto const now = look_at(f.file.path);
    if (!now) return now.error();
    bool const is_ours = stands_as_written(f, *now);
    bool const is_gone = now->is == standing::kind::nothing;
    if (!f.kept.empty()) {
        auto const former = look_at(f.kept);
        if (!former) return former.error();
        if (former->is == standing::kind::nothing) {
            // Not yet kept, and so not yet replaced; or put back already.
            if (!is_ours) return {};
            return failure{errc::conflict,
                           f.kept + " is gone: " + f.file.path + " stays as bevmesh wrote it"};
        }
        bool const is_former = former->is == now->is && former->content == now->content &&
                               former->target == now->target;
        if (is_ours || is_gone || is_former) return put_back(f.kept, f.file.path);
        return failure{errc::conflict, f.file.path + " was changed by somebody else and is left " +
                                           "as it is; the former one is " + f.kept};
    }
    if (is_ours) {
        if (auto const removed = remove_file(f.file.path); !removed) return removed;
    } else if (!is_gone) {
        return failure{errc::conflict,
                       f.file.path + " was changed by somebody else and is left as it is"};
    }
    for (auto folder = f.folders.rbegin(); folder != f.folders.rend(); ++folder)
        remove_folder(*folder);
    return {};
}

bool is_as_written(written_file const& f) {
    auto const now = look_at(f.file.path);
    return now && stands_as_written(f, *now);
}

}  // namespace bevmesh::registrar::dns
