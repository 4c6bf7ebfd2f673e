#include "failover/driver/container.hpp"

#include "failover/guard/caller.hpp"
#include "failover/guard/client.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {
namespace {

class container_housing final : public housing {
public:
    container_housing(docker::client& engine, std::string container)
        : engine_(engine), container_(std::move(container)), name_("container " + container_) {}

    awaitable<result<running>> look() override {
        auto const seen = co_await engine_.inspect(container_);
        if (!seen) co_return seen.error();
        if (seen->pid <= 0) co_return failure{errc::not_found, name_ + ": it does not run"};
        auto held = std::make_shared<guard::descriptor>(guard::open_process(seen->pid));
        auto const who = guard::identify(seen->pid, {}, false);
        if (!*held || !who) co_return failure{errc::not_found, name_ + ": its process is gone"};
        // Else the pid could be another's by now.
        auto const again = co_await engine_.inspect(container_);
        if (!again) co_return again.error();
        running r{seen->id, *who, std::move(held), seen->argv};
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

    awaitable<result<void>> stop(milliseconds grace) override {
        auto const whole = std::chrono::ceil<seconds>(grace);
        auto const stopped = co_await engine_.stop(container_, whole);
        if (stopped) co_return stopped;
        co_return co_await kill(grace);
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
