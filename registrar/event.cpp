// Events and actions as lines of a trace.
#include "registrar/event.hpp"

namespace bevmesh::registrar {
namespace {

template <class... Ts>
struct overloaded : Ts... {
    using Ts::operator()...;
};

std::string_view text(consul::status s) {
    switch (s) {
        case consul::status::passing:
            return "passing";
        case consul::status::warning:
            return "warning";
        case consul::status::critical:
            return "critical";
        case consul::status::maintenance:
            return "maintenance";
    }
    return "?";
}

std::string quoted(std::string const& s) {
    return '"' + s + '"';
}

std::string describe_definition(consul::service_definition const& d) {
    std::string line = d.id + " name=" + d.name + " at=" + d.address + ":" + std::to_string(d.port);
    for (auto const& c : d.checks)
        line += " " + c.id + "=" + c.initial_status;
    return line;
}

}  // namespace

std::string to_string(action const& a) {
    return std::visit(
        overloaded{
            [](list_containers) { return std::string("list containers"); },
            [](inspect_container const& i) { return "inspect " + i.id; },
            [](list_agent) { return std::string("list agent"); },
            [](look_up const& l) { return "look up " + l.service_id; },
            [](run_probe const& p) { return "probe " + p.check_id; },
            [](register_service const& r) {
                auto line =
                    "register " + describe_definition(r.definition) + " because " + quoted(r.why);
                for (auto const& id : r.reborn_checks)
                    line += " reborn=" + id;
                return line;
            },
            [](deregister_service const& d) { return "deregister " + d.service_id; },
            [](report_check const& r) {
                return "report " + r.check_id + " " + std::string(text(r.status));
            },
            [](set_maintenance const& m) {
                return "maintenance " + m.service_id + (m.on ? " on " + quoted(m.reason) : " off");
            },
            [](tell const& t) { return "tell " + t.what.code + ": " + t.what.text; },
        },
        a);
}

std::string to_string(event const& e) {
    return std::visit(
        overloaded{
            [](tick) { return std::string("tick"); },
            [](engine_up const& u) { return "engine up " + u.info.name; },
            [](engine_down) { return std::string("engine down"); },
            [](containers_listed const& l) {
                return "listed " + std::to_string(l.entries.size()) + " containers";
            },
            [](listing_failed) { return std::string("listing failed"); },
            [](container_hint const& h) { return "hint " + h.kind + " " + h.id; },
            [](container_inspected const& i) { return "inspected " + i.container.id; },
            [](container_missing const& m) { return "missing " + m.id; },
            [](inspection_failed const& f) { return "inspection failed " + f.id; },
            [](agent_listed const& l) {
                return "agent lists " + std::to_string(l.agent.services.size()) + " services";
            },
            [](agent_failed) { return std::string("agent failed"); },
            [](looked_up const& l) {
                return "looked up " + l.service_id + (l.entry ? " there" : " absent");
            },
            [](look_up_failed const& l) { return "look-up failed " + l.service_id; },
            [](probed const& p) { return "probed " + p.check_id + (p.passing ? " ok" : " no"); },
            [](written const& w) {
                return "written " + w.service_id +
                       (w.error ? " failed: " + std::string(name(*w.error)) : std::string());
            },
            [](maintenance_asked const& m) {
                return "maintenance asked " + m.service + (m.on ? " on" : " off");
            },
            [](configured const&) { return std::string("configured"); },
        },
        e);
}

}  // namespace bevmesh::registrar
