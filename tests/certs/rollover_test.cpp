// A rollover told as what is done, in a mesh that does what it is told: two CAs' life, and every
// way back.
#include "certs/rollover.hpp"

#include <algorithm>

#include "tests/catch.hpp"

using namespace bevmesh;
using namespace bevmesh::certs;

namespace {

using lines = std::vector<std::string>;
using kind = rollover_move::kind;

constexpr auto root_mount = "pki_root";
constexpr auto mount = "pki";

// Two nodes with two services each, and a Vault.
struct mesh {
    mesh() {
        seen.root_mount = root_mount;
        add_root("root-1", true);
        add_intermediate("services-1", seen.authorities.front());
        seen.authorities.back().is_default = true;
        for (auto const* node : {"oracle1", "thanos"})
            for (auto const* service : {"postgres", "redis"})
                seen.members.push_back({node, service, "services-1", "", true});
        hear();
    }

    void add_root(std::string const& name, bool is_default) {
        seen.authorities.push_back({root_mount, "id of " + name, name, name, name,
                                    wall_time(seconds(++made)), true, is_default, false});
    }
    void add_intermediate(std::string const& name, authority_seen root) {
        // The root comes into the mount beside it.
        seen.authorities.push_back(
            {mount, "copy of " + root.name, "", root.serial, root.root, root.since});
        seen.authorities.push_back({mount, "id of " + name, name, name, root.serial,
                                    wall_time(seconds(++made)), true, false, false});
    }
    void look() {
        seen.bundle.clear();
        for (auto const& each : seen.authorities)
            if (!each.retired && each.mount == std::string(root_mount))
                seen.bundle += each.serial + " ";
    }
    /// Every daemon that answers sees the CAs of now.
    void hear() {
        look();
        for (auto& each : seen.members)
            if (std::ranges::find(seen.silent, each.node) == seen.silent.end())
                each.trusted = seen.bundle;
    }
    [[nodiscard]] std::string signing() const {
        for (auto const& each : seen.authorities)
            if (each.mount == std::string(mount) && each.is_default) return each.serial;
        return {};
    }
    void change(std::vector<authority_seen> const& these, void (*how)(authority_seen&)) {
        for (auto const& target : these)
            for (auto& each : seen.authorities)
                if (each.mount == target.mount && each.id == target.id) how(each);
    }
    void set_default(authority_seen const& target) {
        for (auto& each : seen.authorities)
            if (each.mount == target.mount) each.is_default = each.id == target.id;
    }
    void rotate(std::vector<rotation_part> const& parts) {
        for (auto const& part : parts)
            for (auto& each : seen.members)
                if (each.node == part.node && each.service == part.service) each.issuer = signing();
    }
    void carry_out(rollover_move const& m) {
        switch (m.what) {
            case kind::make_root:
                return add_root(m.name, false);
            case kind::make_intermediate:
                return add_intermediate(m.name, m.targets.at(0));
            case kind::set_default:
                for (auto const& each : m.targets)
                    set_default(each);
                return;
            case kind::rotate:
                return rotate(m.members);
            case kind::retire:
                return change(m.targets, [](auto& a) { a.retired = true; });
            case kind::restore:
                return change(m.targets, [](auto& a) { a.retired = false; });
            case kind::remove:
                std::erase_if(seen.authorities, [&](auto const& a) {
                    return std::ranges::find(m.targets, a) != m.targets.end();
                });
                return;
            case kind::wait:
                return hear();
            case kind::refuse:
            case kind::done:
                return;
        }
    }
    /// Up to `most` moves; what was done.
    lines go(rollover_way way, std::size_t most = 100) {
        lines done;
        bool begin = way == rollover_way::forward && !is_under_way(seen);
        for (; most > 0; --most) {
            auto const m = next_move(seen, way, begin);
            begin = false;
            done.push_back(explain(m));
            check(m);
            if (m.what == kind::done || m.what == kind::refuse) break;
            carry_out(m);
            look();
        }
        return done;
    }
    /// What must hold whatever is done next.
    void check(rollover_move const& m) const {
        if (m.what != kind::remove && m.what != kind::retire) return;
        for (auto const& each : seen.members)
            for (auto const& target : m.targets)
                CHECK(each.issuer != target.serial);
        CHECK(seen.silent.empty());
    }

    rollover_sight seen;
    long made = 0;
};

std::string roots(mesh const& m) {
    std::string all;
    for (auto const& each : m.seen.authorities)
        all += each.serial + (each.is_default ? "*" : "") + " ";
    return all;
}

}  // namespace

TEST_CASE("a CA is rolled over: made, trusted, signing, everywhere, alone") {
    mesh m;
    CHECK(m.go(rollover_way::forward) ==
          lines{
              "prepare: make the root root-2",
              "prepare: make the intermediate services-2 under root-2 in pki_root",
              "distribute: 0 of 4 confirmed, waiting for postgres on oracle1, redis on oracle1, "
              "postgres on thanos, redis on thanos",
              "activate: 4 of 4 trust it; from now on these sign: root-2 in pki_root, services-2 "
              "in pki",
              "rotate: 0 of 4 are rotated; next (canary): postgres on oracle1",
              "rotate: 1 of 4 are rotated; next (node): redis on oracle1",
              "rotate: 2 of 4 are rotated; next (rest): postgres on thanos, redis on thanos",
              "retire: 4 of 4 are of the new CA; nobody is to trust these any more: "
              "services-1 in pki, serial root-1 in pki, root-1 in pki_root",
              "retire: 0 of 4 confirmed, waiting for postgres on oracle1, redis on oracle1, "
              "postgres on thanos, redis on thanos",
              "retire: 4 of 4 trust it no more; delete services-1 in pki, serial root-1 in pki, "
              "root-1 in pki_root",
              "done: there is one root, and it is the only one trusted",
          });
    CHECK(roots(m) == "root-2* root-2 services-2* ");
    CHECK(m.seen.bundle == "root-2 ");
    // The next one has the next number.
    CHECK(m.go(rollover_way::forward, 1) == lines{"prepare: make the root root-3"});
}

TEST_CASE("interrupted after any move, it goes on to the same end") {
    for (std::size_t after = 1; after <= 10; ++after) {
        INFO(after);
        mesh m;
        static_cast<void>(m.go(rollover_way::forward, after));
        auto const rest = m.go(rollover_way::forward);
        if (after < 10) CHECK(rest.back().starts_with("done: there is one root"));
        if (after < 10) CHECK(roots(m) == "root-2* root-2 services-2* ");
    }
}

TEST_CASE("aborted after any move before the old CA is deleted, the old CA is back alone") {
    for (std::size_t after = 0; after <= 9; ++after) {
        INFO(after);
        mesh m;
        static_cast<void>(m.go(rollover_way::forward, after));
        auto const back = m.go(rollover_way::abort);
        CHECK(back.back() == "done: there is one root: nothing is left to abort");
        CHECK(roots(m) == "root-1* root-1 services-1* ");
        for (auto const& each : m.seen.members) {
            CHECK(each.issuer == "services-1");
            CHECK(each.trusted == "root-1 ");
        }
    }
}

TEST_CASE("a removal that was interrupted goes on, and cannot be aborted any more") {
    mesh m;
    static_cast<void>(m.go(rollover_way::forward, 9));
    auto const last = next_move(m.seen, rollover_way::forward, false);
    REQUIRE(last.what == kind::remove);
    // The root itself goes last: what is left can be told to be of it.
    CHECK(last.targets.back().name == "root-1");
    for (std::size_t n = 1; n < last.targets.size(); ++n) {
        auto some = m;
        auto part = last;
        part.targets.resize(n);
        some.carry_out(part);
        CHECK(roots(some) != roots(m));
        if (n < last.targets.size())
            CHECK(some.go(rollover_way::abort) ==
                  lines{"retire: the old intermediate is deleted: it is too late to abort"});
        CHECK(some.go(rollover_way::forward).back().starts_with("done: "));
        CHECK(roots(some) == "root-2* root-2 services-2* ");
    }
}

TEST_CASE("a node that is silent stops every gate") {
    mesh m;
    m.seen.silent = {"thanos"};
    auto const begun = m.go(rollover_way::forward, 5);
    CHECK(begun.back() ==
          "distribute: 2 of 4 confirmed, waiting for postgres on thanos, redis on thanos, and "
          "nodes that do not answer: thanos");
    CHECK(m.signing() == "services-1");
    // It comes back, and goes again when all are rotated.
    m.seen.silent.clear();
    static_cast<void>(m.go(rollover_way::forward, 5));
    m.seen.silent = {"thanos"};
    CHECK(m.go(rollover_way::forward, 2).back() ==
          "gate: 4 of 4 confirmed, waiting for nodes that do not answer: thanos");
    // An abort lets the old CA sign again all the same.
    static_cast<void>(m.go(rollover_way::abort, 5));
    CHECK(m.signing() == "services-1");
}

TEST_CASE("a certificate that is not at the wire, or of the old CA again, keeps the old CA") {
    mesh m;
    static_cast<void>(m.go(rollover_way::forward, 7));
    m.seen.members.at(1).settled = false;
    CHECK(m.go(rollover_way::forward, 1).back() ==
          "gate: 3 of 4 confirmed, waiting for redis on oracle1");
    m.seen.members.at(1) = {"oracle1", "redis", "services-1", m.seen.bundle, true};
    CHECK(m.go(rollover_way::forward, 1).back() ==
          "rotate: 3 of 4 are rotated; next (rest): redis on oracle1");
}

TEST_CASE("CAs of strangers in the mounts stay, and a mesh without a root is told") {
    mesh m;
    m.seen.authorities.push_back({mount, "id", "partner", "partner", "partner"});
    CHECK(m.go(rollover_way::forward).back().starts_with("done: "));
    CHECK(roots(m) == "partner root-2* root-2 services-2* ");
    CHECK(next_move({}, rollover_way::forward, true).what == kind::refuse);
    CHECK(next_move(m.seen, rollover_way::forward, false).what == kind::done);
}

TEST_CASE("an abort that was interrupted is not taken for a rollover") {
    mesh m;
    static_cast<void>(m.go(rollover_way::forward, 7));
    // Up to the new CA's being retired.
    auto told = m.go(rollover_way::abort, 6);
    CHECK(told.back().starts_with("retire: "));
    CHECK(m.go(rollover_way::forward).back() ==
          "retire: the newest root is retired: an abort is under way; go on with --abort");
    CHECK(m.go(rollover_way::abort).back().starts_with("done: "));
    CHECK(roots(m) == "root-1* root-1 services-1* ");
}

TEST_CASE("waves: one alone, its node, a quarter, the rest") {
    std::vector<rotation_part> all;
    for (auto const* node : {"a", "b", "c"})
        for (auto const* service : {"1", "2", "3", "4"})
            all.push_back({node, service, false});
    lines told;
    for (;;) {
        auto const next = next_wave(all);
        if (next.parts.empty()) break;
        told.push_back(std::string(name(next.is)) + " " + std::to_string(next.parts.size()));
        for (auto const i : next.parts)
            all[i].done = true;
    }
    CHECK(told == lines{"canary 1", "node 3", "rest 8"});
    all.assign(12, {"", "", false});
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].node = std::to_string(i);
    all[5].done = true;
    CHECK(next_wave(all).is == wave::quarter);
    CHECK(next_wave(all).parts.size() == 2);
    CHECK(next_wave({}).parts.empty());
}

TEST_CASE("of a wave, what is alike is never rotated at the same time") {
    using at = rotation_step;
    std::vector<rotation_step> wave{
        {"redis", at::waiting}, {"redis", at::waiting}, {"postgres", at::waiting}};
    CHECK(to_begin(wave) == std::vector<std::size_t>{0, 2});
    wave[0].at = at::under_way;
    CHECK(to_begin(wave) == std::vector<std::size_t>{2});
    wave[0].at = at::over;
    CHECK(to_begin(wave) == std::vector<std::size_t>{1, 2});
    wave.clear();
    for (std::size_t i = 0; i < rotations_at_once + 5; ++i)
        wave.push_back({std::to_string(i), i < 3 ? at::under_way : at::waiting});
    CHECK(to_begin(wave).size() == rotations_at_once - 3);
}
