#include "mesh/daemon/routes.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "mesh/daemon/bodies.hpp"

namespace bevmesh::daemon {
namespace {

using net::awaitable;
using nlohmann::json;

unsigned http_status(errc code) {
    switch (code) {
        case errc::bad_input:
            return 400;
        case errc::forbidden:
            return 403;
        case errc::not_found:
            return 404;
        case errc::conflict:
            return 409;
        case errc::timed_out:
            return 504;
        case errc::unreachable:
            return 503;
        case errc::local_error:
            return 500;
        default:
            return 502;
    }
}

std::string code_name(errc code) {
    std::string text(name(code));
    std::ranges::replace(text, ' ', '_');
    return text;
}

net::http_response answer_with(unsigned status, std::string body) {
    net::http_response r;
    r.status = status;
    r.headers.emplace_back("Content-Type", "application/json");
    r.body = std::move(body);
    return r;
}

}  // namespace

std::string call::query(std::string_view key) const {
    return query_value(request.target, key);
}

void routes::add(std::string method, std::string path, audience who, handler answer) {
    all_.push_back({std::move(method), std::move(path), who, std::move(answer)});
}

result<routes::route const*> routes::find(call const& c) const {
    auto const path = c.path();
    bool const local = c.is_local();
    bool path_known = false;
    for (auto const& r : all_) {
        bool const matches = r.path.ends_with('/') ? path.starts_with(r.path) : path == r.path;
        if (!matches) continue;
        if (r.who == (local ? audience::nodes : audience::local)) {
            path_known = path_known || r.method == c.request.method;
            continue;
        }
        if (r.method == c.request.method) return &r;
    }
    auto const what = c.request.method + " " + path;
    if (path_known)
        return failure{errc::forbidden, what + (local ? " is for the nodes of the mesh"
                                                      : " is for users of the node itself")};
    return failure{errc::not_found, "there is no " + what};
}

awaitable<result<std::string>> routes::ask(call c) const {
    auto const found = find(c);
    if (!found) co_return found.error();
    auto const& r = **found;
    auto node = c.query("node");
    if (c.is_local() && r.who == audience::everybody && !node.empty() && node != this_node_) {
        if (!forward_)
            co_return failure{errc::bad_input, "this daemon does not talk to other nodes"};
        co_return co_await forward_(std::move(node), std::move(c));
    }
    co_return co_await r.answer(std::move(c));
}

awaitable<net::http_response> routes::answer(call c) const {
    auto made = co_await ask(std::move(c));
    if (made) co_return answer_with(200, std::move(*made));
    auto const& f = made.error();
    json const body{{"error", f.doing}, {"code", code_name(f.code)}};
    co_return answer_with(http_status(f.code), answer_text(body));
}

std::string answer_text(json const& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

awaitable<result<std::string>> at_once(result<std::string> answer) {
    co_return answer;
}

failure refusal(net::http_response const& answer, std::string const& who) {
    auto const body = json::parse(answer.body, nullptr, false);
    auto sentence = text_at(body, "error");
    if (sentence.empty()) sentence = "HTTP status " + std::to_string(answer.status);
    auto code = text_at(body, "code");
    std::ranges::replace(code, '_', ' ');
    return {errc_named(code).value_or(errc::remote_error), who + " says: " + sentence};
}

std::string query_value(std::string_view target, std::string_view key) {
    auto const question = target.find('?');
    if (question == std::string_view::npos) return {};
    auto rest = target.substr(question + 1);
    while (!rest.empty()) {
        auto const pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (!pair.starts_with(key) || pair.size() <= key.size() || pair[key.size()] != '=')
            continue;
        std::string value;
        auto const raw = pair.substr(key.size() + 1);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            unsigned char byte = 0;
            if (raw[i] == '%' && i + 2 < raw.size() &&
                std::from_chars(raw.data() + i + 1, raw.data() + i + 3, byte, 16).ptr ==
                    raw.data() + i + 3) {
                value += static_cast<char>(byte);
                i += 2;
            } else {
                value += raw[i] == '+' ? ' ' : raw[i];
            }
        }
        return value;
    }
    return {};
}

}  // namespace bevmesh::daemon
