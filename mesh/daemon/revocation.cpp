#include "mesh/daemon/revocation.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "certs/names.hpp"
#include "certs/recipes.hpp"
#include "certs/x509.hpp"
#include "failover/orders.hpp"

namespace bevmesh::daemon {

using net::awaitable;
using nlohmann::json;

namespace {

constexpr milliseconds mesh_limit{8'000};
constexpr std::size_t digits_min = 8;

certs::wall_time wall_now() {
    return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

std::string to_text(certs::wall_time at) {
    return failover::to_text(std::chrono::time_point_cast<milliseconds>(at));
}

/// As leaf has it, or how one begins.
result<std::string> serial_in(call const& c) {
    auto serial = c.query("serial");
    bool const good = std::ranges::all_of(
        serial, [](char d) { return (d >= '0' && d <= '9') || (d >= 'a' && d <= 'f'); });
    if (good && serial.size() >= digits_min) return serial;
    return failure{errc::bad_input,
                   "expected serial=SERIAL, hexadecimal, lower case, at least 8 digits"};
}

bool is_daemon(verifier_of_peers const& one) {
    return one.service == certs::daemon_name;
}

/// Where no CRL comes to it.
std::string word_without(std::string const& recipe) {
    auto const* const known = certs::find_recipe(recipe);
    bool const never = known == nullptr || known->crls == certs::crl_use::never;
    return never ? "never" : "off";
}

/// The first CRL that should have been made anew: Vault does so while a third of its life is left.
certs::crl const* neglected(std::vector<certs::crl> const& all, certs::wall_time now) {
    auto const is = [now](certs::crl const& one) {
        return one.ends - now < (one.ends - one.made) / 4;
    };
    auto const found = std::ranges::find_if(all, is);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

awaitable<void> revocation::look(vault::client& vault, std::vector<std::string> bundle) {
    auto const got = co_await vault.crls();
    auto const now = wall_now();
    seen_.take(got ? *got : std::string(), bundle, now);
    for (auto const& one : verifiers_)
        if (auto const& in_use = one.keeper->state().proven; in_use && seen_.lists(in_use->serial))
            one.keeper->revoked(in_use->serial);
    auto const problem = seen_.problem(now);
    auto const each = seen_.all();
    auto const* const old = neglected(each, now);
    if (!got && (problem.empty() || each.empty()))
        tell("the CRLs in Vault cannot be seen: " + bevmesh::describe(got.error()), false);
    else if (!problem.empty())
        tell(problem + ": services keep the CRLs that they have", true);
    else if (old != nullptr)
        tell("the CRL of " + old->issuer + " is not made anew, and ends at " + to_text(old->ends),
             true);
    else
        tell({}, false);
}

void revocation::tell(std::string trouble, bool alarm) {
    if (trouble == trouble_) return;
    trouble_ = std::move(trouble);
    if (trouble_.empty())
        log_.info("the CRLs are well again");
    else if (alarm)
        log_.error(trouble_);
    else
        log_.warning(trouble_);
}

std::string revocation::crls_for(certs::keeper const& of) const {
    for (auto const& one : verifiers_)
        if (one.keeper == &of && is_daemon(one)) return seen_.text();
    return seen_.problem(wall_now()).empty() ? seen_.text() : std::string();
}

void revocation::mount(routes& on) {
    on.add("GET", "/v1/certs/kept", audience::everybody,
           [this](call c) { return kept(std::move(c)); });
    on.add("GET", "/v1/certs/kept/mesh", audience::local,
           [this](call c) { return kept_by_all(std::move(c)); });
    on.add("GET", "/v1/certs/revoked", audience::everybody,
           [this](call c) { return revoked(std::move(c)); });
    on.add("GET", "/v1/certs/revoked/mesh", audience::local,
           [this](call c) { return revoked_by_all(std::move(c)); });
}

awaitable<result<std::string>> revocation::kept(call c) const {
    auto const begin = serial_in(c);
    if (!begin) co_return begin.error();
    auto found = json::array();
    for (auto const& one : verifiers_) {
        auto const all = co_await one.keeper->certificates();
        for (auto const& pem : all) {
            auto const is = certs::read_leaf(pem);
            if (!is || !is->serial.starts_with(*begin)) continue;
            auto const& in_use = one.keeper->state().proven;
            found.push_back({{"service", one.service},
                             {"node", node_},
                             {"serial", is->serial},
                             {"expires", to_text(is->not_after)},
                             {"in_use", in_use && in_use->serial == is->serial},
                             {"certificate", pem}});
        }
    }
    co_return answer_text({{"node", node_}, {"kept", std::move(found)}});
}

awaitable<json> revocation::judge(verifier_of_peers const& one, std::string serial) const {
    auto const& state = one.keeper->state();
    auto const made = [&one, this](std::string const& word, std::string const& why) {
        return json{{"service", one.service},
                    {"node", node_},
                    {"recipe", one.recipe},
                    {"does", word},
                    {"why", why}};
    };
    if (!one.keeper->reads_crl()) co_return made(word_without(one.recipe), "");
    if (!seen_.lists(serial))
        co_return made("pending",
                       trouble_.empty() ? "the CRL that this node has is an older one" : trouble_);
    bool const there = state.proven && state.proven->crl == certs::crl_hash(seen_.text());
    if (!there || state.coming)
        co_return made("pending", !state.trouble.empty() ? state.trouble
                                  : !trouble_.empty()    ? trouble_
                                                         : "the CRL is being put in place");
    if (is_daemon(one)) co_return made("enforced", "");
    if (!one.reads) co_return made("unknown", "");
    auto const reads = co_await one.reads();
    if (reads.has_error()) co_return made("unread", reads.error().doing);
    co_return made("enforced", "");
}

awaitable<result<std::string>> revocation::revoked(call c) const {
    auto const serial = serial_in(c);
    if (!serial) co_return serial.error();
    auto verifiers = json::array();
    for (auto const& one : verifiers_) {
        auto asked = *serial;
        auto judged = co_await judge(one, std::move(asked));
        verifiers.push_back(std::move(judged));
    }
    co_return answer_text({{"node", node_},
                           {"serial", *serial},
                           {"listed", seen_.lists(*serial)},
                           {"verifiers", std::move(verifiers)}});
}

awaitable<result<std::string>> revocation::kept_by_all(call c) {
    auto mine = c;
    auto own = co_await kept(std::move(mine));
    if (!own) co_return own.error();
    auto text = std::move(*own);
    std::string path = "/v1/certs/kept";
    co_return co_await of_all_nodes(std::move(c), std::move(path), std::move(text));
}

awaitable<result<std::string>> revocation::revoked_by_all(call c) {
    auto mine = c;
    auto own = co_await revoked(std::move(mine));
    if (!own) co_return own.error();
    auto text = std::move(*own);
    std::string path = "/v1/certs/revoked";
    co_return co_await of_all_nodes(std::move(c), std::move(path), std::move(text));
}

/// `own`: what this node says itself.
awaitable<result<std::string>> revocation::of_all_nodes(call c, std::string path, std::string own) {
    auto nodes = json::array({json::parse(own, nullptr, false)});
    auto silent = json::array();
    peer_question q;
    q.target = path + "?serial=" + c.query("serial");
    q.deadline = mesh_limit;
    auto const answers = co_await others_.ask_all(std::move(q));
    for (auto const& [node, answer] : answers) {
        auto told = answer ? json::parse(*answer, nullptr, false) : json();
        if (told.is_object())
            nodes.push_back(std::move(told));
        else
            silent.push_back({{"node", node},
                              {"why", answer ? "no answer that can be read"
                                             : bevmesh::describe(answer.error())}});
    }
    co_return answer_text({{"node", node_}, {"nodes", nodes}, {"not_answering", silent}});
}

}  // namespace bevmesh::daemon
