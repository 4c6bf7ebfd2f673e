#include "mesh/vault/codec.hpp"

#include <algorithm>

#include "mesh/base/json_fields.hpp"

namespace bevmesh::vault {
namespace {

using json::value;

value const& data_of(value const& v) {
    auto const& data = json::member(v, "data");
    if (!data.is_object()) json::wrong("data", "an object");
    return data;
}

std::string needed(value const& object, std::string_view key) {
    auto found = json::text(object, key);
    if (found.empty()) json::wrong(key, "a text that is not empty");
    return found;
}

secret needed_secret(value const& object, std::string_view key) {
    return secret(needed(object, key));
}

seconds lasting(value const& object, std::string_view key) {
    return seconds(json::number<std::int64_t>(object, key));
}

wall_time date(value const& object, std::string_view key) {
    return wall_time(seconds(json::number<std::int64_t>(object, key)));
}

std::string joined(std::vector<std::string> const& parts) {
    std::string all;
    for (auto const& part : parts)
        all += (all.empty() ? "" : ",") + part;
    return all;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        auto const comma = std::min(text.find(','), text.size());
        parts.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return parts;
}

/// "2026-12-27T06:46:05.777282342Z", as Go writes times in UTC; its zero time, of the year 1, is
/// none.
std::optional<wall_time> go_time(value const& object, std::string_view key) {
    auto const text = json::text(object, key);
    if (text.empty() || text.starts_with("0001-")) return std::nullopt;
    auto const number = [&](std::size_t at, std::size_t length) {
        int n = 0;
        for (char const c : text.substr(std::min(at, text.size()), length)) {
            if (c < '0' || c > '9') json::wrong(key, "a time such as 2026-12-27T06:46:05Z");
            n = n * 10 + (c - '0');
        }
        return n;
    };
    if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z')
        json::wrong(key, "a time such as 2026-12-27T06:46:05Z");
    using namespace std::chrono;
    year_month_day const day(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                             std::chrono::day(static_cast<unsigned>(number(8, 2))));
    if (!day.ok()) json::wrong(key, "a time of the calendar");
    return sys_days(day) + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2));
}

node_state state_of(unsigned status, value const& v) {
    switch (status) {
        case 200:
            return json::flag(v, "standby") ? node_state::standby : node_state::active;
        case 429:
            return node_state::standby;
        case 472:
            return node_state::disaster_secondary;
        case 473:
            return node_state::performance_standby;
        case 474:
            return node_state::without_active;
        case 501:
            return node_state::uninitialized;
        case 503:
            return node_state::sealed;
        case 530:
            return node_state::removed;
        default:
            return node_state::unknown;
    }
}

granted_secret_id read_secret_id(value const& v) {
    auto const& data = data_of(v);
    return {needed_secret(data, "secret_id"), lasting(data, "secret_id_ttl")};
}

}  // namespace

std::string_view name(node_state state) noexcept {
    switch (state) {
        case node_state::active:
            return "active";
        case node_state::standby:
            return "standby";
        case node_state::performance_standby:
            return "performance standby";
        case node_state::disaster_secondary:
            return "disaster recovery secondary";
        case node_state::without_active:
            return "standby without an active server";
        case node_state::uninitialized:
            return "uninitialized";
        case node_state::sealed:
            return "sealed";
        case node_state::removed:
            return "removed";
        case node_state::unknown:
            return "unknown";
    }
    return "";
}

std::string encode_sign(sign_request const& wanted) {
    value out{{"csr", wanted.csr}, {"format", "pem"}};
    auto const put = [&out](char const* key, std::string text) {
        if (!text.empty()) out[key] = std::move(text);
    };
    put("common_name", wanted.common_name);
    put("alt_names", joined(wanted.alt_names));
    put("ip_sans", joined(wanted.ip_sans));
    put("uri_sans", joined(wanted.uri_sans));
    if (wanted.ttl.count() > 0) out["ttl"] = std::to_string(wanted.ttl.count()) + "s";
    return json::dump(out);
}

result<signed_certificate> decode_signed(std::string_view document) {
    return json::decode(document, "the signed certificate", [](value const& v) {
        auto const& data = data_of(v);
        signed_certificate s;
        s.certificate = needed(data, "certificate");
        s.issuing_ca = needed(data, "issuing_ca");
        s.chain = json::text_list(data, "ca_chain");
        // An issuer whose own issuer Vault does not know has no chain.
        if (s.chain.empty()) s.chain.push_back(s.issuing_ca);
        s.serial = needed(data, "serial_number");
        s.expires = date(data, "expiration");
        s.warnings = json::text_list(v, "warnings");
        return s;
    });
}

result<std::vector<issuer_entry>> decode_issuers(std::string_view document) {
    return json::decode(document, "the issuers", [](value const& v) {
        auto const& data = data_of(v);
        std::vector<issuer_entry> out;
        for (auto const& id : json::text_list(data, "keys")) {
            auto const& info = json::member(json::member(data, "key_info"), id);
            out.push_back({id, json::text(info, "issuer_name"), {}});
        }
        return out;
    });
}

result<issuer_details> decode_issuer(std::string_view document) {
    return json::decode(document, "the issuer", [](value const& v) {
        auto const& data = data_of(v);
        issuer_details i;
        i.id = needed(data, "issuer_id");
        i.name = json::text(data, "issuer_name");
        i.key_id = json::text(data, "key_id");
        i.certificate = needed(data, "certificate");
        i.ca_chain = json::text_list(data, "ca_chain");
        i.leaf_not_after_behavior = json::text(data, "leaf_not_after_behavior");
        i.usage = split(json::text(data, "usage"));
        i.revoked = json::flag(data, "revoked");
        return i;
    });
}

result<std::string> decode_default_issuer(std::string_view document) {
    return json::decode(document, "the default issuer",
                        [](value const& v) { return json::text(data_of(v), "default"); });
}

result<pki_role> decode_role(std::string_view document) {
    return json::decode(document, "the PKI role", [](value const& v) {
        auto const& data = data_of(v);
        pki_role r;
        r.allowed_domains = json::text_list(data, "allowed_domains");
        r.allowed_uri_sans = json::text_list(data, "allowed_uri_sans");
        r.issuer = json::text(data, "issuer_ref");
        r.key_type = json::text(data, "key_type");
        r.ttl = lasting(data, "ttl");
        r.max_ttl = lasting(data, "max_ttl");
        r.not_before_duration = lasting(data, "not_before_duration");
        r.no_store = json::flag(data, "no_store");
        r.generate_lease = json::flag(data, "generate_lease");
        r.allow_bare_domains = json::flag(data, "allow_bare_domains");
        r.allow_subdomains = json::flag(data, "allow_subdomains");
        r.allow_glob_domains = json::flag(data, "allow_glob_domains");
        r.allow_any_name = json::flag(data, "allow_any_name");
        r.allow_ip_sans = json::flag(data, "allow_ip_sans");
        r.require_cn = json::flag(data, "require_cn");
        r.server_flag = json::flag(data, "server_flag");
        r.client_flag = json::flag(data, "client_flag");
        return r;
    });
}

result<revocation> decode_revocation(std::string_view document) {
    return json::decode(document, "the revocation", [](value const& v) {
        revocation r;
        r.at = date(data_of(v), "revocation_time");
        return r;
    });
}

result<std::string> decode_new_root(std::string_view document) {
    return json::decode(document, "the new root",
                        [](value const& v) { return needed(data_of(v), "issuer_id"); });
}

result<std::string> decode_csr(std::string_view document) {
    return json::decode(document, "the intermediate's signing request",
                        [](value const& v) { return needed(data_of(v), "csr"); });
}

result<certificate_and_ca> decode_signed_intermediate(std::string_view document) {
    return json::decode(document, "the signed intermediate", [](value const& v) {
        auto const& data = data_of(v);
        return certificate_and_ca{needed(data, "certificate"), needed(data, "issuing_ca")};
    });
}

result<std::string> decode_imported(std::string_view document) {
    return json::decode(document, "the imported issuers", [](value const& v) {
        for (auto const& [issuer, key] : json::text_map(data_of(v), "mapping"))
            if (!key.empty()) return issuer;
        json::wrong("mapping", "an issuer with a key");
    });
}

result<kv_secret> decode_kv(std::string_view document) {
    return json::decode(document, "the secret", [](value const& v) {
        auto const& data = data_of(v);
        auto const& values = json::member(data, "data");
        if (!values.is_object()) json::wrong("data.data", "an object");
        kv_secret out;
        out.version = json::number<unsigned>(json::member(data, "metadata"), "version");
        for (auto const& [key, item] : values.items())
            out.data.emplace(key,
                             secret(item.is_string() ? item.get<std::string>() : json::dump(item)));
        return out;
    });
}

result<node_health> decode_health(unsigned status, std::string_view document) {
    return json::decode(document, "the health", [status](value const& v) {
        node_health h;
        h.state = state_of(status, v);
        h.version = json::text(v, "version");
        h.cluster = json::text(v, "cluster_id");
        h.server_time = date(v, "server_time_utc");
        return h;
    });
}

result<granted_token> decode_token(std::string_view document) {
    return json::decode(document, "the granted token", [](value const& v) {
        auto const& auth = json::member(v, "auth");
        if (!auth.is_object()) json::wrong("auth", "an object");
        granted_token t;
        t.token = needed_secret(auth, "client_token");
        t.accessor = json::text(auth, "accessor");
        t.lease = lasting(auth, "lease_duration");
        t.renewable = json::flag(auth, "renewable");
        return t;
    });
}

result<token_facts> decode_token_facts(std::string_view document) {
    return json::decode(document, "the token", [](value const& v) {
        auto const& data = data_of(v);
        token_facts t;
        t.accessor = json::text(data, "accessor");
        t.display_name = json::text(data, "display_name");
        t.left = lasting(data, "ttl");
        auto const period = lasting(data, "period");
        t.lease = period.count() > 0 ? period : lasting(data, "creation_ttl");
        t.renewable = json::flag(data, "renewable");
        return t;
    });
}

result<granted_secret_id> decode_secret_id(std::string_view document) {
    return json::decode(document, "the secret ID", read_secret_id);
}

result<secret_id_facts> decode_secret_id_facts(std::string_view document) {
    return json::decode(document, "what is known of the secret ID", [](value const& v) {
        auto const& data = data_of(v);
        secret_id_facts f;
        f.lease = lasting(data, "secret_id_ttl");
        f.expires = go_time(data, "expiration_time");
        f.uses = json::number<unsigned>(data, "secret_id_num_uses");
        return f;
    });
}

result<std::string> decode_creation_path(std::string_view document) {
    return json::decode(document, "the wrapping token",
                        [](value const& v) { return needed(data_of(v), "creation_path"); });
}

result<secret> decode_wrapped(std::string_view document) {
    return json::decode(document, "the wrapping token", [](value const& v) {
        return needed_secret(json::member(v, "wrap_info"), "token");
    });
}

}  // namespace bevmesh::vault
