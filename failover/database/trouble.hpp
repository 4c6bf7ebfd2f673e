// Why a call to a database did not do what it should: what is known of its effect, and its class.
//
// A lost answer is `unknown`, never a failure: the command may have been carried out. `refused` is
// certain: nothing changed, or what changed was read back and undone.
#pragma once

#include <string>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include "failover/event.hpp"
#include "mesh/base/result.hpp"

namespace bevmesh::failover::database {

struct trouble {
    outcome effect = outcome::refused;
    condition why = condition::ok;  // ok: the database is well and said no
    std::string detail;             // for people: what was being done, where, and the answer
    bool diverged = false;          // follow: it holds what the upstream lacks
    bool behind = false;            // follow: it lacks what the upstream no longer has

    friend bool operator==(trouble const&, trouble const&) = default;
};

/// Found by ADL, so that `.value()` of a call that failed throws std::runtime_error with the text.
[[noreturn]] void throw_exception_from_error(trouble const& t, boost::source_location const& where);

template <class T>
using done = boost::system::result<T, trouble>;

/// Nothing was sent yet: no connection, or credentials refused.
[[nodiscard]] trouble before_sending(failure const& f);
/// Something was sent: no answer means that nothing is known.
[[nodiscard]] trouble after_sending(failure const& f);

}  // namespace bevmesh::failover::database
