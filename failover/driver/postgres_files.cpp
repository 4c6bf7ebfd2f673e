#include "failover/driver/postgres_files.hpp"

#include <filesystem>

#include "failover/postgres/data_directory.hpp"
#include "mesh/net/pool.hpp"

namespace bevmesh::failover {
namespace {

namespace fs = std::filesystem;

/// All segments are as long as the first; 0 when there is none.
position segment_size(fs::path const& data) {
    std::error_code error;
    for (fs::directory_iterator at(data / "pg_wal", error), end; !error && at != end;
         at.increment(error))
        if (at->path().filename().string().size() == 24) return fs::file_size(at->path(), error);
    return 0;
}

result<void> remove_all_in(fs::path const& data) {
    std::error_code error;
    std::vector<fs::path> all;
    for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error))
        all.push_back(at->path());
    for (auto const& one : all)
        if (!error) fs::remove_all(one, error);
    if (error) return failure{errc::local_error, "empty " + data.string() + ": " + error.message()};
    return {};
}

}  // namespace

std::pair<std::string, std::string> places_in(std::vector<std::string> const& argv) {
    std::string bin;
    std::string data;
    for (std::size_t i = 0; i < argv.size(); ++i) {
        fs::path const word(argv[i]);
        if (word.filename() == "postgres" && bin.empty()) bin = word.parent_path().string();
        if (argv[i] == "-D" && i + 1 < argv.size()) data = argv[i + 1];
        if (argv[i].starts_with("--data-directory=")) data = argv[i].substr(17);
    }
    return {bin, data};
}

awaitable<result<postgres_files::place>> postgres_files::where() {
    auto const argv = co_await house_.argv();
    if (!argv) co_return argv.error();
    auto [bin, data] = places_in(*argv);
    if (bin.empty())
        co_return failure{errc::bad_input, house_.name() +
                                               ": its arguments do not begin with the path of "
                                               "postgres, beside which pg_rewind is looked for"};
    place p;
    p.bin = std::move(bin);
    p.data = data.empty() ? data_ : std::move(data);
    co_return p;
}

awaitable<result<postgres_files::facts>> postgres_files::look() {
    if (data_.empty())
        co_return failure{errc::bad_input, "the group has no data_dir: nothing is started"};
    auto const seen = postgres::inspect(data_);
    if (!seen) co_return seen.error();
    facts f;
    f.empty = seen->empty;
    // Whose it must be is known only by whom it belongs to now: the image's user is not asked.
    f.objection = postgres::objection(*seen, data_, seen->owner, nullptr, {});
    co_return f;
}

awaitable<result<void>> postgres_files::make_boot_fenced() {
    std::function<result<void>()> const job = [data = data_] {
        return postgres::make_boot_fenced(data);
    };
    auto making = net::on_pool(pool_, job);
    co_return co_await std::move(making);
}

awaitable<result<void>> postgres_files::write_settings(std::map<std::string, secret> settings) {
    std::function<result<void>()> const job = [data = data_, settings = std::move(settings)] {
        return postgres::write_settings(data, settings);
    };
    auto writing = net::on_pool(pool_, job);
    co_return co_await std::move(writing);
}

awaitable<result<postgres::control_data>> postgres_files::control(secret password,
                                                                  milliseconds limit) {
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto argv = postgres::control_command(at->bin, at->data);
    auto const said = co_await house_.run(std::move(argv), std::move(password), limit);
    if (!said) co_return said.error();
    co_return postgres::read_control(*said);
}

awaitable<result<void>> postgres_files::rewind(std::string upstream, secret password,
                                               milliseconds limit) {
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto argv = postgres::rewind_command(at->bin, at->data, upstream);
    auto const said = co_await house_.run(std::move(argv), std::move(password), limit);
    if (!said) co_return said.error();
    co_return result<void>();
}

awaitable<result<void>> postgres_files::base_backup(std::string upstream, std::string slot,
                                                    secret password, milliseconds limit) {
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto argv = postgres::base_backup_command(at->bin, at->data, upstream, slot);
    auto const said = co_await house_.run(std::move(argv), std::move(password), limit);
    if (!said) co_return said.error();
    co_return result<void>();
}

awaitable<result<void>> postgres_files::quarantine(std::uint32_t timeline, position fork,
                                                   std::string name) {
    if (quarantine_.empty() || data_.empty())
        co_return failure{errc::bad_input,
                          "there is no data_dir and quarantine_dir to copy from and to; nothing is "
                          "given up without a copy"};
    std::function<result<void>()> const job = [data = data_, to = quarantine_, timeline, fork,
                                               name]() -> result<void> {
        auto const segment = segment_size(data);
        auto const from = segment == 0 ? 0 : fork;
        auto const copied = postgres::quarantine(data, timeline, from,
                                                 segment == 0 ? 16U << 20U : segment, to, name);
        if (!copied) return copied.error();
        return {};
    };
    auto copying = net::on_pool(pool_, job);
    co_return co_await std::move(copying);
}

awaitable<result<void>> postgres_files::clear() {
    std::function<result<void>()> const job = [data = data_] { return remove_all_in(data); };
    auto clearing = net::on_pool(pool_, job);
    co_return co_await std::move(clearing);
}

}  // namespace bevmesh::failover
