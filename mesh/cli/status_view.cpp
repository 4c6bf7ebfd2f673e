#include "mesh/cli/status_view.hpp"

#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "mesh/cli/fields.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

using nlohmann::json;

/// "a, b, c" of those parts that are not empty.
std::string list_of(std::vector<std::string> const& parts) {
    std::string all;
    for (auto const& part : parts)
        if (!part.empty()) all += (all.empty() ? "" : ", ") + part;
    return all;
}

std::string with(std::string const& before, std::string const& text) {
    return text.empty() ? text : before + text;
}

std::string counted(std::uint64_t n, std::string const& one, std::string const& many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

/// The lines of the page: a name, a word that carries the colour, and the rest.
class lines {
public:
    explicit lines(page const& on) : on_(on) {}

    void add(std::string const& name, std::string const& word, std::string const& rest) {
        auto const title = name.empty() ? name : name + ":";
        text_ += paint({title, look::title}, on_);
        text_.append(12 - title.size(), ' ');
        text_ += paint({word, look_of_status(word)}, on_);
        if (!word.empty() && !rest.empty()) text_ += "  ";
        text_ += printable(rest) + "\n";
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    page on_;
    std::string text_;
};

void add_peer(lines& page, std::string const& name, json const& peer,
              std::vector<std::string> const& facts) {
    bool const reachable = flag_at(peer, "reachable");
    auto all = facts;
    all.insert(all.begin(), text_at(peer, "address"));
    all.push_back(text_at(peer, "detail"));
    page.add(name, reachable ? "ok" : "unreachable", list_of(all));
}

/// "0.7 ms": a round trip between nodes is worth a digit behind the point.
std::string draw_round_trip(json const& peer) {
    if (!peer.contains("round_trip_us")) return {};
    auto const tenths = (number_at(peer, "round_trip_us") + 50) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

void add_nodes(lines& page, json const& peers) {
    bool first = true;
    for (auto const& peer : peers) {
        bool const up = flag_at(peer, "reachable");
        page.add(
            first ? "Peers" : "", up ? "ok" : "unreachable",
            list_of({text_at(peer, "node"), text_at(peer, "address"),
                     up ? with("bevmesh ", text_at(peer, "version")) : "", draw_round_trip(peer),
                     up && !flag_at(peer, "same_config") ? "its configuration differs" : "",
                     text_at(peer, "detail")}));
        first = false;
    }
}

void add_registrar(lines& page, json const& registrar) {
    std::vector<std::string> phases;
    for (auto const* phase : {"announced", "announcing", "refused", "failing", "removing"})
        if (auto const n = number_at(registrar, phase); n > 0)
            phases.push_back(std::to_string(n) + " " + phase);
    auto text = counted(number_at(registrar, "services"), "service", "services");
    if (!phases.empty()) text += ": " + list_of(phases);
    page.add("Registrar", flag_at(registrar, "settled") ? "settled" : "at work", text);
    page.add(
        "", "",
        "since its start " +
            list_of(
                {counted(number_at(registrar, "registrations"), "registration", "registrations"),
                 counted(number_at(registrar, "deregistrations"), "deregistration",
                         "deregistrations"),
                 counted(number_at(registrar, "reports"), "health report", "health reports"),
                 counted(number_at(registrar, "write_errors"), "failed write", "failed writes")}));
}

}  // namespace

std::string draw_duration(std::uint64_t seconds) {
    constexpr std::array<std::pair<std::uint64_t, char const*>, 4> units{
        {{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    std::string text;
    int shown = 0;
    for (auto const& [size, name] : units) {
        auto const n = seconds / size;
        seconds %= size;
        if (n == 0 && shown == 0 && size > 1) continue;
        if (n > 0 || shown == 0) text += (shown > 0 ? " " : "") + std::to_string(n) + " " + name;
        if (++shown == 2) break;
    }
    return text;
}

std::string draw_status(json const& answer, page const& on) {
    lines page(on);
    auto const state = text_at(answer, "state");
    auto const& consul = member_at(answer, "consul");
    auto const& docker = member_at(answer, "docker");
    page.add("Node", "",
             list_of({text_at(answer, "node"), with("mesh ", text_at(answer, "mesh"))}));
    page.add("State", state.empty() ? "unknown" : state, "");
    page.add("Daemon", "",
             list_of({"bevmesh " + text_at(answer, "version"), "pid " + text_at(answer, "pid"),
                      "up " + draw_duration(number_at(answer, "uptime_seconds")) + " (since " +
                          text_at(answer, "started_at") + ")"}));
    page.add("Config", "",
             list_of({text_at(answer, "config_file"),
                      with("loaded ", text_at(answer, "config_loaded_at"))}));
    add_peer(page, "Consul", consul,
             {text_at(consul, "version"), with("node ", text_at(consul, "node_name")),
              with("datacenter ", text_at(consul, "datacenter"))});
    add_peer(page, "Docker", docker,
             {text_at(docker, "version"), with("API ", text_at(docker, "api_version")),
              with("engine ", text_at(docker, "name")),
              counted(number_at(docker, "containers"), "container", "containers")});
    add_registrar(page, member_at(answer, "registrar"));
    add_nodes(page, member_at(answer, "peers"));
    bool first = true;
    for (auto const& note : member_at(answer, "notes")) {
        auto const code = text_at(note, "code");
        page.add(first ? "Notes" : "", text_at(note, "level"),
                 text_at(note, "text") + (code.empty() ? code : " [" + code + "]"));
        first = false;
    }
    return page.take();
}

exit_status judge_status(json const& answer) {
    return text_at(answer, "state") == "ok" ? exit_status::done : exit_status::degraded;
}

}  // namespace bevmesh::cli
