// The section `failover`: which databases move between which nodes.
#include "config/object.hpp"
#include "config/schema.hpp"
#include "config/size.hpp"

namespace bevmesh::config {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

type_of<failover_member_config> member_entry() {
    using m = failover_member_config;
    return object<m>(
        "what is other on this member, such as {container: redis-b, priority: 50}",
        {
            key("container", &m::container, text(formats::container_name),
                "The container's name on this node."),
            key("unit", &m::unit, text(formats::line_of_text), "The systemd unit on this node."),
            key("address", &m::address, text(formats::ip_address),
                "Where the others reach the database. Without it: the node's address."),
            key("port", &m::port, optional(port()), "The database's port on this node."),
            key("priority", &m::priority, optional(count(0, 1'000)),
                "Among members that are equally fit the highest is promoted; 0: never. Without "
                "it: 100."),
            key("data_dir", &m::data_dir, text(formats::absolute_path),
                "The data directory on this node."),
            key("quarantine_dir", &m::quarantine_dir, text(formats::absolute_path),
                "The quarantine directory on this node."),
        });
}

type_of<failover_timing_config> timing_section() {
    using t = failover_timing_config;
    auto const limit = [] { return optional(duration(10ms, 1h)); };
    return object<t>(
        "durations instead of the profile's, such as {lease: 2s, observer: 2500ms}",
        {
            key("renew", &t::renew, limit(), "h: from one renewal of the lease to the next."),
            key("request", &t::request, limit(), "R: the limit of one request."),
            key("fence", &t::fence, limit(), "F: so long fencing may take."),
            key("lease", &t::lease, limit(), "L: so long a renewal is good for."),
            key("promise", &t::promise, limit(),
                "p: without a renewal for so long, the other members are asked for promises."),
            key("kill", &t::kill, limit(),
                "K: so long before the lease's end the guard wakes to kill."),
            key("observer", &t::observer, limit(),
                "O: so long the others wait before they take a lease over."),
        });
}

type_of<failover_hooks_config> hooks_section() {
    using h = failover_hooks_config;
    auto const argv = [] {
        return list(text(formats::line_of_text),
                    "a command with its arguments, such as [/usr/local/bin/ask, redis]");
    };
    return object<h>(
        "programs to run, such as {before: [/usr/local/bin/ask]}",
        {
            key("before", &h::before, argv(),
                "Run before a takeover or switchover; a status other than 0 stops it."),
            key("after", &h::after, argv(), "Run after one."),
            key("timeout", &h::timeout, duration(100ms, 1h), "Then the program is killed."),
        });
}

type_of<failover_tls_config> tls_entry() {
    using t = failover_tls_config;
    return object<t>(
        "the database's TLS, such as {enabled: true, ca_file: /etc/bevmesh/redis-ca.pem}",
        {
            key("enabled", &t::enabled, boolean(),
                "Whether the database is asked by TLS. Where no file is named here and `vault` is "
                "there: with the daemon's own certificate of it."),
            key("ca_file", &t::ca_file, text(formats::absolute_path),
                "CA certificates (PEM) that its certificate is checked against."),
            key("cert_file", &t::cert_file, text(formats::absolute_path),
                "Our certificate (PEM), where it asks for one."),
            key("key_file", &t::key_file, text(formats::absolute_path),
                "The private key of cert_file."),
            key("server_name", &t::server_name, text(formats::host),
                "The name in its certificate, where it is not the address."),
        });
}

type_of<failover_group_config> group_entry() {
    using g = failover_group_config;
    return object<g>(
        "a group, such as {kind: redis, members: [thanos, oracle1], preferred: thanos}",
        {
            required("kind", &g::kind, one_of({"redis", "postgres"}), "The database."),
            required("members", &g::members,
                     list(text(formats::label), "a list of nodes, such as [thanos, oracle1]", 2),
                     "The nodes that have a copy; one of them is the primary."),
            key("on", &g::on,
                map(formats::label, member_entry(),
                    "a mapping of members, such as {oracle1: {priority: 50}}"),
                "What is other on one member than on the rest."),
            key("preferred", &g::preferred, text(formats::label),
                "The member where the primary belongs."),
            key("profile", &g::profile, one_of({"tailnet", "lan", "wan"}),
                "The durations: how long a fault must last before anything moves."),
            key("timing", &g::timing, timing_section(), "Durations instead of the profile's."),
            key("synchronous", &g::synchronous, one_of({"off", "on", "strict"}),
                "off: asynchronous; on: waits for the replicas that stream, else alone; strict: "
                "takes no write alone."),
            key("container", &g::container, text(formats::container_name),
                "The container's name. Without it and `unit`: the group's."),
            key("unit", &g::unit, text(formats::line_of_text),
                "The systemd unit, where it is no container."),
            key("port", &g::port, optional(port()),
                "The database's port. Without it: 6379 or 5432."),
            key("user", &g::user, text(formats::line_of_text),
                "The database's user for the daemon."),
            key("database", &g::database, text(formats::line_of_text),
                "PostgreSQL: where the daemon tries a write. Without it: postgres."),
            key("password_file", &g::password_file, text(formats::absolute_path),
                "A file with the user's password, readable by the daemon alone."),
            key("tls", &g::tls, tls_entry(), "How the database is asked."),
            key("block", &g::block, duration(0ms, 24h),
                "After an automatic move the next one waits so long, unless an operator has seen "
                "the first."),
            key("failback_after", &g::failback_after, optional(duration(1s, 720h)),
                "So long the preferred member must be well before the primary goes back to it. "
                "Without it: by hand."),
            key("hooks", &g::hooks, hooks_section(), "Programs to run before and after a move."),
            key("lag_max", &g::lag_max, size(0, 1ULL << 40U),
                "A replica that lacks more is not waited for; with synchronous off: not promoted."),
            key("restart_term", &g::restart_term, duration(0ms, 10 * 60s),
                "A planned restart of the daemon leaves the lease for so long. 0s: for what is "
                "left of it."),
            key("data_dir", &g::data_dir, text(formats::absolute_path),
                "The database's data directory, as the daemon sees it."),
            key("quarantine_dir", &g::quarantine_dir, text(formats::absolute_path),
                "Where a copy of what would be lost goes before a member is made anew."),
        });
}

class groups_type final : public type<std::vector<failover_group_config>> {
public:
    void read(node const& at, reader& in, std::vector<failover_group_config>& out) const override {
        std::map<std::string, failover_group_config> by_name;
        by_name_->read(at, in, by_name);
        for (auto& [name, group] : by_name) {
            group.name = name;
            out.push_back(std::move(group));
        }
    }
    json show(std::vector<failover_group_config> const& values) const override {
        auto shown = json::object();
        for (auto const& group : values)
            shown[group.name] = group_->show(group);
        return shown;
    }
    json schema() const override { return by_name_->schema(); }

private:
    type_of<failover_group_config> group_ = group_entry();
    type_of<std::map<std::string, failover_group_config>> by_name_ =
        map(formats::label, group_,
            "a mapping of groups, such as {redis: {kind: redis, members: [thanos, oracle1]}}");
};

}  // namespace

type_of<std::vector<failover_group_config>> failover_section() {
    return std::make_shared<groups_type>();
}

}  // namespace bevmesh::config
