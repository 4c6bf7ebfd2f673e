// Source, tree, schema, rules: each step adds its problems, and only what cannot be read stops it.
#include "config/loader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <tuple>
#include <unistd.h>

#include "config/schema.hpp"
#include "config/source.hpp"
#include "config/tree.hpp"
#include "config/validate.hpp"

namespace bevmesh::config {
namespace {

// Closes what it opened, and so not the standard input.
class descriptor {
public:
    explicit descriptor(std::string const& path)
        : is_stdin_(path == "-"),
          fd_(is_stdin_ ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~descriptor() {
        if (fd_ >= 0 && !is_stdin_) ::close(fd_);
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;

    [[nodiscard]] int get() const { return fd_; }

private:
    bool is_stdin_;
    int fd_;
};

// The text, or errno. One byte more than is allowed is enough to know that it is too much.
int read_some(std::string const& path, std::string& text) {
    descriptor const file(path);
    if (file.get() < 0) return errno;
    std::array<char, 16'384> buffer{};
    while (text.size() <= longest_document) {
        auto const got = ::read(file.get(), buffer.data(), buffer.size());
        if (got == 0) return 0;
        if (got > 0)
            text.append(buffer.data(), static_cast<std::size_t>(got));
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

// Where the document does not say, an instance may run anywhere.
void fill_nodes(mesh_config& config) {
    for (auto& service : config.services)
        for (auto& instance : service.instances)
            if (instance.nodes.empty())
                for (auto const& [name, node] : config.nodes)
                    instance.nodes.push_back(name);
}

// A group's database is the service of its name, where the document does not say otherwise.
void fill_failover(mesh_config& config) {
    for (auto& group : config.failover) {
        auto const same = [&](service_config const& s) { return s.name == group.name; };
        auto const service = std::ranges::find_if(config.services, same);
        if (service == config.services.end() || service->instances.size() != 1) continue;
        auto const& instance = service->instances.front();
        if (group.container.empty() && group.unit.empty())
            group.container = instance.match.container;
        if (!group.port && instance.port != 0) group.port = instance.port;
    }
}

void read_document(std::string_view text, loaded& out) {
    text = without_bom(text);
    out.problems = check_source(text);
    if (!out.problems.empty()) return;
    auto tree = parse(text);
    out.problems = std::move(tree.problems);
    if (!tree.complete) return;
    reader in;
    for (auto const& p : out.problems)
        in.mark_damaged(p.key);
    auto const inside = in.begin(tree.root.at);
    document().read(tree.root, in, out.value);
    fill_nodes(out.value);
    fill_failover(out.value);
    auto const add = [&](std::vector<problem> const& more) {
        out.problems.insert(out.problems.end(), more.begin(), more.end());
    };
    add(in.problems());
    add(validate(out.value, in.where()));
    out.where = in.where();
}

}  // namespace

loaded load_text(std::string_view text, std::string const& file) {
    loaded out;
    read_document(text, out);
    for (auto& p : out.problems)
        p.file = file;
    std::ranges::sort(out.problems, {}, [](problem const& p) {
        return std::tie(p.line, p.column, p.key, p.message);
    });
    return out;
}

loaded load_file(std::string const& path) {
    std::string text;
    if (int const error = read_some(path, text); error != 0) {
        loaded out;
        out.problems.push_back(
            {path, 0, 0, "", std::string("cannot be read: ") + strerror(error), ""});
        return out;
    }
    return load_text(text, path == "-" ? "(standard input)" : path);
}

}  // namespace bevmesh::config
