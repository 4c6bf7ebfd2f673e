#include "failover/driver/redis_database.hpp"

#include <ctime>

#include "failover/driver/answers.hpp"
#include "failover/redis/boot_fence.hpp"
#include "failover/redis/quarantine.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/pool.hpp"

namespace bevmesh::failover {
namespace {

/// Seconds in which a replica must have acknowledged: Redis' least.
constexpr unsigned gate_lag = 1;
/// A pause that nobody ends is over after it.
constexpr seconds pause_after_drain{30};

milliseconds ms(nanoseconds n) {
    return std::chrono::duration_cast<milliseconds>(n);
}

/// It would take the write, were its replicas there: no broken disk, and a primary all the same.
bool is_shut_gate(database::trouble const& t) {
    return t.effect == outcome::refused && t.detail.find("NOREPLICAS") != std::string::npos;
}

class redis_database final : public database_port {
public:
    redis_database(boost::asio::any_io_executor executor, housing& house, redis_options options)
        : house_(house), options_(std::move(options)), policy_(options_.policy) {
        auto const self = options_.where.at(policy_.self);
        others_ = options_.where;
        others_.erase(policy_.self);
        redis::server_options how;
        how.login = [login = options_.login, self] { return login(self); };
        how.announce = self;
        server_ = redis::make_server(executor, std::move(how));
    }

    awaitable<probed> look(probe what) override;
    awaitable<result<running>> identify(std::string process) override;
    awaitable<carried_out> perform(promote what) override;
    awaitable<carried_out> perform(prove what) override;
    awaitable<carried_out> perform(set_gate what) override;
    awaitable<carried_out> perform(drain what) override;
    awaitable<carried_out> perform(resume_writes what) override;
    awaitable<fenced> perform(fence what) override;
    awaitable<carried_out> perform(start_database what) override;
    awaitable<carried_out> perform(follow what) override;
    awaitable<carried_out> perform(checkpoint what) override;
    awaitable<carried_out> perform(quarantine what) override;
    awaitable<carried_out> perform(resync what) override;
    awaitable<carried_out> stop_following(std::uint64_t op) override;

private:
    [[nodiscard]] std::optional<redis::address> address_of(std::string const& node) const {
        auto const found = options_.where.find(node);
        if (found == options_.where.end()) return std::nullopt;
        return found->second;
    }
    awaitable<std::optional<bool>> read_boot_fence(redis::server_state state);
    awaitable<fenced> killed(fence what);

    housing& house_;
    redis_options options_;
    policy const& policy_;
    redis::addresses others_;
    std::unique_ptr<redis::server> server_;
    std::string process_;              // of the last probe
    std::optional<bool> boot_fenced_;  // of that process; empty: not known yet
    instant fence_next_{};             // not read again before
    boost::asio::thread_pool pool_{1};
};

awaitable<probed> redis_database::look(probe what) {
    probed seen;
    seen.op = what.op;
    seen.asked = net::now();
    auto const limit = ms(what.limit);
    auto const state = co_await server_->probe(limit);
    if (!state) {
        seen.facts.condition =
            state.error().why == condition::ok ? condition::refused : state.error().why;
        // It is there, only it does not say more.
        if (seen.facts.condition != condition::refused) seen.facts.process = process_;
        co_return seen;
    }
    if (state->run_id != process_) {
        // Told at once; what takes a program in its container is read with the next look.
        process_ = state->run_id;
        boot_fenced_.reset();
        fence_next_ = seen.asked;
    } else if (!boot_fenced_ && seen.asked >= fence_next_) {
        fence_next_ = seen.asked + 10 * policy_.probe;
        auto const holds = co_await read_boot_fence(*state);
        if (process_ == state->run_id) boot_fenced_ = holds;
    }
    seen.facts = redis::to_facts(*state, others_, boot_fenced_.value_or(false));
    if (seen.facts.role != role::primary || seen.facts.condition != condition::ok) co_return seen;
    auto const written = co_await server_->prove(process_, limit);
    if (!written && written.error().why == condition::write_fails && !is_shut_gate(written.error()))
        seen.facts.condition = condition::write_fails;
    co_return seen;
}

/// Empty: what says so cannot be read now.
awaitable<std::optional<bool>> redis_database::read_boot_fence(redis::server_state state) {
    auto const runs = co_await house_.look();
    if (!runs) co_return std::nullopt;
    std::string file;
    if (!state.config_file.empty()) {
        auto read = co_await house_.read_file(state.config_file);
        if (!read) co_return std::nullopt;
        file = std::move(*read);
    }
    co_return redis::read_boot_fence(file, runs->argv).holds;
}

awaitable<result<running>> redis_database::identify(std::string process) {
    auto runs = co_await house_.look();
    if (!runs) co_return runs.error();
    auto const state = co_await server_->probe(ms(policy_.timing.fence));
    if (!state) co_return failure{errc::unreachable, house_.name() + ": " + state.error().detail};
    if (state->run_id != process || !runs->alive())
        co_return failure{errc::conflict, house_.name() + ": another process runs there"};
    co_return std::move(*runs);
}

awaitable<carried_out> redis_database::perform(promote what) {
    auto const count = static_cast<unsigned>(what.gate.count);
    auto const got = co_await server_->promote(what.process, what.not_after, count, gate_lag,
                                               ms(policy_.promote));
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::perform(prove what) {
    auto const got = co_await server_->prove(what.process, ms(policy_.probe));
    if (!got && is_shut_gate(got.error())) co_return accomplished(what.op);
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::perform(set_gate what) {
    auto const count = static_cast<unsigned>(what.gate.count);
    auto const got =
        co_await server_->set_gate(what.process, count, gate_lag, ms(policy_.timing.fence));
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::perform(drain what) {
    auto const at = address_of(what.target);
    if (!at) co_return refused(what.op, what.target + " is no member");
    auto login = options_.login(*at);
    auto const got =
        co_await server_->drain(what.process, std::move(login), ms(what.limit), pause_after_drain);
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::perform(resume_writes what) {
    auto const got = co_await server_->resume_writes(what.process, ms(policy_.timing.fence));
    co_return answer(what.op, got);
}

awaitable<fenced> redis_database::killed(fence what) {
    auto const done = co_await house_.kill(ms(policy_.timing.fence));
    fenced f;
    f.op = what.op;
    f.result = done ? outcome::done : outcome::unknown;
    f.dead = done.has_value();
    if (!done) f.detail = describe(done.error());
    co_return f;
}

awaitable<fenced> redis_database::perform(fence what) {
    if (what.kill) co_return co_await killed(std::move(what));
    auto const upstream = address_of(what.upstream);
    auto const got = co_await server_->demote(what.process, upstream, ms(policy_.timing.fence) / 2);
    if (got) {
        fenced f;
        f.op = what.op;
        f.result = outcome::done;
        co_return f;
    }
    // Another process answers: the one that was meant is gone, and this one is left alone.
    auto const state = co_await server_->probe(ms(policy_.timing.fence) / 4);
    if (state && !what.process.empty() && state->run_id != what.process) {
        fenced f;
        f.op = what.op;
        f.result = outcome::done;
        f.dead = true;
        co_return f;
    }
    co_return co_await killed(std::move(what));
}

awaitable<carried_out> redis_database::perform(start_database what) {
    auto const started = co_await house_.start();
    co_return started ? accomplished(what.op) : refused(what.op, describe(started.error()));
}

awaitable<carried_out> redis_database::perform(follow what) {
    auto const at = address_of(what.upstream);
    if (!at) co_return refused(what.op, what.upstream + " is no member");
    auto login = options_.login(*at);
    auto const got =
        co_await server_->follow(what.process, *at, std::move(login), ms(policy_.hang));
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::perform(checkpoint what) {
    co_return accomplished(what.op);
}

awaitable<carried_out> redis_database::perform(quarantine what) {
    if (options_.data_dir.empty() || options_.quarantine_dir.empty())
        co_return refused(what.op,
                          "there is no data_dir and quarantine_dir to copy from and to; nothing "
                          "is given up without a copy");
    auto const saved = co_await server_->save(process_, ms(policy_.hang) * 10);
    if (!saved) co_return failed(what.op, saved.error());
    redis::quarantine_source source;
    source.data = options_.data_dir;
    source.rdb_name = saved->rdb_name;
    if (saved->aof) source.aof_directory = saved->aof_directory;
    auto const name =
        policy_.group + "-" + std::to_string(std::time(nullptr)) + "-" + process_.substr(0, 8);
    std::function<result<void>()> const job = [source, to = options_.quarantine_dir,
                                               name]() -> result<void> {
        auto const copied = redis::quarantine(source, to, name);
        if (!copied) return copied.error();
        return {};
    };
    auto copying = net::on_pool(pool_, job);
    auto const copied = co_await std::move(copying);
    if (!copied) co_return refused(what.op, describe(copied.error()));
    auto c = accomplished(what.op);
    c.detail = "copied to " + options_.quarantine_dir + "/" + name;
    co_return c;
}

awaitable<carried_out> redis_database::perform(resync what) {
    auto const at = address_of(what.upstream);
    if (!at) co_return refused(what.op, what.upstream + " is no member");
    auto const got = co_await server_->resync(process_, *at, ms(policy_.hang));
    co_return answer(what.op, got);
}

awaitable<carried_out> redis_database::stop_following(std::uint64_t op) {
    auto const got = co_await server_->end_stream(process_, ms(policy_.timing.fence));
    co_return answer(op, got);
}

}  // namespace

std::unique_ptr<database_port> make_redis_database(boost::asio::any_io_executor executor,
                                                   housing& house, redis_options options) {
    return std::make_unique<redis_database>(executor, house, std::move(options));
}

}  // namespace bevmesh::failover
