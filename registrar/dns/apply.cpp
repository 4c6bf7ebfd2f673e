#include "registrar/dns/apply.hpp"

#include <algorithm>
#include <set>
#include <unistd.h>

#include "mesh/net/clock.hpp"
#include "registrar/dns/agent.hpp"
#include "registrar/dns/command.hpp"
#include "registrar/dns/engine.hpp"
#include "registrar/dns/files.hpp"
#include "registrar/dns/forwarder.hpp"
#include "registrar/dns/host.hpp"
#include "registrar/dns/journal.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr milliseconds engine_limit{120'000};
constexpr milliseconds settle_limit{10'000};

result<void> must_be_root() {
    if (::geteuid() == 0) return {};
    return failure{errc::forbidden,
                   "it writes to /etc and restarts services, which only root may: run it as root"};
}

/// Files in the opposite order of their writing, then those who read them.
std::vector<std::string> take_back(journal const& j, bool systemd, removed& done) {
    std::set<reader> told;
    auto const note = [&](result<void> const& r) {
        if (!r) done.problems.push_back(r.error().doing);
    };
    note(stop_forwarder(j.forward, systemd));
    for (auto f = j.files.rbegin(); f != j.files.rend(); ++f) {
        auto const restored = restore(*f);
        note(restored);
        if (!restored) continue;
        done.paths.push_back(f->file.path);
        told.insert(f->file.of);
    }
    if (systemd && told.contains(reader::forwarder))
        note(must_run({"systemctl", "daemon-reload"}, restart_limit));
    if (told.contains(reader::resolver) && !j.restart.empty())
        note(must_run(j.restart, restart_limit));
    if (told.contains(reader::engine) && !j.restart_engine.empty())
        note(must_run(j.restart_engine, engine_limit));
    return done.problems;
}

class work {
public:
    work(mesh_config const& config, dns_options const& options)
        : config_(config), options_(options), engine_(config.docker) {}

    result<observations> look();
    result<applied> apply();
    result<removed> remove();

private:
    void say(std::string const& sentence) const {
        if (options_.say) options_.say(sentence);
    }
    result<void> recover(journal_store const& store);
    result<void> read_everything();
    void ask_everywhere();
    [[nodiscard]] needs what_is_needed() const;
    [[nodiscard]] result<std::vector<written_file>> files_to_write(plan const& p) const;
    result<void> carry_out(plan const& p, std::vector<written_file> const& files, journal const& j,
                           std::set<std::string> const& fresh);
    [[nodiscard]] std::vector<std::string> what_is_worse(std::vector<view> const& before,
                                                         plan const& p) const;
    void wait_until_settled(std::vector<view> const& before, plan const& p);
    [[nodiscard]] bool can_bridge(plan const& p) const { return !p.container_dns.empty(); }

    mesh_config const& config_;
    dns_options const& options_;
    engine engine_;
    std::optional<journal> journal_;
    observations seen_;
    question_list questions_;
};

result<void> work::read_everything() {
    auto found = read_journal(config_.state_dir);
    if (!found) return found.error();
    journal_ = std::move(*found);
    seen_.consul = read_agent(config_);
    auto host = read_host(journal_, seen_.consul);
    if (!host) return host.error();
    if (!journal_) {
        journal_ = find_marked(known_paths(*host));
        if (journal_) host = read_host(journal_, seen_.consul);
        if (journal_ && host) journal_->restart = host->restart;
    }
    seen_.host = std::move(*host);
    seen_.host.engine = engine_.facts(journal_);
    seen_.journal.applied = journal_ && journal_->complete;
    seen_.journal.interrupted = journal_ && !journal_->complete;
    if (journal_)
        for (auto const& f : journal_->files)
            if (!is_as_written(f)) seen_.journal.changed.push_back(f.file.path);
    questions_ = questions_for(seen_.consul, options_.service);
    return {};
}

void work::ask_everywhere() {
    auto agent = ask_server(config_.consul.dns_address, questions_);
    seen_.agent = agent ? std::move(*agent) : server_report{config_.consul.dns_address, {}, {}};
    seen_.views.assign(1, look_from_host(questions_));
    for (auto& v : engine_.look(seen_.host.engine, questions_))
        seen_.views.push_back(std::move(v));
    seen_.stale = engine_.stale(seen_.views);
}

/// What a former apply found broken stays needed: its files are why it is no longer seen.
needs work::what_is_needed() const {
    needs n{false, false};
    if (journal_) n = journal_->needs;
    for (auto const& v : seen_.views) {
        if (resolves(v, seen_.agent)) continue;
        if (v.kind == network_kind::host || v.kind == network_kind::user_defined) n.host = true;
        if (v.kind == network_kind::default_bridge || v.kind == network_kind::internal)
            n.bridges = true;
    }
    return n;
}

result<observations> work::look() {
    if (auto const read = read_everything(); !read) return read.error();
    ask_everywhere();
    if (seen_.journal.applied) {
        wishes const wish{what_is_needed(), journal_->find("/etc/docker/daemon.json") != nullptr};
        auto const p = make_plan(seen_.host, seen_.consul, wish);
        auto const same = [&](planned_file const& f) {
            auto const* written = journal_->find(f.path);
            return written != nullptr && written->file.content == f.content;
        };
        seen_.journal.outdated = p && !std::ranges::all_of(p->files, same);
    }
    return std::move(seen_);
}

/// A journal that is not complete: as far as it went, it is taken back.
result<void> work::recover(journal_store const& store) {
    auto const found = read_journal(config_.state_dir);
    if (!found) return found.error();
    if (!*found || (*found)->complete) return {};
    say("an apply or remove was interrupted: taking back what it left");
    removed done;
    bool const systemd = ::access("/run/systemd/system", F_OK) == 0;
    auto const problems = take_back(**found, systemd, done);
    if (!problems.empty()) return failure{errc::local_error, problems.front()};
    store.erase();
    return {};
}

result<std::vector<written_file>> work::files_to_write(plan const& p) const {
    std::vector<written_file> files;
    for (auto const& f : p.files) {
        auto const* const known = journal_ ? journal_->find(f.path) : nullptr;
        if (known != nullptr && (is_as_written(*known) || !known->kept.empty())) {
            files.push_back(*known);
            files.back().file = f;
            continue;
        }
        auto const now = look_at(f.path);
        if (!now) return now.error();
        written_file w{f, "", missing_folders(f.path)};
        if (now->is != standing::kind::nothing) {
            if (!f.replaces || now->is == standing::kind::other)
                return failure{errc::bad_input,
                               f.path +
                                   " is there and is not bevmesh's: move it away, or merge "
                                   "this into it by hand:\n" +
                                   f.content};
            w.kept = f.path + ".before-bevmesh";
        }
        files.push_back(std::move(w));
    }
    return files;
}

result<void> work::carry_out(plan const& p, std::vector<written_file> const& files,
                             journal const& j, std::set<std::string> const& fresh) {
    std::set<reader> told;
    for (auto const& f : files) {
        if (!fresh.contains(f.file.path)) continue;
        if (auto const written = install(f); !written) return written;
        told.insert(f.file.of);
    }
    if (told.contains(reader::resolver) && !p.restart.empty()) {
        say(command_text(p.restart));
        if (auto const ran = must_run(p.restart, restart_limit); !ran) return ran;
    }
    if (told.contains(reader::forwarder)) {
        say("starting " + p.forward.program);
        if (auto const ran = start_forwarder(j.forward, seen_.host.systemd); !ran) return ran;
    }
    if (told.contains(reader::engine)) {
        say(command_text(p.restart_engine));
        if (auto const ran = must_run(p.restart_engine, engine_limit); !ran) return ran;
        return engine_.wait_ready(engine_limit);
    }
    return {};
}

std::vector<std::string> work::what_is_worse(std::vector<view> const& before, plan const& p) const {
    std::vector<std::string> worse;
    for (auto const& v : seen_.views) {
        if (resolves(v, seen_.agent)) continue;
        bool const is_bridge =
            v.kind == network_kind::default_bridge || v.kind == network_kind::internal;
        auto const was = [&](view const& b) {
            return b.where == v.where && b.is_host == v.is_host && resolves(b, seen_.agent);
        };
        // The third internal network and on are told of, not served.
        auto const& all = seen_.host.engine.networks;
        auto const n = std::ranges::find(all, v.where, &network::name);
        bool const is_served = !is_bridge || (can_bridge(p) && n != all.end() &&
                                              std::ranges::count(p.container_dns, n->gateway) > 0);
        if (is_served || std::ranges::any_of(before, was)) worse.push_back(v.where);
    }
    return worse;
}

/// A resolver that was just started may need a moment; what stays wrong is wrong.
void work::wait_until_settled(std::vector<view> const& before, plan const& p) {
    auto const deadline = net::now() + settle_limit;
    auto const host_ok = [&] {
        auto const v = look_from_host(questions_);
        return resolves(v, seen_.agent);
    };
    while (!host_ok() && net::now() < deadline)
        pause_for(milliseconds(100));
    ask_everywhere();
    // Once more, whatever the time: one question that was lost would undo everything.
    if (!what_is_worse(before, p).empty()) ask_everywhere();
}

result<applied> work::apply() {
    if (auto const root = must_be_root(); !root) return root.error();
    auto const store = journal_store::open(config_.state_dir);
    if (!store) return store.error();
    if (auto const done = recover(*store); !done) return done.error();
    if (auto const read = read_everything(); !read) return read.error();
    say("asking from the host and from each network");
    ask_everywhere();
    auto const& agent = seen_.agent;
    if (agent.names.empty() || agent.names[0].a.is != outcome::found)
        return failure{errc::remote_error,
                       "Consul's DNS at " + config_.consul.dns_address +
                           " does not know consul.service." + config_.domain +
                           ": `bevmesh dns doctor` says more; nothing was done"};
    wishes wish{what_is_needed(), options_.restart_engine};
    if (journal_ && journal_->find("/etc/docker/daemon.json") != nullptr)
        wish.restart_engine = true;
    applied done;
    if (wish.needs.host || wish.needs.bridges) {
        auto made = make_plan(seen_.host, seen_.consul, wish);
        if (!made) return made.error();
        done.plan = std::move(*made);
    } else {
        done.plan.resolver = recognise(seen_.host.conf, seen_.host.listeners);
    }
    auto files = files_to_write(done.plan);
    if (!files) return files.error();

    std::set<std::string> fresh;
    for (auto const& f : *files)
        if (!is_as_written(f)) fresh.insert(f.file.path);
    if (fresh.empty()) {
        done.after = std::move(seen_);
        return done;
    }
    if (!options_.agree(describe(done.plan))) return failure{errc::canceled, "nothing was done"};

    journal j{
        false, wish.needs, *files, done.plan.restart, done.plan.forward, done.plan.restart_engine};
    if (journal_)  // what is no longer planned stays ours to take back
        for (auto const& f : journal_->files)
            if (j.find(f.file.path) == nullptr) j.files.push_back(f);
    if (auto const saved = store->save(j); !saved) return saved.error();
    auto const before = seen_.views;
    auto carried = carry_out(done.plan, *files, j, fresh);
    if (carried) {
        say("asking again");
        journal_ = j;
        wait_until_settled(before, done.plan);
        auto const worse = what_is_worse(before, done.plan);
        if (!worse.empty()) {
            std::string all;
            for (auto const& where : worse)
                all += (all.empty() ? "" : ", ") + where;
            auto const findings = judge(seen_);
            auto const why = std::ranges::find(findings, worse.front(), &finding::where);
            carried = failure{errc::remote_error,
                              "afterwards names did not resolve from " + all +
                                  (why == findings.end() ? "" : " (" + why->text + ")")};
        }
    }
    if (!carried) {
        say("taking everything back");
        removed undone;
        auto const problems = take_back(j, seen_.host.systemd, undone);
        if (problems.empty()) store->erase();
        return failure{
            carried.error().code == errc::forbidden ? errc::forbidden : errc::remote_error,
            carried.error().doing +
                (problems.empty() ? "; the host is as it was before"
                                  : "; and not all could be taken back: " + problems.front())};
    }
    j.complete = true;
    if (auto const saved = store->save(j); !saved) return saved.error();
    journal_ = j;
    seen_.journal = {true, false, {}, false};
    done.changed = true;
    done.after = std::move(seen_);
    return done;
}

result<removed> work::remove() {
    if (auto const root = must_be_root(); !root) return root.error();
    auto const store = journal_store::open(config_.state_dir);
    if (!store) return store.error();
    if (auto const read = read_everything(); !read) return read.error();
    removed done;
    if (!journal_) return done;
    std::vector<std::string> lines;
    bool restarts_engine = false;
    for (auto const& f : journal_->files) {
        lines.push_back((f.kept.empty() ? "remove   " : "put back ") + f.file.path);
        restarts_engine = restarts_engine || f.file.of == reader::engine;
    }
    if (restarts_engine && !options_.restart_engine && journal_->complete)
        return failure{errc::conflict,
                       "Docker tells its containers to ask bevmesh's forwarder until it is "
                       "restarted: --restart-docker allows that; nothing was done"};
    if (!journal_->restart.empty()) lines.push_back("run      " + command_text(journal_->restart));
    if (!journal_->forward.program.empty())
        lines.push_back("stop     " + journal_->forward.program);
    if (restarts_engine && !journal_->restart_engine.empty())
        lines.push_back("run      " + command_text(journal_->restart_engine));
    if (!options_.agree(lines)) return failure{errc::canceled, "nothing was done"};
    auto j = *journal_;
    j.complete = false;
    if (auto const saved = store->save(j); !saved) return saved.error();
    if (take_back(j, seen_.host.systemd, done).empty()) store->erase();
    return done;
}

}  // namespace

result<observations> look_around(mesh_config const& config, dns_options const& options) {
    return work(config, options).look();
}

result<applied> apply(mesh_config const& config, dns_options const& options) {
    return work(config, options).apply();
}

result<removed> remove(mesh_config const& config, dns_options const& options) {
    return work(config, options).remove();
}

}  // namespace bevmesh::registrar::dns
