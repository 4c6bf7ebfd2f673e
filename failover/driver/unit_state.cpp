#include "failover/driver/unit_state.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace bevmesh::failover {
namespace {

using properties = std::map<std::string, std::string, std::less<>>;

/// Of each service: what is missing here was not asked for, or is no service.
constexpr char const* shown =
    "--property=Id,LoadState,ActiveState,SubState,Result,MainPID,ExecMainStartTimestampMonotonic,"
    "PIDFile,ControlGroup,Job,User,Restart,RestartForceExitStatus,TriggeredBy,UpheldBy,ExecStart,"
    "Environment";

/// NAME=value lines; a name that comes twice (several ExecStart) keeps its first value.
result<properties> lines_of(std::string_view output) {
    properties all;
    while (!output.empty()) {
        auto const end = std::min(output.find('\n'), output.size());
        auto const line = output.substr(0, end);
        output.remove_prefix(std::min(end + 1, output.size()));
        // An empty line stands between two units.
        if (line.empty()) return failure{errc::bad_input, "the name means several units"};
        auto const equals = line.find('=');
        if (equals == std::string_view::npos)
            return failure{errc::bad_answer, "systemctl show: not NAME=value"};
        all.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return all;
}

template <class Number>
result<Number> number(properties const& all, char const* name) {
    auto const found = all.find(name);
    auto const& text = found == all.end() ? std::string() : found->second;
    Number value{};
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end)
        return failure{errc::bad_answer,
                       std::string("systemctl show: ") + name + " is no number: '" + text + "'"};
    return value;
}

char unescaped(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        default:
            return c;
    }
}

/// As systemd prints a list: words with blanks in double quotes, with escapes.
std::vector<std::string> quoted_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false;
    bool any = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = text[i];
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (c == '\\' && i + 1 < text.size()) {
            word += unescaped(text[++i]);
            any = true;
        } else if (c == ' ' && !quoted) {
            if (any) words.push_back(std::move(word));
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (any) words.push_back(std::move(word));
    return words;
}

/// `{ path=/usr/bin/x ; argv[]=/usr/bin/x -D /data ; ignore_errors=no ; …`: nothing is quoted.
std::vector<std::string> argv_of(std::string_view command) {
    constexpr std::string_view key = "argv[]=";
    auto const at = command.find(key);
    if (at == std::string_view::npos) return {};
    auto rest = command.substr(at + key.size());
    rest = rest.substr(0, rest.find(" ; ignore_errors="));
    std::vector<std::string> words;
    while (!rest.empty()) {
        auto const end = std::min(rest.find(' '), rest.size());
        if (end > 0) words.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return words;
}

std::string starter_of(properties const& all) {
    auto const text = [&all](char const* name) {
        auto const found = all.find(name);
        return found == all.end() ? std::string() : found->second;
    };
    if (auto const restart = text("Restart"); restart != "no") return "Restart=" + restart;
    if (auto const forced = text("RestartForceExitStatus"); !forced.empty())
        return "RestartForceExitStatus=" + forced;
    if (auto const trigger = text("TriggeredBy"); !trigger.empty()) return trigger;
    return text("UpheldBy");
}

}  // namespace

std::vector<std::string> show_command(std::string const& unit) {
    return {"systemctl", "show", "--no-pager", shown, "--", unit};
}

result<unit_state> read_unit_state(std::string_view output) {
    auto all = lines_of(output);
    if (!all) return all.error();
    for (auto const* const name : {"Id", "LoadState", "ActiveState"})
        if (!all->contains(name))
            return failure{errc::bad_answer, std::string("systemctl show: no ") + name};
    if (!all->contains("MainPID")) return failure{errc::bad_input, (*all)["Id"] + " is no service"};
    auto const pid = number<std::int32_t>(*all, "MainPID");
    if (!pid) return pid.error();
    auto const started = number<std::uint64_t>(*all, "ExecMainStartTimestampMonotonic");
    if (!started) return started.error();
    unit_state s;
    s.id = (*all)["Id"];
    s.load = (*all)["LoadState"];
    s.active = (*all)["ActiveState"];
    s.sub = (*all)["SubState"];
    s.outcome = (*all)["Result"];
    s.main_pid = *pid;
    s.main_started_us = *started;
    s.pid_file = (*all)["PIDFile"];
    s.control_group = (*all)["ControlGroup"];
    s.has_job = !(*all)["Job"].empty();
    s.user = (*all)["User"];
    s.restarted_by = starter_of(*all);
    s.argv = argv_of((*all)["ExecStart"]);
    s.environment = quoted_words((*all)["Environment"]);
    return s;
}

std::vector<std::string> expand(std::vector<std::string> words,
                                std::vector<std::string> const& environment) {
    auto const value = [&environment](std::string const& name) {
        for (auto const& variable : environment)
            if (variable.starts_with(name + "=")) return variable.substr(name.size() + 1);
        return std::string();
    };
    for (auto& word : words) {
        for (std::size_t at = 0; (at = word.find("${", at)) != std::string::npos;) {
            auto const end = word.find('}', at);
            if (end == std::string::npos) break;
            auto const with = value(word.substr(at + 2, end - at - 2));
            word.replace(at, end - at + 1, with);
            at += with.size();
        }
    }
    return words;
}

}  // namespace bevmesh::failover
