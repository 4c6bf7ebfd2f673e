#include "failover/redis/session.hpp"

namespace bevmesh::failover::redis {
namespace {

/// CONFIG GET's flat array as pairs.
std::map<std::string, std::string> pairs(reply const& r) {
    std::map<std::string, std::string> all;
    for (std::size_t i = 0; i + 1 < r.items.size(); i += 2)
        all.insert_or_assign(r.items[i].text, r.items[i + 1].text);
    return all;
}

std::string shown(std::vector<std::string> const& argv) {
    // The first two words: never a password, which CONFIG SET has further on.
    return argv.size() < 2 ? argv.front() : argv[0] + " " + argv[1];
}

}  // namespace

awaitable<done<std::unique_ptr<session>>> session::open(boost::asio::any_io_executor executor,
                                                        bevmesh::redis::settings login,
                                                        std::string process,
                                                        net::steady_point deadline) {
    auto made = bevmesh::redis::make_connection(executor, std::move(login));
    if (!made) co_return database::before_sending(made.error());
    auto const opened = co_await (*made)->open(deadline);
    if (!opened) co_return database::before_sending(opened.error());
    auto s = std::make_unique<session>(std::move(*made), deadline);
    if (process.empty()) co_return std::move(s);
    auto const meant = co_await s->must_be(std::move(process));
    if (!meant) co_return meant.error();
    co_return std::move(s);
}

awaitable<done<void>> session::must_be(std::string process) {
    auto const info = co_await ask(words("INFO", "server"));
    if (!info) co_return info.error();
    auto const fields = read_info(info->text);
    auto const run_id = fields.find("run_id");
    if (run_id != fields.end() && run_id->second == process) co_return done<void>();
    co_return refused(condition::ok, "another process than the one that was meant answers");
}

awaitable<done<reply>> session::exchange(std::vector<std::string> argv, bool changes) {
    auto const what = shown(argv);
    asked_ = true;
    auto answer = co_await connection_->call(std::move(argv), deadline_);
    asked_ = !answer;
    if (!answer) {
        auto t = changes ? database::after_sending(answer.error())
                         : database::before_sending(answer.error());
        t.detail = what + ": " + t.detail;
        co_return t;
    }
    if (answer->failed())
        co_return refused(classify(answer->error_code()), what + ": " + answer->text);
    co_return std::move(*answer);
}

awaitable<done<reply>> session::ask(std::vector<std::string> argv) {
    return exchange(std::move(argv), false);
}

awaitable<done<reply>> session::change(std::vector<std::string> argv) {
    return exchange(std::move(argv), true);
}

awaitable<done<server_state>> session::state() {
    auto const info = co_await ask(words("INFO", "server", "replication", "persistence"));
    if (!info) co_return info.error();
    auto const settings =
        co_await ask(words("CONFIG", "GET", "min-replicas-to-write", "min-replicas-max-lag", "dir",
                           "dbfilename", "appenddirname"));
    if (!settings) co_return settings.error();
    auto read = read_state(info->text, pairs(*settings));
    if (!read) co_return refused(condition::ok, read.error().doing);
    co_return std::move(*read);
}

awaitable<done<void>> session::must_be_primary() {
    auto const role = co_await ask(words("ROLE"));
    if (role && !role->items.empty() && role->items[0].text == "master") co_return done<void>();
    trouble t = role ? refused(condition::ok, "ROLE: it is no primary after all") : role.error();
    t.effect = outcome::unknown;
    co_return t;
}

awaitable<done<void>> session::must_follow(address upstream) {
    auto const role = co_await ask(words("ROLE"));
    if (role && role->items.size() >= 3 && role->items[0].text == "slave" &&
        role->items[1].text == upstream.host && role->items[2].number == upstream.port)
        co_return done<void>();
    trouble t =
        role ? refused(condition::ok, "ROLE: it does not follow " + upstream.host + " after all")
             : role.error();
    t.effect = outcome::unknown;
    co_return t;
}

trouble session::refused(condition why, std::string const& what) const {
    return {outcome::refused, why, "Redis at " + connection_->name() + ": " + what, false};
}

}  // namespace bevmesh::failover::redis
