// The section `services`: what a service is, and where its instances are.
//
// A service with one instance has the instance's keys itself; one with several has a list of them
// under `instances`.
#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {
namespace {

type_of<match_config> match_entry() {
    using m = match_config;
    return object<m>(
        "what to know the container by, such as {container: redis}",
        {
            key("container", &m::container, text(formats::container_name), "The container's name."),
            key("compose", &m::compose, text(formats::compose_name),
                "The Compose service, or PROJECT/SERVICE."),
            key("label", &m::label, text(formats::label_match), "A label, KEY or KEY=VALUE."),
            key("image", &m::image, text(formats::image_match),
                "The image; without a tag, any tag of it."),
        });
}

class mode_type final : public type<address_mode> {
public:
    void read(node const& at, reader& in, address_mode& out) const override {
        std::string word = "host";
        words_->read(at, in, word);
        out = word == "container" ? address_mode::container : address_mode::host;
    }
    json show(address_mode const& value) const override {
        return value == address_mode::container ? "container" : "host";
    }
    json schema() const override { return words_->schema(); }

private:
    type_of<std::string> words_ = one_of({"host", "container"});
};

fields<instance_config> instance_fields() {
    using i = instance_config;
    return fields<i>({
        key("match", &i::match, match_entry(),
            "Which container it is; every key that is given must fit."),
        key("host", &i::host, boolean(),
            "Whether it is no container but a process of the node, and always registered."),
        key("port", &i::port, port(),
            "The port that other nodes connect to. Without it: the only one that the container "
            "publishes."),
        key("ports", &i::ports,
            map(formats::label, port(), "a mapping of ports, such as {management: 15672}"),
            "Further ports: each is a service NAME-KEY."),
        key("protocol", &i::protocol, one_of({"tcp", "udp"}), "The protocol of the main port."),
        key("nodes", &i::nodes, list(text(formats::label), "a list of nodes, such as [thanos]", 1),
            "The nodes that it may run on. Without it: every node."),
        key("address", &i::address, text(formats::host),
            "Where other nodes reach it. Without it: found from Docker and the node's address."),
    });
}

fields<service_config> service_fields() {
    using s = service_config;
    return fields<s>({
        key("tags", &s::tags, list(text(formats::tag), "a list of tags, such as [cache]"),
            "Tags in Consul: TAG.NAME.service.consul."),
        key("meta", &s::meta,
            map(formats::meta_key, text(formats::meta_value),
                "a mapping, such as {version: \"7\"}"),
            "Meta in Consul, 56 pairs at most."),
        key("checks", &s::checks, optional(list(check_entry(), "a list of checks, such as [tcp]")),
            "The service's health checks. Without it: a TCP connection; []: none."),
        key("mode", &s::mode, type_of<address_mode>(std::make_shared<mode_type>()),
            "host: the node's address and the published port; container: the container's own."),
        key("network", &s::network, text(formats::network_name),
            "Of several networks of the container, the one whose address is meant."),
        key("mirror_health", &s::mirror_health, boolean(),
            "Whether Docker's HEALTHCHECK becomes a check of the service."),
        key("enable_tag_override", &s::enable_tag_override, boolean(),
            "Whether others may change the tags in the catalog."),
        key("tls", &s::tls, service_tls_entry(),
            "The certificate that the service gets from Vault's PKI, and how it is told of it."),
    });
}

class instance_type final : public type<instance_config> {
public:
    void read(node const& at, reader& in, instance_config& out) const override {
        auto const* members =
            members_of(at, in, "an instance, such as {match: {container: kafka-1}, port: 9092}");
        if (members == nullptr) return;
        for (auto const& m : *members)
            if (!fields_.take(m, in, out)) detail::report_unknown(m, in, fields_.keys());
    }
    json show(instance_config const& value) const override {
        auto shown = json::object();
        fields_.show(value, shown);
        return shown;
    }
    json schema() const override {
        auto properties = json::object();
        auto required = json::array();
        fields_.describe(properties, required);
        return {{"type", "object"},
                {"additionalProperties", false},
                {"properties", std::move(properties)}};
    }
    [[nodiscard]] fields<instance_config> const& all() const { return fields_; }

private:
    fields<instance_config> fields_ = instance_fields();
};

class service_type final : public type<service_config> {
public:
    void read(node const& at, reader& in, service_config& out) const override {
        auto const* members =
            members_of(at, in, "a service, such as {match: {container: redis}, port: 6379}");
        if (members == nullptr) return;
        bool const several = at.find("instances") != nullptr;
        if (!several) out.instances.emplace_back();
        for (auto const& m : *members)
            read_member(m, several, in, out);
    }

    json show(service_config const& value) const override {
        auto shown = json::object();
        if (value.instances.size() == 1) instance_->all().show(value.instances.front(), shown);
        fields_.show(value, shown);
        if (value.instances.size() != 1) shown["instances"] = list_->show(value.instances);
        return shown;
    }

    json schema() const override {
        auto properties = json::object();
        auto required = json::array();
        instance_->all().describe(properties, required);
        fields_.describe(properties, required);
        properties["instances"] = list_->schema();
        properties["instances"]["description"] = instances_doc;
        auto forbidden = json::object();
        for (auto const& key : instance_->all().keys())
            forbidden[key] = false;
        return {{"type", "object"},
                {"additionalProperties", false},
                {"properties", std::move(properties)},
                {"if", {{"required", {"instances"}}}},
                {"then", {{"properties", std::move(forbidden)}}}};
    }

private:
    static constexpr auto instances_doc =
        "The instances, where there are several; their keys stand here and not beside.";

    void read_member(member const& m, bool several, reader& in, service_config& out) const {
        if (fields_.take(m, in, out)) return;
        auto const keys = instance_->all().keys();
        bool const of_instance = std::ranges::find(keys, m.key) != keys.end();
        if (m.key == "instances") {
            auto const inside = in.enter(m.key, place_of(m));
            list_->read(m.value, in, out.instances);
        } else if (several && of_instance) {
            in.report(join(in.path(), m.key), m.at, "stands beside `instances`",
                      "it inside of each instance");
        } else if (!of_instance || !instance_->all().take(m, in, out.instances.front())) {
            auto known = fields_.keys();
            known.insert(known.begin(), keys.begin(), keys.end());
            known.emplace_back("instances");
            detail::report_unknown(m, in, known);
        }
    }

    fields<service_config> fields_ = service_fields();
    std::shared_ptr<instance_type const> instance_ = std::make_shared<instance_type>();
    type_of<std::vector<instance_config>> list_ =
        config::list(type_of<instance_config>(instance_),
                     "a list of instances, such as [{match: {container: kafka-1}, port: 9092}]", 1);
};

// A mapping in the document, a list with the names inside for the code.
class services_type final : public type<std::vector<service_config>> {
public:
    void read(node const& at, reader& in, std::vector<service_config>& out) const override {
        std::map<std::string, service_config> by_name;
        by_name_->read(at, in, by_name);
        for (auto& [name, service] : by_name) {
            service.name = name;
            out.push_back(std::move(service));
        }
    }
    json show(std::vector<service_config> const& values) const override {
        auto shown = json::object();
        for (auto const& service : values)
            shown[service.name] = service_->show(service);
        return shown;
    }
    json schema() const override { return by_name_->schema(); }

private:
    type_of<service_config> service_ = std::make_shared<service_type>();
    type_of<std::map<std::string, service_config>> by_name_ =
        map(formats::label, service_,
            "a mapping of services, such as {redis: {match: {container: redis}, port: 6379}}");
};

}  // namespace

type_of<std::vector<service_config>> services_section() {
    return std::make_shared<services_type>();
}

}  // namespace bevmesh::config
