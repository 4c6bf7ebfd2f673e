#include "mesh/daemon/certs_metrics.hpp"

#include <array>

#include "mesh/daemon/certificates.hpp"
#include "mesh/daemon/families.hpp"

namespace bevmesh::daemon {
namespace {

using views = std::vector<certificate_view>;

constexpr std::array stages{certs::stage::granted, certs::stage::issued, certs::stage::installed,
                            certs::stage::reloaded, certs::stage::verified};
constexpr std::array operations{certs::operation::check_target, certs::operation::sign,
                                certs::operation::trust,        certs::operation::write,
                                certs::operation::swap,         certs::operation::reload,
                                certs::operation::verify};

double unix_time(certs::wall_time at) {
    return static_cast<double>(at.time_since_epoch().count());
}

void add_lives(families& to, views const& all) {
    to.gauge("bevmesh_certs_not_after_timestamp_seconds",
             "When the certificate that was last seen at the wire ends, Unix time.");
    for (auto const& v : all)
        if (v.state->proven)
            to.add(unix_time(v.state->proven->not_after), {{"service", v.service}});
    to.gauge("bevmesh_certs_renew_timestamp_seconds",
             "When the next one will be asked for, Unix time.");
    for (auto const& v : all)
        if (v.state->proven) to.add(unix_time(v.due), {{"service", v.service}});
    to.gauge("bevmesh_certs_verified",
             "Whether every address showed the certificate that is in use, with its chain.");
    for (auto const& v : all)
        to.add(number(v.state->proven && !v.state->coming), {{"service", v.service}});
}

void add_states(families& to, views const& all) {
    to.gauge("bevmesh_certs_state", "1 for how far the newest certificate is; all 0: none yet.");
    for (auto const& v : all) {
        auto const& s = *v.state;
        for (auto const each : stages) {
            bool const is = s.coming ? s.coming->at == each
                                     : s.proven.has_value() && each == certs::stage::verified;
            to.add(number(is), {{"service", v.service}, {"state", std::string(certs::name(each))}});
        }
    }
    to.gauge("bevmesh_certs_rolling_back", "Whether the files go back to the last proven ones.");
    for (auto const& v : all)
        to.add(number(v.state->back.has_value()), {{"service", v.service}});
    to.gauge("bevmesh_certs_held",
             "Whether nothing is asked for because what Vault grants is not what is wanted.");
    for (auto const& v : all)
        to.add(number(v.state->hold.has_value()), {{"service", v.service}});
}

}  // namespace

void add_certificates(families& to, certificates const& kept) {
    auto const all = kept.views();
    if (all.empty()) return;
    add_lives(to, all);
    add_states(to, all);
    to.counter("bevmesh_certs_renewals_total", "Certificates that were seen at the wire.");
    for (auto const& v : all)
        to.add(number(v.state->counts.proven), {{"service", v.service}});
    to.counter("bevmesh_certs_failures_total", "Operations that failed, by which.");
    for (auto const& v : all)
        for (auto const each : operations)
            to.add(number(v.state->counts.failures.at(static_cast<std::size_t>(each))),
                   {{"service", v.service}, {"operation", std::string(certs::name(each))}});
    to.gauge("bevmesh_certs_crl_next_update_timestamp_seconds",
             "When the CRL of a CA ends, by its issuer, Unix time.");
    for (auto const& one : kept.crls())
        to.add(unix_time(one.ends), {{"issuer", one.issuer}});
    to.counter("bevmesh_certs_sign_calls_total", "Requests to sign that went to Vault.");
    for (auto const& v : all)
        to.add(number(v.sign_calls), {{"service", v.service}});
}

}  // namespace bevmesh::daemon
