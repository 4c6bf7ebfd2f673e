#include "mesh/cli/session.hpp"

#include <algorithm>
#include <cstdlib>
#include <istream>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/format.hpp"
#include "mesh/base/config.hpp"
#include "mesh/cli/text.hpp"

namespace bevmesh::cli {
namespace {

char const* const group = "Common options";

std::string environment_or(char const* name, std::string standard) {
    auto const* const value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::move(standard) : std::string(value);
}

failure wrong(std::string const& option, std::string const& value, std::string const& expected) {
    return {errc::bad_input, option + ": \"" + value + "\" is wrong; expected " + expected};
}

}  // namespace

std::shared_ptr<common_options> options_of_environment() {
    auto said = std::make_shared<common_options>();
    said->format = environment_or("BEVMESH_FORMAT", "table");
    said->socket = environment_or("BEVMESH_SOCKET", api_config{}.socket);
    said->timeout = environment_or("BEVMESH_TIMEOUT", "10s");
    return said;
}

void add_output_options(CLI::App& command, std::shared_ptr<common_options> const& into) {
    command
        .add_option("--format", into->format,
                    "How to print: table, json or yaml (env BEVMESH_FORMAT)")
        ->type_name("FORMAT")
        ->take_last()
        ->group(group)
        ->capture_default_str();
    command.add_flag("--no-color", into->no_colour, "Never colour (env NO_COLOR)")->group(group);
}

void add_common_options(CLI::App& command, std::shared_ptr<common_options> const& into) {
    add_output_options(command, into);
    command.add_option("--socket", into->socket, "The daemon's socket (env BEVMESH_SOCKET)")
        ->type_name("PATH")
        ->take_last()
        ->group(group)
        ->capture_default_str();
    command
        .add_option("--timeout", into->timeout,
                    "How long to wait for each answer (env BEVMESH_TIMEOUT)")
        ->type_name("DURATION")
        ->take_last()
        ->group(group)
        ->capture_default_str();
}

void allow_only(CLI::Option& option, std::vector<std::string> const& values) {
    CLI::Validator among = CLI::IsMember(values);
    option.check(among.description(""));
}

void session::say(std::string const& sentence) {
    io_.err << "bevmesh: ";
    // Our own hints stand on lines of their own; those of a peer are escaped already.
    std::size_t start = 0;
    for (auto end = sentence.find('\n'); end != std::string::npos;
         end = sentence.find('\n', start)) {
        io_.err << printable(sentence.substr(start, end - start)) << "\n         ";
        start = end + 1;
    }
    io_.err << printable(sentence.substr(start)) << "\n";
}

void session::fail(failure const& f) {
    say(f.doing);
    finish(status_of(f.code));
}

bool session::agreed(bool yes) {
    if (yes) return true;
    if (!io_.in_is_terminal) {
        fail({errc::bad_input,
              "nobody is here to be asked, nothing was done; --yes does it without asking"});
        return false;
    }
    io_.err << "Go on? [y/N] " << std::flush;
    std::string answer;
    if (!std::getline(io_.in, answer)) io_.err << "\n";
    std::ranges::transform(answer, answer.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    if (answer == "y" || answer == "yes") return true;
    fail({errc::canceled, "nothing was done"});
    return false;
}

std::optional<settings> session::understand(common_options const& said) {
    settings made;
    auto const as = parse_format(said.format);
    auto const timeout = config::parse_duration(said.timeout);
    if (!as) fail(wrong("--format", said.format, "table, json or yaml"));
    if (!timeout || timeout->count() == 0)
        fail(wrong("--timeout", said.timeout, "a duration such as 500ms, 10s or 1m"));
    if (said.socket.empty()) fail(wrong("--socket", "", "the path of a unix socket"));
    if (!as || !timeout || timeout->count() == 0 || said.socket.empty()) return std::nullopt;
    made.as = *as;
    made.timeout = *timeout;
    made.socket = said.socket;
    made.on = {io_.colour && !said.no_colour, io_.width};
    return made;
}

void session::show(settings const& how, nlohmann::json const& value,
                   std::function<std::string(page const&)> const& draw) {
    io_.out << (how.as == format::table ? draw(how.on) : to_text(value, how.as));
}

}  // namespace bevmesh::cli
