#include "failover/driver/postgres_database.hpp"

#include <ctime>

#include "failover/driver/answers.hpp"
#include "failover/driver/postgres_files.hpp"
#include "failover/driver/room.hpp"
#include "failover/guard/client.hpp"
#include "failover/postgres/silence.hpp"
#include "mesh/log/log.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

milliseconds ms(nanoseconds n) {
    return std::chrono::duration_cast<milliseconds>(n);
}

class postgres_database final : public database_port {
public:
    postgres_database(boost::asio::any_io_executor executor, housing& house,
                      postgres_options options)
        : executor_(std::move(executor)),
          house_(house),
          options_(std::move(options)),
          policy_(options_.policy),
          files_(house, options_.data_dir, options_.quarantine_dir, options_.mark),
          room_(options_.data_dir) {
        others_ = options_.where;
        others_.erase(policy_.self);
        server_ = server_at(options_.where.at(policy_.self));
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
    [[nodiscard]] std::unique_ptr<postgres::server> server_at(postgres::address const& at) const {
        postgres::server_options how;
        how.login = [login = options_.login, at] { return login(at); };
        how.replication = options_.replication;
        how.node = policy_.self;
        return postgres::make_server(executor_, std::move(how));
    }
    [[nodiscard]] std::optional<postgres::address> address_of(std::string const& node) const {
        auto const found = options_.where.find(node);
        if (found == options_.where.end()) return std::nullopt;
        return found->second;
    }
    /// Without a password: that goes by the environment.
    [[nodiscard]] std::string upstream_text(postgres::address const& at) const {
        auto login = options_.replication;
        login.password = secret();
        auto text = std::string(postgres::connection_string(login, at, policy_.self).reveal());
        return text + " dbname=postgres";
    }
    awaitable<result<void>> stop_fast(milliseconds limit);
    awaitable<result<void>> make_slot(postgres::address upstream);
    awaitable<result<void>> fill(postgres::address upstream);
    awaitable<result<void>> make_anew(postgres::address upstream);
    awaitable<result<void>> point_to(postgres::address upstream);
    awaitable<result<void>> start_fenced();
    awaitable<void> compare(postgres::server_state mine, std::string upstream);
    awaitable<void> set_slots(postgres::slot_changes changes);

    boost::asio::any_io_executor executor_;
    housing& house_;
    postgres_options options_;
    policy const& policy_;
    postgres::addresses others_;
    std::unique_ptr<postgres::server> server_;
    postgres_files files_;
    postgres::silence silence_;
    std::string process_;                  // of the last probe
    std::string compared_;                 // with whom, last
    std::string behind_whom_;              // who no longer has the WAL that this one lacks
    std::optional<bool> restarts_itself_;  // of that process; empty: not known yet
    std::string slot_trouble_;             // told last
    room room_;
    log::logger log_{"failover"};
};

awaitable<probed> postgres_database::look(probe what) {
    probed seen;
    seen.op = what.op;
    seen.asked = net::now();
    auto const limit = ms(what.limit);
    auto const state = co_await server_->probe(limit);
    if (!state) {
        seen.facts.condition =
            state.error().why == condition::ok ? condition::refused : state.error().why;
        if (seen.facts.condition == condition::refused) process_.clear();
        // It is there, only it does not say more.
        seen.facts.process = process_;
        co_return seen;
    }
    if (state->process != process_) restarts_itself_.reset();
    process_ = state->process;
    if (!restarts_itself_) {
        auto const runs = co_await house_.look();
        if (runs) restarts_itself_ = runs->restarted_by_others;
    }
    seen.facts = postgres::to_facts(*state, others_);
    silence_.judge(seen.facts, seen.asked, 2 * policy_.probe);
    seen.facts.boot_fenced = seen.facts.boot_fenced && !restarts_itself_.value_or(true);
    auto const changes = postgres::changes_of_slots(*state, others_);
    if (!changes.empty() && (!state->recovery || state->streaming)) co_await set_slots(changes);
    auto const has_room = co_await room_.look();
    if (!has_room && seen.facts.condition == condition::ok)
        seen.facts.condition = condition::write_fails;
    if (seen.facts.role != role::primary) co_return seen;
    auto const written = co_await server_->prove(process_, limit);
    if (!written && written.error().why == condition::write_fails)
        seen.facts.condition = condition::write_fails;
    co_return seen;
}

awaitable<void> postgres_database::set_slots(postgres::slot_changes changes) {
    auto const set = co_await server_->set_slots(process_, std::move(changes), ms(policy_.probe));
    auto const why = set ? std::string() : set.error().detail;
    if (!why.empty() && why != slot_trouble_)
        log_.warning("the slots that keep WAL for the other members are not as they should be",
                     {{"group", policy_.group}, {"reason", why}});
    slot_trouble_ = why;
}

awaitable<result<running>> postgres_database::identify(std::string process) {
    auto runs = co_await house_.look();
    if (!runs) co_return runs.error();
    auto const state = co_await server_->probe(ms(policy_.timing.fence));
    if (!state) co_return failure{errc::unreachable, house_.name() + ": " + state.error().detail};
    if (state->process != process || !runs->alive())
        co_return failure{errc::conflict, house_.name() + ": another process runs there"};
    co_return std::move(*runs);
}

awaitable<carried_out> postgres_database::perform(promote what) {
    auto const got =
        co_await server_->promote(what.process, what.not_after, what.gate, ms(policy_.promote));
    co_return answer(what.op, got);
}

awaitable<carried_out> postgres_database::perform(prove what) {
    auto const got = co_await server_->prove(what.process, ms(policy_.probe));
    co_return answer(what.op, got);
}

awaitable<carried_out> postgres_database::perform(set_gate what) {
    auto const got = co_await server_->set_gate(what.process, what.gate, ms(policy_.timing.fence));
    co_return answer(what.op, got);
}

/// In order, so that the WAL senders send all of it; what does not end is killed.
awaitable<result<void>> postgres_database::stop_fast(milliseconds limit) {
    auto const runs = co_await house_.look();
    if (!runs && runs.error().code == errc::not_found) co_return result<void>();
    if (!runs) co_return runs.error();
    auto const told = co_await house_.signal("INT");
    if (!told) co_return told.error();
    auto ending = guard::process_end(runs->pidfd->get());
    auto const ended =
        co_await net::with_deadline(std::move(ending), limit, "stop " + house_.name());
    if (ended) co_return result<void>();
    auto const killed = co_await house_.kill(ms(policy_.timing.fence));
    if (!killed) co_return killed.error();
    co_return failure{errc::timed_out, "it did not stop in order and was killed"};
}

awaitable<carried_out> postgres_database::perform(drain what) {
    auto const at = address_of(what.target);
    if (!at) co_return refused(what.op, what.target + " is no member");
    auto const until = net::now() + what.limit;
    // What is flushed now is not waited for between stop and start of the other.
    auto const flushed = co_await server_->checkpoint(what.process, ms(what.limit));
    if (!flushed) co_return failed(what.op, flushed.error());
    auto const stopped = co_await stop_fast(std::max(ms(until - net::now()), milliseconds(100)));
    if (!stopped) {
        auto c = refused(what.op, describe(stopped.error()));
        c.stopped = stopped.error().code == errc::timed_out;
        if (!c.stopped) c.result = outcome::unknown;
        co_return c;
    }
    auto const control = co_await files_.control(options_.replication.password, ms(what.limit));
    if (!control || !control->shut_down()) {
        auto c = refused(what.op, control ? "it did not shut down in order: " + control->state
                                          : describe(control.error()));
        c.stopped = true;
        co_return c;
    }
    auto const target = server_at(*at);
    auto const left = std::max(ms(until - net::now()), milliseconds(100));
    auto const reached = co_await target->reach(control->checkpoint, left);
    auto c = answer(what.op, reached);
    c.stopped = true;
    if (!reached) c.result = outcome::refused;
    co_return c;
}

/// There is nothing to resume: a drain ends in a stop, or changed nothing.
awaitable<carried_out> postgres_database::perform(resume_writes what) {
    co_return accomplished(what.op);
}

awaitable<fenced> postgres_database::perform(fence what) {
    fenced f;
    f.op = what.op;
    // Another process answers: the one that was meant is gone, and this one is left alone.
    if (!what.process.empty() && !what.kill) {
        auto const state = co_await server_->probe(ms(policy_.timing.fence) / 4);
        if (state && state->process != what.process) {
            f.result = outcome::done;
            f.dead = true;
            co_return f;
        }
    }
    auto const done = co_await house_.kill(ms(policy_.timing.fence));
    f.result = done ? outcome::done : outcome::unknown;
    f.dead = done.has_value();
    if (!done) f.detail = describe(done.error());
    co_return f;
}

awaitable<result<void>> postgres_database::start_fenced() {
    auto const fenced = co_await files_.make_boot_fenced();
    if (!fenced) co_return fenced.error();
    auto const started = co_await house_.start();
    co_return started;
}

awaitable<result<void>> postgres_database::make_slot(postgres::address upstream) {
    auto const other = server_at(upstream);
    auto const made = co_await other->make_slot(postgres::slot_of(policy_.self), ms(policy_.hang));
    if (!made) co_return failure{errc::remote_error, made.error().detail};
    co_return result<void>();
}

/// A directory that was made anew is consistent only with WAL that it has not got yet: until then
/// it answers no SQL, and could not be told whom to follow.
awaitable<result<void>> postgres_database::point_to(postgres::address upstream) {
    std::map<std::string, secret> settings;
    settings.emplace("primary_conninfo",
                     postgres::connection_string(options_.replication, upstream, policy_.self));
    settings.emplace("primary_slot_name", secret(postgres::slot_of(policy_.self)));
    auto pointing = files_.write_settings(std::move(settings));
    co_return co_await std::move(pointing);
}

awaitable<result<void>> postgres_database::fill(postgres::address upstream) {
    auto const slot = postgres::slot_of(policy_.self);
    co_return co_await files_.base_backup(upstream_text(upstream), slot,
                                          options_.replication.password, ms(policy_.resync));
}

awaitable<result<void>> postgres_database::make_anew(postgres::address upstream) {
    auto const may = co_await files_.may_be_replaced();
    if (!may) co_return may.error();
    auto const kept = co_await make_slot(upstream);
    if (!kept) co_return kept.error();
    auto const begun = co_await files_.begin_remaking();
    if (!begun) co_return begun.error();
    auto const emptied = co_await files_.clear();
    if (!emptied) co_return emptied.error();
    behind_whom_.clear();
    auto const filled = co_await fill(upstream);
    if (!filled) co_return filled.error();
    auto const pointed = co_await point_to(upstream);
    if (!pointed) co_return pointed.error();
    co_return co_await files_.end_remaking();
}

awaitable<carried_out> postgres_database::perform(start_database what) {
    auto const there = co_await files_.look();
    if (!there) co_return refused(what.op, describe(there.error()));
    if (!there->objection.empty()) co_return refused(what.op, there->objection);
    if (there->empty || there->half_made) {
        std::string const state = there->empty ? "is empty" : "was being replaced and is half made";
        auto const at = address_of(what.upstream);
        if (!at || what.upstream == policy_.self)
            co_return refused(what.op, "the data directory " + options_.data_dir + " " + state +
                                           ", and there is no primary to copy from");
        log_.info("the data directory " + state + ": a base backup fills it",
                  {{"group", policy_.group}, {"from", what.upstream}});
        auto const made = co_await make_anew(*at);
        if (!made) co_return refused(what.op, describe(made.error()));
    }
    auto const started = co_await start_fenced();
    co_return started ? accomplished(what.op) : refused(what.op, describe(started.error()));
}

awaitable<carried_out> postgres_database::perform(follow what) {
    auto const at = address_of(what.upstream);
    if (!at) co_return refused(what.op, what.upstream + " is no member");
    auto const got =
        co_await server_->follow(what.process, *at, options_.login(*at), ms(policy_.hang));
    behind_whom_ = !got && got.error().behind ? what.upstream : std::string();
    if (got && compared_ != what.upstream) {
        auto const mine = co_await server_->probe(ms(policy_.probe));
        if (mine) co_await compare(*mine, what.upstream);
    }
    co_return answer(what.op, got);
}

/// What an admin should know before the one takes the other's place.
awaitable<void> postgres_database::compare(postgres::server_state mine, std::string upstream) {
    auto const other = server_at(options_.where.at(upstream));
    auto const theirs = co_await other->probe(ms(policy_.probe));
    if (!theirs) co_return;
    compared_ = upstream;
    for (auto const& warning : postgres::warnings(mine, *theirs))
        log_.warning(warning, {{"group", policy_.group}, {"member", upstream}});
}

awaitable<carried_out> postgres_database::perform(checkpoint what) {
    // It removes what nobody has a slot for.
    auto kept = postgres::changes_of_slots(postgres::server_state(), others_);
    co_await set_slots(std::move(kept));
    auto const got = co_await server_->checkpoint(process_, ms(policy_.resync));
    co_return answer(what.op, got);
}

awaitable<carried_out> postgres_database::perform(quarantine what) {
    auto const at = address_of(what.upstream);
    if (!at) co_return refused(what.op, what.upstream + " is no member");
    auto const mine = co_await server_->probe(ms(policy_.hang));
    if (!mine) co_return failed(what.op, mine.error());
    auto const other = server_at(*at);
    auto const theirs = co_await other->probe(ms(policy_.hang));
    if (!theirs) co_return failed(what.op, theirs.error());
    // From where the two part; where that is not known, all that there is.
    position fork = 0;
    auto const line = postgres::history_of(*mine).id;
    for (auto const& ancestor : postgres::history_of(*theirs).ancestors)
        if (ancestor.id == line) fork = ancestor.end;
    auto const name = policy_.group + "-" + std::to_string(std::time(nullptr));
    auto const copied = co_await files_.quarantine(mine->timeline, fork, name);
    if (!copied) co_return refused(what.op, describe(copied.error()));
    auto c = accomplished(what.op);
    c.detail = "copied to " + options_.quarantine_dir + "/" + name;
    co_return c;
}

awaitable<carried_out> postgres_database::perform(resync what) {
    auto const at = address_of(what.upstream);
    if (!at) co_return refused(what.op, what.upstream + " is no member");
    // From now on nothing that it will need is removed there.
    auto const kept = co_await make_slot(*at);
    if (!kept) co_return refused(what.op, describe(kept.error()));
    // One that had to be killed is recovered by the rewind itself.
    auto const stopped = co_await stop_fast(ms(policy_.hang));
    if (!stopped && stopped.error().code != errc::timed_out)
        co_return refused(what.op, describe(stopped.error()));
    auto const begun = co_await files_.begin_remaking();
    if (!begun) co_return refused(what.op, describe(begun.error()));
    result<void> rewound = failure{errc::not_found, "the WAL that it lacks is there no more"};
    if (behind_whom_ != what.upstream)
        rewound = co_await files_.rewind(upstream_text(*at), options_.replication.password,
                                         ms(policy_.resync));
    if (!rewound) {
        log_.warning("a base backup replaces the data",
                     {{"group", policy_.group}, {"reason", describe(rewound.error())}});
        auto const made = co_await make_anew(*at);
        if (!made) co_return refused(what.op, describe(made.error()));
    } else {
        auto const pointed = co_await point_to(*at);
        if (!pointed) co_return refused(what.op, describe(pointed.error()));
        auto const ended = co_await files_.end_remaking();
        if (!ended) co_return refused(what.op, describe(ended.error()));
    }
    auto const started = co_await start_fenced();
    co_return started ? accomplished(what.op) : refused(what.op, describe(started.error()));
}

awaitable<carried_out> postgres_database::stop_following(std::uint64_t op) {
    auto const got = co_await server_->end_stream(process_, ms(policy_.hang));
    co_return answer(op, got);
}

}  // namespace

std::unique_ptr<database_port> make_postgres_database(boost::asio::any_io_executor executor,
                                                      housing& house, postgres_options options) {
    return std::make_unique<postgres_database>(std::move(executor), house, std::move(options));
}

}  // namespace bevmesh::failover
