#include "mesh/log/log.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <ranges>

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace bevmesh::log {
namespace {

bool json_format = false;

bool plain(std::string_view value) {
    return !value.empty() && std::ranges::none_of(value, [](unsigned char c) {
        return c <= ' ' || c == '"' || c == '=' || c == 0x7f;
    });
}

std::string json_string(std::string_view value) {
    // JSON's quoting keeps line breaks and control characters of peers out of the log.
    return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

spdlog::logger& backend() {
    static auto const instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "bevmesh", std::make_shared<spdlog::sinks::stderr_sink_st>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum spdlog_level(level severity) {
    switch (severity) {
        case level::debug:
            return spdlog::level::debug;
        case level::info:
            return spdlog::level::info;
        case level::warning:
            return spdlog::level::warn;
        case level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

}  // namespace

void configure(log_config const& settings) {
    json_format = settings.format == "json";
    // %v alone: the JSON object carries its own time. Under journald the reader adds one.
    if (json_format)
        backend().set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%e%z\",\"level\":\"%l\",%v}");
    else
        backend().set_pattern(::getenv("JOURNAL_STREAM") ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    backend().set_level(
        spdlog::level::from_str(settings.level == "warning" ? "warn" : settings.level));
}

std::string format_line(std::string_view sentence, std::initializer_list<field> fields) {
    std::string line(sentence);
    for (auto const& f : fields) {
        line += ' ';
        line += f.key;
        line += '=';
        line += plain(f.value) ? f.value : json_string(f.value);
    }
    return line;
}

void logger::write(level severity, std::string_view sentence,
                   std::initializer_list<field> fields) const {
    if (!backend().should_log(spdlog_level(severity))) return;
    if (!json_format) {
        backend().log(spdlog_level(severity), "{}: {}", part_, format_line(sentence, fields));
        return;
    }
    std::string members =
        "\"part\":" + json_string(part_) + ",\"message\":" + json_string(sentence);
    for (auto const& f : fields)
        members += "," + json_string(f.key) + ":" + json_string(f.value);
    backend().log(spdlog_level(severity), "{}", members);
}

void logger::debug(std::string_view s, std::initializer_list<field> f) const {
    write(level::debug, s, f);
}
void logger::info(std::string_view s, std::initializer_list<field> f) const {
    write(level::info, s, f);
}
void logger::warning(std::string_view s, std::initializer_list<field> f) const {
    write(level::warning, s, f);
}
void logger::error(std::string_view s, std::initializer_list<field> f) const {
    write(level::error, s, f);
}

}  // namespace bevmesh::log
