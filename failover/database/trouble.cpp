#include "failover/database/trouble.hpp"

#include <stdexcept>

namespace bevmesh::failover::database {
namespace {

condition class_of(errc code) {
    switch (code) {
        case errc::forbidden:
        // Of this process: a certificate that cannot be read says nothing of the database.
        case errc::local_error:
            return condition::bad_credentials;
        case errc::timed_out:
            return condition::hung;
        case errc::unreachable:
        case errc::truncated:
            return condition::refused;
        default:
            return condition::ok;
    }
}

}  // namespace

void throw_exception_from_error(trouble const& t, boost::source_location const&) {
    throw std::runtime_error(t.detail);
}

trouble before_sending(failure const& f) {
    return {outcome::refused, class_of(f.code), f.doing, false};
}

trouble after_sending(failure const& f) {
    return {outcome::unknown, class_of(f.code), f.doing, false};
}

}  // namespace bevmesh::failover::database
