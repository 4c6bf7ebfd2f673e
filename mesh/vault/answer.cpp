#include "mesh/vault/answer.hpp"

#include "mesh/base/json_fields.hpp"

namespace bevmesh::vault {
namespace {

/// "1 error occurred:\n\t* permission denied\n\n" is a Go list of one.
std::string one_line(std::string_view text) {
    std::string line;
    bool gap = false;
    for (char const c : text) {
        if (c == '\n' || c == '\t' || c == ' ' || c == '\r') {
            gap = !line.empty();
            continue;
        }
        if (gap) line += ' ';
        gap = false;
        line += c;
    }
    return line;
}

bool says(std::string const& reason, std::string_view words) {
    return reason.find(words) != std::string::npos;
}

/// OpenBao answers 500 where a thing is not there, and 400 where a mount or role is not.
bool says_absent(std::string const& reason) {
    return says(reason, "unable to find PKI issuer") ||
           says(reason, "unable to find CRL for issuer") ||
           reason.starts_with("No secret engine mount at") ||
           reason.starts_with("No auth engine at");
}

/// A KV 2 engine that was just mounted, for a moment, on the leader or on another; as a 400.
bool says_soon(std::string const& reason) {
    return says(reason, "from non-versioned to versioned data");
}

std::string words_for(unsigned status) {
    switch (status) {
        case 307:
            return "another server is the leader";
        case 403:
            return "permission denied";
        case 404:
            return "there is nothing of that name";
        case 412:
            return "this server lags behind";
        case 429:
            return "a standby, or too many requests";
        case 472:
            return "a disaster recovery secondary";
        case 473:
            return "a performance standby";
        case 501:
            return "not initialized";
        case 503:
            return "sealed, or in maintenance";
        default:
            return "no reason given";
    }
}

meaning meaning_of(unsigned status, std::string const& reason) {
    if (status >= 200 && status < 300) return meaning::good;
    if (says_absent(reason)) return meaning::absent;
    if (says_soon(reason)) return meaning::elsewhere;
    switch (status) {
        case 307:
            return meaning::redirect;
        case 400:
        case 405:
            return meaning::wrong;
        case 403:
            // A policy's refusal comes as a list.
            return reason.starts_with("permission denied") ? meaning::unknown_token
                                                           : meaning::denied;
        case 404:
            return meaning::absent;
        case 412:
        case 429:
        case 472:
        case 473:
            return meaning::elsewhere;
        default:
            return status >= 500 ? meaning::elsewhere : meaning::other;
    }
}

}  // namespace

std::string errors_of(std::string_view body) {
    auto const parsed = json::value::parse(body.begin(), body.end(), nullptr, false);
    if (!parsed.is_object() || !parsed.contains("errors")) return {};
    std::string all;
    for (auto const& error : parsed.at("errors"))
        if (error.is_string())
            all += (all.empty() ? "" : "; ") + one_line(error.get<std::string>());
    return all;
}

verdict judge(unsigned status, std::string_view location, std::string_view body) {
    verdict v;
    v.reason = status >= 300 ? errors_of(body) : std::string();
    v.what = meaning_of(status, v.reason);
    if (v.what == meaning::redirect) v.location = location;
    if (v.what != meaning::good && v.reason.empty()) v.reason = words_for(status);
    return v;
}

std::string origin_of(std::string_view url) {
    auto const scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    auto const path = url.find('/', scheme + 3);
    auto const origin = url.substr(0, path);
    return std::string(origin.starts_with("http://") ? origin.substr(7) : origin);
}

}  // namespace bevmesh::vault
