#include "registrar/dns/plan.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "registrar/dns/drop_ins.hpp"
#include "registrar/ip_text.hpp"

namespace bevmesh::registrar::dns {
namespace {

constexpr auto resolved_file = "/etc/systemd/resolved.conf.d/bevmesh.conf";
constexpr auto anchor_file = "/etc/dnssec-trust-anchors.d/bevmesh.negative";
constexpr auto dnsmasq_config = "/etc/bevmesh/dns-forwarder.conf";
// AppArmor lets unbound read nothing outside this folder.
constexpr auto unbound_config = "/etc/unbound/bevmesh-forwarder.conf";
constexpr auto unit_file = "/etc/systemd/system/bevmesh-dns.service";
constexpr auto unit_link = "/etc/systemd/system/multi-user.target.wants/bevmesh-dns.service";
constexpr auto resolv_file = "/etc/resolv.conf";
constexpr auto daemon_file = "/etc/docker/daemon.json";
constexpr auto pid_file = "/run/bevmesh-dns.pid";
constexpr unsigned resolved_with_ports = 246;
constexpr unsigned resolved_with_extra = 247;
constexpr std::size_t servers_max = 3;  // of resolv.conf, and of Docker's own resolver

failure cannot(std::string sentence) {
    return {errc::bad_input, std::move(sentence)};
}

std::string joined(std::vector<std::string> const& all) {
    std::string text;
    for (auto const& one : all)
        text += (text.empty() ? "" : ", ") + one;
    return text;
}

/// This host's addresses on the networks of these kinds, in their order.
std::vector<std::string> gateways_of(engine_facts const& engine,
                                     std::initializer_list<network_kind> kinds) {
    std::vector<std::string> all;
    for (auto const kind : kinds)
        for (auto const& n : engine.networks)
            if (n.kind == kind && !n.gateway.empty()) all.push_back(n.gateway);
    return all;
}

class maker {
public:
    maker(host_facts const& host, consul_facts const& consul, wishes const& wish)
        : host_(host), consul_(consul), wish_(wish) {}

    result<plan> make() {
        made_.resolver = recognise(host_.conf, host_.listeners);
        auto const kind = made_.resolver.kind;
        // Docker would hide a resolv.conf with nothing but loopback from the default bridge.
        if (wish_.needs.bridges || kind == resolver_kind::plain || kind == resolver_kind::none) {
            gateways_ =
                gateways_of(host_.engine, {network_kind::default_bridge, network_kind::internal});
            // dnsmasq takes TCP only where it listens on the interface that it came in by, and with
            // `dns` in daemon.json a user-defined network's containers come for the default's.
            listen_ = gateways_of(
                host_.engine,
                {network_kind::default_bridge, network_kind::internal, network_kind::user_defined});
        }
        auto done = for_resolver();
        if (!done) return done.error();
        return std::move(made_);
    }

private:
    result<void> for_resolver() {
        switch (made_.resolver.kind) {
            case resolver_kind::resolved:
                return with_resolved();
            case resolver_kind::dnsmasq:
                return with_drop_in("dnsmasq", "conf-dir=/etc/dnsmasq.d/,*.conf",
                                    host_.dnsmasq_folder, dnsmasq_drop_in(consul_));
            case resolver_kind::unbound:
                return with_drop_in("unbound",
                                    "include-toplevel: \"/etc/unbound/unbound.conf.d/*.conf\"",
                                    host_.unbound_folder, unbound_drop_in(consul_));
            case resolver_kind::plain:
            case resolver_kind::none:
                return without_resolver();
            case resolver_kind::unknown:
                break;
        }
        auto const agent = split_address(consul_.dns_address);
        return cannot(describe(made_.resolver) +
                      " is no resolver that bevmesh can configure; "
                      "forward the zone \"" +
                      consul_.domain + "\" to " + agent.host + " port " + agent.port +
                      " there (BIND: zone \"" + consul_.domain +
                      "\" { type forward; forward only; forwarders { " + agent.host + " port " +
                      agent.port + "; }; }; and validate-except { \"" + consul_.domain + "\"; };)");
    }

    result<void> with_resolved() {
        auto const& r = host_.resolved;
        if (r.version < resolved_with_ports)
            return cannot("systemd-resolved " + std::to_string(r.version) +
                          " takes no port with a server's address (246 and later do); upgrade it, "
                          "or let dnsmasq answer on 127.0.0.1");
        // A domain that is routed to the global servers is routed to all of them.
        if (wish_.needs.host && (!r.global.empty() || r.fallback_only))
            return cannot("systemd-resolved has " +
                          (r.global.empty() ? std::string("its compiled-in fallback servers alone")
                                            : "global servers (" + joined(r.global) + ")") +
                          ", which would be asked for the mesh's names as well as Consul; give "
                          "these servers to the network link instead (DNS= in its .network file, "
                          "or the connection's DNS in NetworkManager)");
        bool const extra = r.version >= resolved_with_extra;
        auto const listen = extra ? gateways_ : std::vector<std::string>();
        if (wish_.needs.host || !listen.empty()) {
            auto restart = need_restart("systemd-resolved");
            if (!restart) return restart;
            file({reader::resolver, resolved_file, resolved_drop_in(consul_, listen), "", 0644,
                  false,
                  "." + consul_.domain + " goes to Consul" +
                      (listen.empty() ? "" : ", and resolved answers at " + joined(listen))});
            file({reader::resolver, anchor_file, resolved_trust_anchor(consul_), "", 0644, false,
                  "." + consul_.domain + " is not signed"});
        }
        if (!extra && !gateways_.empty()) {
            auto done = add_forwarder(listen_, {made_.resolver.address});
            if (!done) return done;
        }
        tell_engine();
        return {};
    }

    result<void> with_drop_in(std::string const& program, std::string const& include,
                              std::string const& folder, std::string content) {
        if (wish_.needs.host) {
            if (folder.empty())
                return cannot(program +
                              " reads no folder of drop-ins; add this line to its "
                              "configuration, restart it, and run this again: " +
                              include);
            auto restart = need_restart(program);
            if (!restart) return restart;
            file({reader::resolver, folder + "/bevmesh.conf", std::move(content), "", 0644, false,
                  "." + consul_.domain + " goes to Consul"});
        }
        std::vector<std::string> listen;
        for (auto const& gateway : listen_) {
            auto const* owner = owner_of(gateway, host_.listeners);
            if (owner == nullptr) listen.push_back(gateway);
            // It answers there already, as on every address.
            else if (owner->pid != made_.resolver.pid)
                return in_the_way(gateway, *owner);
        }
        if (!listen.empty()) {
            auto done = add_forwarder(listen, {made_.resolver.address});
            if (!done) return done;
        }
        tell_engine();
        return {};
    }

    result<void> without_resolver() {
        auto const& conf = host_.conf;
        if (!conf.generator.empty() && made_.resolver.kind == resolver_kind::plain)
            return cannot("/etc/resolv.conf is written by " + conf.generator +
                          ", which would undo a change; let a resolver here take over (" +
                          (conf.generator == "NetworkManager"
                               ? "dns=dnsmasq or dns=systemd-resolved in NetworkManager.conf"
                               : "install dnsmasq or systemd-resolved") +
                          ") and run this again");
        auto listen = listen_;
        listen.insert(listen.begin(), "127.0.0.1");
        for (auto const& address : listen)
            if (auto const* owner = owner_of(address, host_.listeners))
                return in_the_way(address, *owner);
        std::vector<std::string> upstreams;
        if (made_.resolver.kind == resolver_kind::plain) upstreams = conf.nameservers;
        auto done = add_forwarder(listen, upstreams);
        if (!done) return done;
        made_.container_dns = gateways_;
        if (made_.container_dns.size() >= servers_max) made_.container_dns.resize(servers_max - 1);
        std::vector<std::string> servers{"127.0.0.1"};
        servers.insert(servers.end(), made_.container_dns.begin(), made_.container_dns.end());
        file(
            {reader::libc, resolv_file, resolv_conf_text(conf, servers), "", 0644, true,
             "libc asks the forwarder, and Docker gives containers the addresses that they reach"});
        return {};
    }

    result<void> need_restart(std::string const& program) {
        made_.restart = host_.restart;
        if (!made_.restart.empty()) return {};
        return cannot(program + " (pid " + std::to_string(made_.resolver.pid) +
                      ") must be restarted to read its drop-in, and bevmesh knows no way: it is "
                      "neither a systemd unit nor has it a script in /etc/init.d");
    }

    failure in_the_way(std::string const& address, listener const& owner) const {
        return cannot(owner.command + " (pid " + std::to_string(owner.pid) + ") has port 53 of " +
                      address +
                      ", where bevmesh needs a forwarder; bind it to its own addresses "
                      "only, or make it the host's resolver");
    }

    result<void> add_forwarder(std::vector<std::string> const& listen,
                               std::vector<std::string> upstreams) {
        bool const dnsmasq = !host_.dnsmasq_path.empty();
        auto& f = made_.forward;
        f.program = dnsmasq ? host_.dnsmasq_path : host_.unbound_path;
        if (f.program.empty())
            return cannot("nothing is installed that could answer at " + joined(listen) +
                          "; install dnsmasq-base (its binary alone, it starts nothing) or unbound "
                          "and run this again");
        f.config = dnsmasq ? dnsmasq_config : unbound_config;
        f.addresses = listen;
        forwarder_wish wish{listen, std::move(upstreams), {}, ""};
        if (!host_.systemd) f.pid_file = wish.pid_file = pid_file;
        for (auto const& n : host_.engine.networks)
            wish.clients.insert(wish.clients.end(), n.subnets.begin(), n.subnets.end());
        file({reader::forwarder, f.config,
              dnsmasq ? dnsmasq_forwarder(consul_, wish) : unbound_forwarder(consul_, wish), "",
              0644, false,
              "a second " + std::string(dnsmasq ? "dnsmasq" : "unbound") + " answers at " +
                  joined(listen)});
        if (host_.systemd) {
            file({reader::forwarder, unit_file, forwarder_unit(f.program, f.config), "", 0644,
                  false, "its unit"});
            file({reader::forwarder, unit_link, "", unit_file, 0777, false, "started at boot"});
        } else {
            made_.left_out.push_back("no systemd here: " + f.program +
                                     " is started now, but not at boot (put `" + f.program +
                                     (dnsmasq ? " --conf-file=" : " -c ") + f.config +
                                     "` where this host starts its services)");
        }
        return {};
    }

    void tell_engine() {
        if (gateways_.empty()) return;
        made_.container_dns = gateways_;
        if (made_.container_dns.size() > servers_max) made_.container_dns.resize(servers_max);
        auto const wanted =
            "\"dns\": " + nlohmann::json(made_.container_dns).dump() + " in " + daemon_file;
        if (host_.engine.daemon_file) {
            if (host_.engine.daemon_dns == made_.container_dns) return;
            made_.container_dns.clear();
            made_.left_out.push_back(std::string(daemon_file) +
                                     " is not bevmesh's to change: add " + wanted +
                                     " and restart Docker, for containers of the default bridge");
            return;
        }
        if (!wish_.restart_engine || host_.engine.restart.empty()) {
            made_.container_dns.clear();
            made_.left_out.push_back(
                "Docker reads " + wanted + " at its start alone: " +
                (wish_.restart_engine ? "bevmesh knows no way to restart it here"
                                      : "--restart-docker allows that") +
                "; until then the default bridge's containers do not resolve the mesh's names");
            return;
        }
        made_.restart_engine = host_.engine.restart;
        file({reader::engine, daemon_file, daemon_json(made_.container_dns), "", 0644, false,
              "containers ask " + joined(made_.container_dns)});
    }

    void file(planned_file f) { made_.files.push_back(std::move(f)); }

    host_facts const& host_;
    consul_facts const& consul_;
    wishes const& wish_;
    plan made_;
    std::vector<std::string> gateways_;  // of containers that cannot ask the host's loopback
    std::vector<std::string> listen_;    // where a forwarder listens
};

std::string words(std::vector<std::string> const& argv) {
    std::string text;
    for (auto const& word : argv)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

}  // namespace

result<plan> make_plan(host_facts const& host, consul_facts const& consul, wishes const& wish) {
    return maker(host, consul, wish).make();
}

std::vector<std::string> describe(plan const& p) {
    std::vector<std::string> lines{"Resolver: " + describe(p.resolver)};
    for (auto const& f : p.files)
        lines.push_back((f.replaces ? "replace  " : "write    ") + f.path + "  (" + f.why + ")");
    if (!p.restart.empty()) lines.push_back("run      " + words(p.restart));
    if (!p.forward.program.empty())
        lines.push_back("start    " + p.forward.program + " at " + joined(p.forward.addresses));
    if (!p.restart_engine.empty())
        lines.push_back("run      " + words(p.restart_engine) + "  (containers stop, unless " +
                        "live-restore is on)");
    for (auto const& sentence : p.left_out)
        lines.push_back("not done: " + sentence);
    return lines;
}

std::vector<std::string> known_paths(host_facts const& host) {
    std::vector<std::string> all{resolved_file,  anchor_file, dnsmasq_config,
                                 unbound_config, unit_file,   resolv_file};
    for (auto const& folder : {host.dnsmasq_folder, host.unbound_folder})
        if (!folder.empty()) all.push_back(folder + "/bevmesh.conf");
    return all;
}

}  // namespace bevmesh::registrar::dns
