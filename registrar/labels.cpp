#include "registrar/labels.hpp"

#include <charconv>

#include "registrar/check_labels.hpp"
#include "registrar/ip_text.hpp"
#include "registrar/limits.hpp"
#include "registrar/names.hpp"
#include "registrar/tags.hpp"

namespace bevmesh::registrar {
namespace {

constexpr std::string_view prefix = "bevmesh.";

bool may_be_secret(std::string_view setting) {
    return setting.starts_with("header") || setting == "body" || setting == "password_file";
}

class reader {
public:
    reader(std::string_view container, std::vector<note>& notes)
        : container_(container), notes_(notes) {}

    void take(std::string const& label, std::string const& value) {
        auto const key = std::string_view(label).substr(prefix.size());
        auto const expected = take_key(key, value);
        if (!expected.empty()) complain(label, value, expected);
    }

    own_labels finish() {
        for (auto const& [at, settings] : checks_) {
            std::vector<label_problem> problems;
            auto check = read_check(settings.values, problems);
            for (auto const& p : problems) {
                auto const value = settings.values.find(p.setting);
                bool const shown = value != settings.values.end() && !may_be_secret(p.setting);
                complain(settings.label + (p.setting.empty() ? "" : ".") + p.setting,
                         shown ? value->second : "", p.expected);
            }
            if (check) found_.checks[at.first].push_back(std::move(*check));
        }
        return std::move(found_);
    }

private:
    struct check_settings {
        std::string label;  // up to N
        std::map<std::string, std::string> values;
    };

    void complain(std::string const& label, std::string_view value, std::string const& expected) {
        notes_.push_back({note::severity::warning, "bad-label",
                          "container " + std::string(container_) + ": label " + excerpt(label) +
                              "=" + excerpt(value) + " is not understood; expected " + expected});
    }

    // Returns what was expected, or nothing when the label was taken.
    std::string take_key(std::string_view key, std::string const& value) {
        if (key == "enable") return take_switch(found_.enable, value);
        if (key == "name") return take_name(found_.name, value);
        if (key == "port") return take_port(value);
        if (key == "tags") return take_tags(value);
        if (key == "network") return take_network(value);
        if (key == "address") return take_address(value);
        if (key == "address_mode") return take_mode(value);
        if (key == "health") return take_health(value);
        if (key.starts_with("meta.")) {
            found_.meta[std::string(key.substr(5))] = value;
            return {};
        }
        if (key.starts_with("check.")) return take_check({}, key, key.substr(6), value);
        auto const dot = key.find('.');
        auto const port = parse_port_label(key.substr(0, dot));
        if (dot == std::string_view::npos || !port)
            return "enable, name, port, tags, meta.KEY, network, address, address_mode, health, "
                   "check.N.KIND or PORT.name";
        auto const rest = key.substr(dot + 1);
        if (rest == "name") return take_name(found_.port_names[*port], value);
        if (rest.starts_with("check.")) return take_check(*port, key, rest.substr(6), value);
        return "PORT.name or PORT.check.N.KIND";
    }

    static std::string take_switch(std::optional<bool>& into, std::string const& value) {
        into = parse_switch(value);
        return into ? "" : "true or false";
    }

    static std::string take_name(std::string& into, std::string const& value) {
        into = is_dns_label(value) ? value : to_dns_label(value);
        if (into == value && !into.empty()) return {};
        return into.empty() ? "a name of letters, digits and -"
                            : "a name of letters, digits and -; \"" + into + "\" is used";
    }

    std::string take_port(std::string const& value) {
        found_.port = parse_port_label(value);
        return found_.port ? "" : "a port of the container, such as 80 or 53/udp";
    }

    std::string take_tags(std::string const& value) {
        for (auto const& tag : split_tags(value)) {
            auto const first = tag.find_first_not_of(' ');
            if (first == std::string::npos) continue;
            found_.tags.push_back(tag.substr(first, tag.find_last_not_of(' ') - first + 1));
        }
        return {};
    }

    std::string take_network(std::string const& value) {
        found_.network = value;
        return value.empty() ? "the name of a network" : "";
    }

    std::string take_address(std::string const& value) {
        auto text = value;
        if (text.size() > 2 && text.starts_with('[') && text.ends_with(']'))
            text = text.substr(1, text.size() - 2);
        if (!is_host(text) || is_wildcard(text)) return "an IP address or a host name";
        found_.address = text;
        return {};
    }

    std::string take_mode(std::string const& value) {
        if (value == "host") found_.mode = address_mode::host;
        if (value == "container") found_.mode = address_mode::container;
        return value == "host" || value == "container" || value == "auto"
                   ? ""
                   : "host, container or auto";
    }

    std::string take_health(std::string const& value) {
        if (value != "mirror" && value != "ignore") return "mirror or ignore";
        found_.mirror_health = value == "mirror";
        return {};
    }

    std::string take_check(port_label const& port, std::string_view key, std::string_view rest,
                           std::string const& value) {
        auto const dot = rest.find('.');
        if (dot == 0 || dot == std::string_view::npos || dot + 1 == rest.size())
            return "check.N.KIND or check.N.SETTING";
        auto& settings = checks_[{port, std::string(rest.substr(0, dot))}];
        settings.label = std::string(prefix) +
                         std::string(key.substr(0, key.size() - rest.size())) +
                         std::string(rest.substr(0, dot));
        settings.values[std::string(rest.substr(dot + 1))] = value;
        return {};
    }

    std::string_view container_;
    std::vector<note>& notes_;
    own_labels found_;
    std::map<std::pair<port_label, std::string>, check_settings> checks_;
};

}  // namespace

own_labels read_labels(std::map<std::string, std::string> const& labels, std::string_view container,
                       std::vector<note>& notes) {
    reader r(container, notes);
    for (auto it = labels.lower_bound(std::string(prefix));
         it != labels.end() && it->first.starts_with(prefix); ++it)
        r.take(it->first, it->second);
    auto found = r.finish();
    std::erase_if(found.port_names, [](auto const& p) { return p.second.empty(); });
    return found;
}

std::optional<port_label> parse_port_label(std::string_view text) {
    port_label port;
    auto const slash = text.find('/');
    if (slash != std::string_view::npos) {
        port.protocol = text.substr(slash + 1);
        if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp") return {};
        text = text.substr(0, slash);
    }
    auto const* end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, port.port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port.port == 0) return {};
    return port;
}

std::optional<bool> parse_switch(std::string_view text) {
    auto const lowered = to_lower(text);
    for (auto const* yes : {"true", "yes", "on", "1"})
        if (lowered == yes) return true;
    for (auto const* no : {"false", "no", "off", "0"})
        if (lowered == no) return false;
    return {};
}

}  // namespace bevmesh::registrar
