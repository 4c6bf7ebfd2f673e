// One named logger a part; a line is a sentence and key=value pairs.
//
// One info line per change of state, never one per tick; debug for the rest. Values are quoted when
// they need it, so that a line can be taken apart again. Written to stderr: text for people
// (journald adds time and priority where it is the reader), or one JSON object a line on request.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "mesh/base/config.hpp"

namespace bevmesh::log {

enum class level { debug, info, warning, error };

struct field {
    std::string_view key;
    std::string value;
};

/// Sets level and format for all loggers, also those that exist already (SIGHUP).
void configure(log_config const& settings);

class logger {
public:
    /// `part` must outlive the logger: a literal ("registrar", "consul").
    explicit logger(std::string_view part) : part_(part) {}

    void debug(std::string_view sentence, std::initializer_list<field> fields = {}) const;
    void info(std::string_view sentence, std::initializer_list<field> fields = {}) const;
    void warning(std::string_view sentence, std::initializer_list<field> fields = {}) const;
    void error(std::string_view sentence, std::initializer_list<field> fields = {}) const;

private:
    void write(level severity, std::string_view sentence,
               std::initializer_list<field> fields) const;
    std::string_view part_;
};

/// The line without time and level, as the text format prints it. Pure; for tests and the API.
[[nodiscard]] std::string format_line(std::string_view sentence,
                                      std::initializer_list<field> fields);

}  // namespace bevmesh::log
