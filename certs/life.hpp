// The life of one certificate: when it is renewed, and how near its end it is.
//
// Pure. Dates are the wall clock's, which is read again at every look: a clock that was set, or a
// node that slept, moves nothing that was remembered. The point of renewal is the certificate's
// own: drawn anew at each look, the earliest draw would win and the spread be gone.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "mesh/base/time.hpp"

namespace bevmesh::certs {

using wall_time = std::chrono::sys_seconds;

struct leaf {
    unsigned generation = 0;  // of the service's files; grows with every certificate
    std::string serial;       // hexadecimal, lower case, no colons
    wall_time not_before{};
    wall_time not_after{};
    std::string wanted = {};   // what was asked for, as fingerprint() has it
    std::string issuer = {};   // serial of the CA that signed it, written alike
    std::string trusted = {};  // bundle_hash() of the bundle beside it; all three: empty: not known
    std::string crl = {};      // crl_hash() of the CRLs beside it; empty: it has none

    friend bool operator==(leaf const&, leaf const&) = default;
};

/// In thousandths of a life.
struct life_policy {
    unsigned earliest = 550;
    unsigned latest = 700;
    unsigned hard = 900;    // from here on nothing is waited for
    seconds backdated{30};  // servers date certificates back by so much (not_before_duration)
};

/// `identity`: what tells it from others, such as NODE/SERVICE.
[[nodiscard]] wall_time renew_at(leaf const& of, std::string_view identity, life_policy const& p);
[[nodiscard]] wall_time hard_at(leaf const& of, life_policy const& p);

enum class nearness { far, due, hard, last, ended };  // last: a twentieth of its life is left
[[nodiscard]] nearness how_near(leaf const& of, std::string_view identity, wall_time now,
                                life_policy const& p);
[[nodiscard]] std::string_view name(nearness n) noexcept;

}  // namespace bevmesh::certs
