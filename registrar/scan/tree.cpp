#include "registrar/scan/tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registrar/scan/replace_file.hpp"

namespace bevmesh::registrar::scan {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 200;

constexpr std::array<std::string_view, 8> passed_folders{
    ".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", ".terraform", ".tox"};

std::string reason_of(int error) {
    return std::generic_category().message(error);
}

bool matches(std::vector<std::string> const& globs, std::string const& path,
             std::string const& name) {
    return std::ranges::any_of(globs, [&](std::string const& glob) {
        bool const whole = glob.find('/') != std::string::npos;
        auto const pattern = whole ? "*" + glob : glob;
        return fnmatch(pattern.c_str(), whole ? ("/" + path).c_str() : name.c_str(), 0) == 0;
    });
}

/// UTF-8 by RFC 3629's lengths; overlong forms are let through: it is only for a note.
bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const c = static_cast<unsigned char>(text[i]);
        std::size_t const more = c < 0x80        ? 0
                                 : c >> 5U == 6  ? 1
                                 : c >> 4U == 14 ? 2
                                 : c >> 3U == 30 ? 3
                                                 : 9;
        if (more == 9 || i + more >= text.size()) return more == 0;
        for (std::size_t k = 1; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0U) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

class walker {
public:
    walker(tree_options const& options, std::function<void(file_text)> const& with)
        : options_(options), with_(with) {}

    result<void> start(std::string const& path) {
        struct stat is{};
        if (stat(path.c_str(), &is) != 0)
            return failure{errno == ENOENT ? errc::not_found : errc::local_error,
                           path + ": " + reason_of(errno)};
        if (S_ISDIR(is.st_mode))
            folder(path, 0);
        else
            file(path, true);
        return {};
    }
    tree_report report;

private:
    void folder(std::string const& path, int depth) {
        if (depth > deepest) return note_on(path, "too deep, passed");
        std::error_code error;
        std::vector<fs::directory_entry> entries;
        fs::directory_iterator at(path, error);
        for (; !error && at != fs::directory_iterator(); at.increment(error))
            entries.push_back(*at);
        if (error) note_on(path, "cannot be read: " + error.message());
        std::ranges::sort(entries, {}, [](auto const& e) { return e.path().native(); });
        for (auto const& e : entries) {
            auto const name = e.path().filename().native();
            auto const full = e.path().native();
            if (matches(options_.exclude, full, name) || is_leftover(name)) continue;
            auto const status = e.symlink_status(error);
            if (error)
                note_on(full, "cannot be looked at: " + error.message());
            else if (fs::is_symlink(status))
                link(full, name);
            else if (fs::is_directory(status)) {
                if (std::ranges::find(passed_folders, name) == passed_folders.end())
                    folder(full, depth + 1);
            } else if (fs::is_regular_file(status))
                file(full, false);
            else
                note_on(full, "no regular file, passed");
        }
    }

    void link(std::string const& path, std::string const& name) {
        std::error_code error;
        bool const folder = fs::is_directory(path, error);
        if (error || folder || kind_of(name, ""))
            note_on(path, error ? "a link that leads nowhere, or in a circle: passed"
                                : "a symbolic link, passed");
    }

    /// Of a file in a tree the name must say that it is configuration; one that was named, nothing.
    void file(std::string const& path, bool named) {
        auto const name = fs::path(path).filename().native();
        bool const wanted = named || matches(options_.include, path, name);
        if (!options_.include.empty() && !wanted) return;
        bool const bare = name.find('.') == std::string::npos;  // its first line may tell
        if (!wanted && !bare && !kind_of(name, "")) return void(++report.others);
        int const flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (named ? 0 : O_NOFOLLOW);
        int const opened = open(path.c_str(), flags);
        if (opened < 0) return note_on(path, "cannot be read: " + reason_of(errno));
        std::string text;
        bool const got = read_into(opened, path, text);
        close(opened);
        if (!got) return;
        auto kind = kind_of(name, text);
        if (!kind && !wanted) return void(++report.others);
        if (!kind) kind = kind_by_text(text);
        ++report.files;
        with_({path, *kind, std::move(text)});
    }

    bool read_into(int file, std::string const& path, std::string& text) {
        struct stat is{};
        if (fstat(file, &is) != 0 || !S_ISREG(is.st_mode))
            return note_on(path, "no regular file, passed"), false;
        auto const size = static_cast<std::uint64_t>(is.st_size);
        if (size > options_.largest)
            return note_on(path, "larger than " + std::to_string(options_.largest) +
                                     " bytes, passed (--max-size)"),
                   false;
        text.resize(static_cast<std::size_t>(size));
        std::size_t done = 0;
        while (done < text.size()) {
            auto const got = ::read(file, text.data() + done, text.size() - done);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return note_on(path, "cannot be read: " + reason_of(errno)), false;
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        text.resize(done);
        if (text.find('\0') != std::string::npos) return note_on(path, "binary, passed"), false;
        if (!is_utf8(text)) note_on(path, "not UTF-8: read byte by byte");
        return true;
    }

    void note_on(std::string path, std::string text) {
        report.notes.push_back({std::move(path), std::move(text)});
    }

    tree_options const& options_;
    std::function<void(file_text)> const& with_;
};

}  // namespace

result<tree_report> walk(std::vector<std::string> const& paths, tree_options const& options,
                         std::function<void(file_text)> const& with) {
    walker work(options, with);
    for (auto const& path : paths)
        if (auto const done = work.start(path); !done) return done.error();
    return std::move(work.report);
}

}  // namespace bevmesh::registrar::scan
