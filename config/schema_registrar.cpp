// The section `registrar`.
#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {
namespace {

type_of<compat_config> compat_section() {
    using c = compat_config;
    return object<c>(
        "registrator's options, such as {internal: true}",
        {
            key("enabled", &c::enabled, boolean(),
                "Whether registrator's SERVICE_* variables and labels are read."),
            key("internal", &c::internal, boolean(),
                "registrator -internal: a container's own address and exposed ports."),
            key("explicit", &c::explicit_only, boolean(),
                "registrator -explicit: only containers with a SERVICE_NAME."),
            key("ip", &c::ip, text(formats::ip_address),
                "registrator -ip: the address of every service."),
            key("use_ip_from_label", &c::use_ip_from_label, text(formats::line_of_text),
                "registrator -useIpFromLabel: the label that has a container's address."),
            key("tags", &c::tags, text(formats::line_of_text),
                "registrator -tags: tags of every service, separated by commas."),
            key("hostname", &c::hostname, text(formats::line_of_text),
                "The first part of service IDs. Without it: the engine's host name."),
        });
}

}  // namespace

type_of<registrar_config> registrar_section() {
    using r = registrar_config;
    using std::chrono_literals::operator""ms;
    using std::chrono_literals::operator""s;
    using std::chrono_literals::operator""h;
    return object<r>(
        "the registrar's settings, such as {resync: 30s}",
        {
            key("resync", &r::resync, duration(1s, 1h),
                "How often the full lists of Docker and Consul are compared."),
            key("debounce", &r::debounce, duration(0ms, 10s),
                "Repeated events of one container within it count as one."),
            key("announce_wait", &r::announce_wait, duration(0ms, 1h),
                "How long a port that does not answer yet keeps its service unannounced; then it "
                "is announced as critical."),
            key("networks", &r::networks,
                list(text(formats::network_name), "a list of networks, such as [bev_network]"),
                "Of several networks of a container, those to prefer, in this order."),
            key("compose", &r::compose, boolean(),
                "Whether Compose services that publish a port are announced unasked."),
            key("compat", &r::compat, compat_section(),
                "For nodes that come from registrator: what its command line said."),
        });
}

}  // namespace bevmesh::config
