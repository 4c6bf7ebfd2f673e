#include "registrar/compat.hpp"

#include <algorithm>

#include "registrar/compat_check.hpp"
#include "registrar/ip_text.hpp"
#include "registrar/limits.hpp"
#include "registrar/names.hpp"
#include "registrar/tags.hpp"

namespace bevmesh::registrar {
namespace {

void tell(desired& out, note::severity level, std::string code, subject const& s,
          std::string const& what) {
    out.notes.push_back(
        {level, std::move(code), "container " + display_name(s.container) + ": " + what});
}

compat_config const& flags(subject const& s) {
    return s.where.config->registrar.compat;
}

// registrator decides by the address before the flags; a label of our own decides before it.
address_wish wish_for(subject const& s) {
    address_wish at;
    bool const own = flags(s).internal || s.place.joined;
    at.mode = s.labels.mode.value_or(own ? address_mode::container : address_mode::host);
    at.network = s.labels.network;
    // For container:X registrator takes X's address over everything that its flags say.
    if (s.place.joined) return at;
    if (!flags(s).internal) at.configured = flags(s).ip;
    auto const label = s.container.labels.find(flags(s).use_ip_from_label);
    if (flags(s).use_ip_from_label.empty() || label == s.container.labels.end()) return at;
    auto const ip = label->second.substr(0, label->second.rfind('/'));
    if (is_host(ip) && !is_wildcard(ip)) at.address = ip;
    return at;
}

bool is_ignored(subject const& s, port_settings const& settings, docker::port_key const& port,
                desired& out) {
    auto const& value = settings.get("ignore");
    if (value.empty()) return false;
    auto const no = parse_switch(value);
    if (no && !*no)
        tell(out, note::severity::warning, "ignored-false", s,
             "port " + std::to_string(port.port) +
                 " is ignored because SERVICE_IGNORE is set, to " + excerpt(value) +
                 "; as in registrator every value ignores");
    return true;
}

std::string default_name(subject const& s, desired& out) {
    auto const& image = s.container.image;
    auto name = image_base(image);
    if (name.empty()) name = to_dns_label(display_name(s.container));
    if (image.find('@') != std::string::npos)
        tell(out, note::severity::info, "digest-name", s,
             "its image is named by digest; the service is " + name +
                 ", where registrator makes the digest a part of the name");
    return name;
}

std::string expanded(subject const& s, std::string const& list, std::string_view whose, bool refuse,
                     desired& out) {
    if (auto text = expand_template(list, s.container)) return *text;
    if (!refuse) return list;
    tell(out, note::severity::warning, "tag-template", s,
         std::string(whose) +
             " uses a template that is not supported, its tags are left out; "
             "fields such as {{.Config.Hostname}} are");
    return {};
}

std::vector<std::string> tags_of(subject const& s, port_settings const& settings,
                                 docker::port_key const& port, desired& out) {
    // In SERVICE_TAGS only the fork fayrus has templates: other braces are what they are.
    auto tags = split_tags(expanded(s, settings.get("tags"), "SERVICE_TAGS", false, out));
    for (auto& tag : split_tags(expanded(s, flags(s).tags, "registrar.compat.tags", true, out)))
        tags.push_back(std::move(tag));
    for (auto& tag : protocol_tags(port))
        tags.push_back(std::move(tag));
    return tags;
}

bool is_setting(std::string_view key) {
    static constexpr std::string_view known[] = {"name", "id", "tags", "ignore",
                                                 "enable_tag_override"};
    return std::ranges::find(known, key) != std::end(known) || key.starts_with("check_");
}

bool looks_secret(std::string_view key) {
    return std::ranges::any_of(
        std::vector<std::string_view>{"password", "passwd", "secret", "token", "private_key"},
        [&](auto word) { return key.find(word) != std::string_view::npos; });
}

void take_meta(draft& d, subject const& s, port_settings const& settings, desired& out) {
    for (auto const& [key, setting] : settings) {
        if (is_setting(key) || (key == "ip" && is_host(setting.value))) continue;
        d.meta.emplace(key, setting.value);
        if (looks_secret(key) && !setting.value.empty())
            tell(out, note::severity::warning, "secret-in-meta", s,
                 "SERVICE_* \"" + excerpt(key) +
                     "\" becomes meta of the service, which everybody "
                     "who reads the catalog can see");
    }
}

std::optional<draft> draft_of(subject const& s, compat_keys const& keys, open_port const& port,
                              bool is_group, desired& out) {
    auto const settings = keys.for_port(port.inner);
    if (is_ignored(s, settings, port.inner, out)) return {};
    draft d;
    d.name = settings.get("name");
    if (d.name.empty()) {
        if (flags(s).explicit_only) return {};
        d.name = default_name(s, out);
    }
    if (is_group && !settings.own("name")) d.name += "-" + std::to_string(port.inner.port);
    d.id = settings.get("id");
    d.port = port;
    d.at = wish_for(s);
    if (is_host(settings.get("ip")) && !is_wildcard(settings.get("ip")))
        d.at.address = settings.get("ip");
    d.tags = tags_of(s, settings, port.inner, out);
    take_meta(d, s, settings, out);
    d.enable_tag_override = parse_switch(settings.get("enable_tag_override")).value_or(false);
    d.tcp_by_default = false;
    d.mirror_health = false;
    d.registrator_check = compat_check(settings, port.inner, s.container, out.notes);
    return d;
}

}  // namespace

std::vector<draft> compat_drafts(subject const& s, compat_keys const& keys, desired& out) {
    auto const ports = ports_of(s.container, s.place, wish_for(s).mode);
    // registrator counts the ignored ports, too: a name must not depend on who ignores its
    // neighbour.
    bool const is_group = ports.size() > 1;
    std::vector<draft> drafts;
    for (auto const& port : ports)
        if (auto d = draft_of(s, keys, port, is_group, out)) drafts.push_back(std::move(*d));
    return drafts;
}

}  // namespace bevmesh::registrar
