// One service's certificate on one node: what to do next, and what after a failure.
//
// Pure. A certificate goes issued → installed → reloaded → verified, and each of these is kept:
// what fails is done again from there, so that a full disk, a hook or a service that keeps its old
// certificate never makes another request to sign. Where the wire does not show the new one, the
// old pair goes back, is reloaded and looked for; the new one stays beside it for the next try.
// A certificate that Vault grants otherwise than it was asked for cost a signature, and so will the
// next: that is waited for long, also over restarts.
// One operation is under way at a time. Lives go by the wall clock, waits by the steady one: a
// clock that was set neither delays a retry nor hurries it.
// Another trust bundle, or another CRL, goes the same way, as a generation with the same
// certificate: nothing is signed for it, and it gives way to a certificate that is due, which
// brings it along. A certificate that was revoked while it is in use is due.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "certs/life.hpp"
#include "certs/window.hpp"
#include "mesh/base/random.hpp"

namespace bevmesh::certs {

struct renewal_policy {
    std::string identity;  // NODE/SERVICE
    std::string wanted;    // fingerprint() of names and life; another than the leaf's: it is due
    life_policy life;
    std::vector<window> windows;
    /// So long a service that was told may still show its old certificate: some reload in the
    /// background.
    milliseconds patience{10'000};
    milliseconds look_again{250};
    milliseconds retry_base{1'000};
    milliseconds retry_max{300'000};
    seconds after_wrong_grant{6 * 3'600};
    milliseconds tick{30'000};  // the wall clock is read at least so often
};

enum class stage {
    granted,    // signed and checked, in memory alone
    issued,     // its files are written, beside those in use
    installed,  // its files are those in use
    reloaded,   // the service was told, and said yes
    verified,   // every address shows it
};
[[nodiscard]] std::string_view name(stage s) noexcept;

enum class operation {
    none,
    check_target,  // can its files be written? Asked before anything is signed
    sign,
    trust,  // the proven certificate again, with the bundle that is wanted now
    write,
    swap,  // the generation's files become those in use
    reload,
    verify,  // a handshake with every address shows the generation's serial and chain
};
[[nodiscard]] std::string_view name(operation o) noexcept;

/// Until when nothing is signed, because what was granted is not what was asked for.
struct grant_hold {
    wall_time until{};
    std::string wanted;  // of another wish nothing is known

    friend bool operator==(grant_hold const&, grant_hold const&) = default;
};

/// A certificate under way.
struct coming_leaf {
    leaf is;
    stage at = stage::granted;

    friend bool operator==(coming_leaf const&, coming_leaf const&) = default;
};

/// Since the start of the daemon.
struct renewal_counts {
    std::uint64_t proven = 0;
    std::array<std::uint64_t, 8> failures{};  // by operation
};

struct renewal_state {
    // Kept over restarts.
    std::optional<leaf> proven;  // the last that was verified: what is gone back to
    std::optional<coming_leaf> coming;
    /// On the way back to `proven`: how far that is.
    std::optional<stage> back;
    unsigned generation = 0;  // the last that was given out
    unsigned previous = 0;    // the last with another certificate than `proven`; 0: none
    bool asked = false;       // somebody wants another certificate now
    std::optional<grant_hold> hold;

    operation doing = operation::none;
    bool target_good = false;
    std::string trusted;  // the hash of the bundle that is wanted; empty: not known yet
    std::string crl;      // that of the CRLs; empty: not known yet, or it has none
    unsigned failures = 0;
    instant retry_at{};
    std::optional<instant> patient_until;
    nearness told = nearness::far;
    std::string trouble;  // empty: all is well
    renewal_counts counts;
};

struct tick {};
/// Somebody wants another certificate, now.
struct rotate {};
/// The bundle that is wanted is the one of this hash (bundle_hash() of x509.hpp), with the CRLs of
/// that one (crl_hash() of crl.hpp); empty: those that it has, if any.
struct trust {
    std::string hash;
    std::string crl = {};
};
/// A CRL has this serial.
struct revoked {
    std::string serial;
};
struct succeeded {
    operation of = operation::none;
    leaf granted;  // by `sign` and `trust`; its generation is filled in here
};
enum class fault {
    local,      // a file, a hook, a service
    transient,  // Vault is away
    refused,    // Vault will say the same again until somebody changes something
    wrong,      // the same, and it signs: what it grants is not what was asked for
};
struct failed {
    operation of = operation::none;
    fault why = fault::local;
    std::string text;
};
using renewal_event = std::variant<tick, rotate, trust, revoked, succeeded, failed>;

enum class weight { information, warning, alarm };

struct perform {
    operation what = operation::none;
    leaf on;
};
struct tell {
    weight how = weight::information;
    std::string text;
};
/// Generations older than this one are of no use any more, but for one: its certificate may still
/// have to be revoked, and its bundle alone was exchanged since. 0: for none.
struct forget_older {
    unsigned than = 0;
    unsigned but = 0;
};
using renewal_action = std::variant<perform, tell, forget_older>;
[[nodiscard]] std::string to_string(renewal_action const& a);

struct moment {
    instant steady;
    wall_time wall;
};

struct renewal_turn {
    renewal_state state;
    std::vector<renewal_action> actions;
    instant wake{};  // when to tick again, if nothing happens before
};

[[nodiscard]] renewal_turn step(renewal_state state, renewal_event const& event, moment now,
                                renewal_policy const& policy, random_source& random);

/// When the next certificate will be asked for, if nobody asks before; `now` where it is due.
[[nodiscard]] wall_time due_at(renewal_state const& state, wall_time now,
                               renewal_policy const& policy);

}  // namespace bevmesh::certs
