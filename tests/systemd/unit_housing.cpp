// A unit's housing by hand, for units_test.py: unit_housing UNIT VERB [ARGUMENT…] prints what came
// of it as JSON, {"value": …} or {"error": code, "doing": sentence}.
#include <chrono>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "failover/driver/unit.hpp"
#include "failover/guard/client.hpp"
#include "mesh/net/deadline.hpp"

namespace {

using namespace bevmesh;
using nlohmann::json;
using words = std::vector<std::string>;

constexpr milliseconds limit{5'000};

json told(failure const& f) {
    return {{"error", std::string(name(f.code))}, {"doing", f.doing}};
}
json told(result<void> const& r) {
    return r ? json{{"value", nullptr}} : told(r.error());
}
json told(result<std::string> const& r) {
    return r ? json{{"value", *r}} : told(r.error());
}

json described(failover::running const& r) {
    return {{"where", r.where},
            {"pid", r.victim.pid},
            {"cgroup", std::string(failover::guard::get_text(r.victim.cgroup))},
            {"argv", r.argv},
            {"restarted_by_others", r.restarted_by_others},
            {"alive", r.alive()}};
}

/// Held by a guard at `socket`, as a primary is, until `term` from now.
boost::asio::awaitable<result<void>> arm(failover::running what, std::string socket,
                                         milliseconds term) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const keeper = failover::guard::make_client(executor, std::move(socket), limit);
    auto const hello = co_await keeper->hello();
    if (!hello) co_return hello.error();
    failover::guard::lease_end until;
    until.valid_until = hello->now + term;
    until.margin = milliseconds(100);
    auto const who = what.victim;
    auto const armed = co_await keeper->arm(who, what.pidfd->get(), until, std::nullopt);
    if (!armed) co_return armed.error();
    if (!armed->done())
        co_return failure{errc::conflict, std::string(failover::guard::text(armed->said))};
    co_return result<void>();
}

boost::asio::awaitable<void> perform(failover::housing* house, std::string verb, words more,
                                     json* said) {
    if (verb == "look" || verb == "arm") {
        auto const seen = co_await house->look();
        if (!seen || verb == "look") {
            *said = seen ? json{{"value", described(*seen)}} : told(seen.error());
            co_return;
        }
        auto const term = milliseconds(std::stoi(more.at(1)));
        *said = told(co_await arm(*seen, more.at(0), term));
    } else if (verb == "start") {
        *said = told(co_await house->start());
    } else if (verb == "kill") {
        *said = told(co_await house->kill(limit));
    } else if (verb == "signal") {
        *said = told(co_await house->signal(more.at(0)));
    } else if (verb == "launched") {
        auto const how = co_await house->launched();
        *said = how ? json{{"value", {{"argv", how->argv}, {"environment", how->environment}}}}
                    : told(how.error());
    } else if (verb == "read") {
        *said = told(co_await house->read_file(more.at(0)));
    } else {  // run USER PASSWORD ARGV…
        auto const user = more.at(0);
        secret const password(more.at(1));
        words const argv(more.begin() + 2, more.end());
        *said = told(co_await house->run(argv, user, password, limit));
    }
}

}  // namespace

int main(int argc, char** argv) {
    words const all(argv + 1, argv + argc);
    auto const house = failover::make_unit_housing(all.at(0));
    boost::asio::io_context loop(1);
    json said;
    auto const began = std::chrono::steady_clock::now();
    auto doing = perform(house.get(), all.at(1), words(all.begin() + 2, all.end()), &said);
    boost::asio::co_spawn(loop, std::move(doing), [](std::exception_ptr const& thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    loop.run();
    std::chrono::duration<double, std::milli> const took = std::chrono::steady_clock::now() - began;
    said["ms"] = took.count();
    std::cout << said.dump() << '\n';
    return said.contains("error") ? 1 : 0;
}
