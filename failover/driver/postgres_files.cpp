#include "failover/driver/postgres_files.hpp"

#include <filesystem>
#include <span>

#include "failover/postgres/data_directory.hpp"
#include "mesh/net/pool.hpp"

namespace bevmesh::failover {
namespace {

namespace fs = std::filesystem;

/// For a program that only says something.
constexpr milliseconds tool_limit{10'000};

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

/// Where the wrapper of Debian's units finds them; `rest`: "[option…] 15-main start".
std::string debian_programs(std::span<std::string const> rest) {
    for (auto const& word : rest) {
        auto const end = word.find_first_not_of("0123456789");
        if (end != 0) return "/usr/lib/postgresql/" + word.substr(0, end) + "/bin";
    }
    return {};
}

}  // namespace

result<postgres_places> places_in(launch const& how) {
    postgres_places p;
    bool found = false;
    auto const& argv = how.argv;
    for (std::size_t i = 0; i < argv.size(); ++i) {
        fs::path const word(argv[i]);
        if (word.filename() == "postgres" && !found) {
            p.bin = word.parent_path().string();
            found = true;
        }
        if (word.filename() == "pg_ctlcluster" && !found) {
            p.bin = debian_programs(std::span(argv).subspan(i + 1));
            found = !p.bin.empty();
        }
        if (argv[i] == "-D" && i + 1 < argv.size()) p.data = argv[i + 1];
        if (argv[i].starts_with("--data-directory=")) p.data = argv[i].substr(17);
    }
    if (!found)
        return failure{errc::bad_input,
                       "its arguments do not name postgres, beside which "
                       "pg_rewind is looked for"};
    for (auto const& variable : how.environment)
        if (p.data.empty() && variable.starts_with("PGDATA=")) p.data = variable.substr(7);
    return p;
}

awaitable<result<postgres_places>> postgres_files::where() {
    auto const how = co_await house_.launched();
    if (!how) co_return how.error();
    auto found = places_in(*how);
    if (!found)
        co_return failure{found.error().code, house_.name() + ": " + describe(found.error())};
    if (found->data.empty()) found->data = data_;
    co_return std::move(*found);
}

awaitable<result<std::string>> postgres_files::server_user() {
    if (!user_.empty()) co_return user_;
    std::vector<std::string> argv{"id", "-u"};
    auto said = co_await house_.run(argv, std::string(), secret(), tool_limit);
    if (said && said->starts_with("0\n")) {
        // An entrypoint that begins as root and gives that up.
        argv.emplace_back("postgres");
        said = co_await house_.run(argv, std::string(), secret(), tool_limit);
    }
    if (!said) co_return said.error();
    auto const digits = said->find_first_not_of("0123456789");
    user_ = said->substr(0, digits);
    if (user_.empty())
        co_return failure{errc::bad_answer, house_.name() + ": `id -u` says no number"};
    co_return user_;
}

awaitable<result<std::string>> postgres_files::run(std::vector<std::string> argv, secret password,
                                                   milliseconds limit) {
    auto user = co_await server_user();
    if (!user) co_return user.error();
    auto said = co_await house_.run(std::move(argv), std::move(*user), std::move(password), limit);
    co_return said;
}

awaitable<result<void>> postgres_files::on_disk(std::function<result<void>()> job) {
    auto doing = net::on_pool(pool_, job);
    co_return co_await std::move(doing);
}

awaitable<result<postgres_files::facts>> postgres_files::look() {
    if (data_.empty())
        co_return failure{errc::bad_input, "the group has no data_dir: nothing is started"};
    auto const seen = postgres::inspect(data_);
    if (!seen) co_return seen.error();
    facts f;
    f.empty = seen->empty;
    std::error_code error;
    f.half_made = fs::exists(mark_, error);
    auto const user = co_await server_user();
    if (!user) co_return user.error();
    auto const owner = static_cast<uid_t>(std::stoul(*user));
    // Of a half made one, only the owner counts: the rest is replaced.
    auto known = *seen;
    known.empty = known.empty || f.half_made;
    f.objection = postgres::objection(known, data_, owner, nullptr, {});
    co_return f;
}

awaitable<result<void>> postgres_files::may_be_replaced() {
    return on_disk([data = data_] { return postgres::may_be_replaced(data); });
}

awaitable<result<void>> postgres_files::begin_remaking() {
    return on_disk([mark = mark_] { return postgres::set_mark(mark); });
}

awaitable<result<void>> postgres_files::end_remaking() {
    return on_disk([data = data_, mark = mark_] {
        auto const fenced = postgres::make_boot_fenced(data);
        return fenced ? postgres::remove_mark(mark) : fenced;
    });
}

awaitable<result<void>> postgres_files::make_boot_fenced() {
    return on_disk([data = data_] { return postgres::make_boot_fenced(data); });
}

awaitable<result<void>> postgres_files::write_settings(std::map<std::string, secret> settings) {
    return on_disk([data = data_, settings = std::move(settings)] {
        return postgres::write_settings(data, settings);
    });
}

awaitable<result<postgres::control_data>> postgres_files::control(secret password,
                                                                  milliseconds limit) {
    std::function<result<postgres::control_data>()> const job = [data = data_] {
        return postgres::control_of(data);
    };
    auto reading = net::on_pool(pool_, job);
    auto read = co_await std::move(reading);
    if (read || read.error().code != errc::not_found) co_return std::move(read);
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto argv = postgres::control_command(at->bin, at->data);
    auto const said = co_await run(std::move(argv), std::move(password), limit);
    if (!said) co_return said.error();
    co_return postgres::read_control(*said);
}

awaitable<result<void>> postgres_files::rewind(std::string upstream, secret password,
                                               milliseconds limit) {
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto const before = co_await control(password, limit);
    if (!before) co_return before.error();
    if (before->crashed()) {
        auto lifting = on_disk([data = data_] { return postgres::lift_boot_fence(data); });
        auto const lifted = co_await std::move(lifting);
        if (!lifted) co_return lifted.error();
    }
    auto argv = postgres::rewind_command(at->bin, at->data, upstream, before->crashed());
    auto const said = co_await run(std::move(argv), std::move(password), limit);
    auto const fenced = co_await make_boot_fenced();
    if (!said) co_return said.error();
    co_return fenced;
}

awaitable<result<void>> postgres_files::base_backup(std::string upstream, std::string slot,
                                                    secret password, milliseconds limit) {
    auto const at = co_await where();
    if (!at) co_return at.error();
    auto argv = postgres::base_backup_command(at->bin, at->data, upstream, slot);
    auto const said = co_await run(std::move(argv), std::move(password), limit);
    if (!said) co_return said.error();
    co_return result<void>();
}

awaitable<result<void>> postgres_files::quarantine(std::uint32_t timeline, position fork,
                                                   std::string name) {
    if (quarantine_.empty() || data_.empty())
        co_return failure{errc::bad_input,
                          "there is no data_dir and quarantine_dir to copy from and to; nothing is "
                          "given up without a copy"};
    auto copying =
        on_disk([data = data_, to = quarantine_, timeline, fork, name]() -> result<void> {
            auto const segment = segment_size(data);
            auto const from = segment == 0 ? 0 : fork;
            auto const copied = postgres::quarantine(data, timeline, from,
                                                     segment == 0 ? 16U << 20U : segment, to, name);
            if (!copied) return copied.error();
            return {};
        });
    co_return co_await std::move(copying);
}

awaitable<result<void>> postgres_files::clear() {
    return on_disk([data = data_] { return remove_all_in(data); });
}

}  // namespace bevmesh::failover
