#include "failover/driver/container.hpp"

#include <nlohmann/json.hpp>

#include "failover/guard/caller.hpp"
#include "failover/guard/client.hpp"
#include "mesh/net/clock.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

using nlohmann::json;

/// A tool runs for seconds to hours.
constexpr milliseconds look_each{100};

/// On a container that this made, with the name of the container that it serves; with the other one
/// the registrar leaves it out of the catalog.
constexpr char const* tool_label = "bevmesh-tool-of";
constexpr char const* unannounced_label = "bevmesh.enable";

std::string tool_config(docker::container const& like, std::vector<std::string> const& argv,
                        std::string const& user, secret const& password) {
    json environment = json::array({"LC_ALL=C"});
    if (!password.empty()) environment.push_back("PGPASSWORD=" + std::string(password.reveal()));
    return json{{"Image", like.image},
                {"User", user.empty() ? like.user : user},
                {"Entrypoint", json::array({argv.front()})},
                {"Cmd", std::vector<std::string>(argv.begin() + 1, argv.end())},
                {"Env", environment},
                {"Labels", {{tool_label, like.name}, {unannounced_label, "false"}}},
                {"HostConfig",
                 {{"VolumesFrom", json::array({like.id})}, {"NetworkMode", like.network_mode}}}}
        .dump();
}

class container_housing final : public housing {
public:
    container_housing(docker::client& engine, std::string container)
        : engine_(engine), container_(std::move(container)), name_("container " + container_) {}

    awaitable<result<running>> look() override {
        auto const seen = co_await engine_.inspect(container_);
        if (!seen) co_return seen.error();
        if (seen->pid <= 0) co_return failure{errc::not_found, name_ + ": it does not run"};
        auto held = std::make_shared<descriptor>(guard::open_process(seen->pid));
        auto const who = guard::identify(seen->pid, {}, false);
        if (!*held || !who) co_return failure{errc::not_found, name_ + ": its process is gone"};
        // Else the pid could be another's by now.
        auto const again = co_await engine_.inspect(container_);
        if (!again) co_return again.error();
        running r;
        r.where = seen->id;
        r.victim = *who;
        r.pidfd = std::move(held);
        r.argv = seen->argv;
        r.restarted_by_others = !seen->restart_policy.empty() && seen->restart_policy != "no";
        if (again->pid != seen->pid || again->started_at != seen->started_at || !r.alive())
            co_return failure{errc::conflict, name_ + ": it was restarted meanwhile"};
        co_return r;
    }

    awaitable<result<void>> start() override { return engine_.start(container_); }

    awaitable<result<void>> kill(milliseconds limit) override {
        auto const runs = co_await look();
        if (!runs && runs.error().code == errc::not_found) co_return result<void>();
        auto const struck = co_await engine_.kill(container_, "KILL");
        if (!runs) co_return struck ? result<void>(runs.error()) : struck;
        co_return co_await reaped(*runs, limit, struck);
    }

    awaitable<result<void>> signal(std::string name) override {
        return engine_.kill(container_, std::move(name));
    }

    awaitable<result<std::string>> run(std::vector<std::string> argv, std::string user,
                                       secret password, milliseconds limit) override {
        auto const like = co_await engine_.inspect(container_);
        if (!like) co_return like.error();
        auto const cleared = co_await remove_tool(*like);
        if (!cleared) co_return cleared.error();
        auto const tool = tool_of(*like);
        auto const made = co_await engine_.create(tool, tool_config(*like, argv, user, password));
        if (!made) co_return made.error();
        auto running = run_to_end(*made, argv.front(), limit);
        auto said = co_await std::move(running);
        (void)co_await engine_.remove(*made);
        co_return said;
    }

    awaitable<result<launch>> launched() override {
        auto seen = co_await engine_.inspect(container_);
        if (!seen) co_return seen.error();
        launch how;
        how.argv = std::move(seen->argv);
        how.environment = std::move(seen->env);
        co_return how;
    }

    awaitable<result<std::string>> read_file(std::string path) override {
        std::vector<std::string> argv;
        argv.emplace_back("cat");
        argv.push_back(path);
        auto const done = co_await engine_.exec(container_, std::move(argv));
        if (!done) co_return done.error();
        if (done->exit_code != 0)
            co_return failure{errc::not_found, name_ + ": read " + path + ": " + done->err};
        co_return done->out;
    }

    std::string const& name() const noexcept override { return name_; }

private:
    static std::string tool_of(docker::container const& served) { return served.name + "-tool"; }

    /// One that a killed daemon left: what it did is not known, so it is done again.
    awaitable<result<void>> remove_tool(docker::container const& served) {
        auto const there = co_await engine_.inspect(tool_of(served));
        if (!there && there.error().code == errc::not_found) co_return result<void>();
        if (!there) co_return there.error();
        auto const label = there->labels.find(tool_label);
        if (label == there->labels.end() || label->second != served.name)
            co_return failure{errc::conflict, "the container " + there->name +
                                                  " has the name of the tool of " + name_ +
                                                  ", and is not bevmesh's: it is left alone"};
        auto const id = there->id;
        co_return co_await engine_.remove(id);
    }

    awaitable<result<std::string>> run_to_end(std::string id, std::string program,
                                              milliseconds limit) {
        auto const started = co_await engine_.start(id);
        if (!started) co_return started.error();
        auto const end = net::now() + limit;
        for (;;) {
            auto const seen = co_await engine_.inspect(id);
            if (!seen) co_return seen.error();
            if (seen->state == docker::run_state::exited) {
                auto const wrote = co_await engine_.logs(id, 20);
                if (!wrote) co_return wrote.error();
                if (seen->exit_code == 0) co_return wrote->out;
                co_return failure{errc::remote_error, program + " ended with status " +
                                                          std::to_string(seen->exit_code) + ": " +
                                                          wrote->err};
            }
            if (net::now() >= end)
                co_return failure{errc::timed_out, program + " did not end in time"};
            co_await net::sleep_for(look_each);
        }
    }

    awaitable<result<void>> reaped(running what, milliseconds limit, result<void> struck) {
        auto ending = guard::process_end(what.pidfd->get());
        auto const ended = co_await net::with_deadline(std::move(ending), limit, "kill " + name_);
        if (ended || !what.alive()) co_return result<void>();
        co_return struck ? ended : struck;
    }

    docker::client& engine_;
    std::string container_;
    std::string name_;
};

}  // namespace

std::unique_ptr<housing> make_container_housing(docker::client& engine, std::string container) {
    return std::make_unique<container_housing>(engine, std::move(container));
}

}  // namespace bevmesh::failover
