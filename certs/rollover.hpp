// The CA rolled over without a gap: another root and another intermediate, step by step.
//
// Pure. What is next is read from what there is: the CAs in Vault, which of them sign, whom every
// service trusts and who signed its certificate. Nothing is remembered, so an interrupted rollover
// goes on with the next look. The newest root is the one to keep, and abort is the same way with
// the oldest one to keep:
//
//   prepare     the root and its intermediate are made; they sign nothing yet
//   distribute  every service on every node trusts old and new, and was told so
//   activate    the new intermediate signs from now on
//   rotate      every certificate is replaced, in waves (waves.hpp)
//   gate        no certificate of the old CA is left, and every node said so
//   retire      the old CA is out of every bundle, and then out of Vault
//
// A CA is never removed in the step that adds one, and none while a node is silent: what cannot be
// seen may still have its certificates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certs/life.hpp"
#include "certs/waves.hpp"

namespace bevmesh::certs {

enum class rollover_phase { prepare, distribute, activate, rotate, gate, retire, done };
[[nodiscard]] std::string_view name(rollover_phase p) noexcept;

/// A CA as it is in Vault. A root is there twice: where its key is, and beside the intermediates.
struct authority_seen {
    std::string mount;
    std::string id;
    std::string name;    // empty: it has none
    std::string serial;  // hexadecimal, lower case, no colons
    std::string root;    // the serial of the root of its chain; a root's own
    wall_time since{};   // not_before
    bool has_key = false;
    bool is_default = false;  // it signs for who names no other
    bool retired = false;     // out of the bundle

    friend bool operator==(authority_seen const&, authority_seen const&) = default;
};

/// A service's certificate on a node.
struct member_seen {
    std::string node;
    std::string service;
    std::string issuer;    // the serial of the CA that signed it
    std::string trusted;   // the hash of the bundle beside it
    bool settled = false;  // at the wire, nothing under way and nothing wrong
};

struct rollover_sight {
    std::string root_mount;
    std::vector<authority_seen> authorities;
    std::string bundle;  // the hash of all that are not retired
    std::vector<member_seen> members;
    std::vector<std::string> silent;  // nodes that did not answer
};

enum class rollover_way { forward, abort };

struct rollover_move {
    enum class kind {
        make_root,          // `name`
        make_intermediate,  // `name`, signed by the root in `targets`
        set_default,        // each target of its mount
        rotate,             // `members` get another certificate
        retire,             // each target: nobody is to trust it any more
        restore,            // each target: the same taken back
        remove,             // each target
        wait,               // for `members` and `silent`
        refuse,             // somebody must decide something first
        done,
    };
    kind what = kind::done;
    rollover_phase phase = rollover_phase::done;
    std::vector<authority_seen> targets;
    std::string name;
    wave in = wave::rest;  // of rotate
    std::vector<rotation_part> members;
    std::vector<std::string> silent;
    std::size_t confirmed = 0;  // of the phase's gate: n of m
    std::size_t of = 0;
    std::string why;  // of refuse and done
};
[[nodiscard]] std::string_view name(rollover_move::kind k) noexcept;

/// An abort does not wait for silent nodes before the old CA signs again: until it is retired they
/// trust it. `begin`: where no rollover is under way, one is begun.
[[nodiscard]] rollover_move next_move(rollover_sight const& seen, rollover_way way, bool begin);

/// More than one root that has a key.
[[nodiscard]] bool is_under_way(rollover_sight const& seen);

/// One line: "distribute: 4 of 6 confirmed, waiting for redis on thanos".
[[nodiscard]] std::string explain(rollover_move const& m);

}  // namespace bevmesh::certs
