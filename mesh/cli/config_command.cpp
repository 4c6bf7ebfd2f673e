// `bevmesh config validate|show|schema`.
#include "mesh/cli/config_command.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <ostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "config/loader.hpp"
#include "config/schema.hpp"
#include "config/yaml_text.hpp"
#include "mesh/cli/output.hpp"

namespace bevmesh::cli {
namespace {

using config::json;

// A terminal holds no more; the first ones are mostly the cause of the others.
constexpr std::size_t most_shown = 100;

struct arguments {
    std::string file = "/etc/bevmesh/bevmesh.yaml";
    std::string format;
    std::string node;
    bool origin = false;
};

std::string counted(std::size_t n, std::string const& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::size_t count_instances(mesh_config const& mesh) {
    std::size_t n = 0;
    for (auto const& service : mesh.services)
        n += service.instances.size();
    return n;
}

void print(json const& value, std::string const& format, std::ostream& out) {
    constexpr auto replace = nlohmann::json::error_handler_t::replace;
    if (format == "json")
        out << value.dump(2, ' ', false, replace) << "\n";
    else
        out << config::to_yaml(value);
}

int print_problems(config::loaded const& file, std::ostream& err) {
    auto const shown = std::min(file.problems.size(), most_shown);
    for (std::size_t i = 0; i < shown; ++i)
        err << config::to_string(file.problems[i]) << "\n";
    if (file.problems.size() > shown)
        err << "and " << counted(file.problems.size() - shown, "further problem") << "\n";
    return file.problems.empty() ? 0 : 1;
}

json as_data(arguments const& args, config::loaded const& file) {
    auto problems = json::array();
    for (auto const& p : file.problems)
        problems.push_back({{"file", p.file},
                            {"line", p.line},
                            {"column", p.column},
                            {"key", p.key},
                            {"message", p.message},
                            {"expected", p.expected}});
    return {{"file", args.file}, {"valid", file.problems.empty()}, {"problems", problems}};
}

int validate(arguments const& args, std::ostream& out, std::ostream& err) {
    auto const file = config::load_file(args.file);
    if (args.format == "json" || args.format == "yaml") {
        print(as_data(args, file), args.format, out);
        return file.problems.empty() ? 0 : 1;
    }
    if (!file.problems.empty()) return print_problems(file, err);
    auto const& mesh = file.value;
    out << args.file << ": valid: " << counted(mesh.nodes.size(), "node") << ", "
        << counted(mesh.services.size(), "service") << ", "
        << counted(count_instances(mesh), "instance") << ", "
        << counted(mesh.networks.size(), "network") << "\n";
    return 0;
}

// What concerns the node: its services and networks; the nodes stay, they are who it talks to.
void keep_only(mesh_config& mesh, std::string const& node) {
    auto const elsewhere = [&](auto const& part) {
        return std::ranges::find(part.nodes, node) == part.nodes.end();
    };
    for (auto& service : mesh.services)
        std::erase_if(service.instances, elsewhere);
    std::erase_if(mesh.services, [](auto const& service) { return service.instances.empty(); });
    std::erase_if(mesh.networks, [&](auto const& entry) { return elsewhere(entry.second); });
}

int show(arguments const& args, std::ostream& out, std::ostream& err) {
    auto file = config::load_file(args.file);
    if (!file.problems.empty()) return print_problems(file, err);
    if (!args.node.empty()) {
        if (!file.value.nodes.contains(args.node)) {
            std::string known;
            for (auto const& [name, node] : file.value.nodes)
                known += (known.empty() ? "one of " : ", ") + name;
            err << config::to_string({args.file, 0, 0, "",
                                      config::in_quotes(args.node) + " is no node of this mesh",
                                      known})
                << "\n";
            return 1;
        }
        keep_only(file.value, args.node);
    }
    auto const value = config::document().show(file.value);
    if (args.format == "json") {
        print(value, args.format, out);
        return 0;
    }
    config::remark about;
    if (args.origin)
        about = [&](std::string const& path) {
            return file.where.contains(path) ? "line " + std::to_string(file.where.of(path).line)
                                             : std::string("default");
        };
    out << config::to_yaml(value, about);
    return 0;
}

void add_file_option(CLI::App& command, arguments& args) {
    command.add_option("--config,-c,file", args.file, "The configuration; - is the standard input")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
}

/// The environment is not CLI11's to read: it would check it, and fail, whatever the command is.
void add_format_option(CLI::App& command, arguments& args, std::string const& standard) {
    auto const* const wanted = std::getenv("BEVMESH_FORMAT");
    args.format = wanted == nullptr || *wanted == '\0' ? standard : wanted;
    command
        .add_option("--format", args.format,
                    "How to print: table, json or yaml (env BEVMESH_FORMAT)")
        ->type_name("FORMAT")
        ->capture_default_str();
    command.parse_complete_callback([&args] {
        if (!parse_format(args.format))
            throw CLI::ValidationError("--format", config::in_quotes(args.format) +
                                                       " is wrong; expected table, json or yaml");
    });
}

}  // namespace

void add_config_command(CLI::App& app, int& status, std::ostream& out, std::ostream& err) {
    auto& command = *app.add_subcommand("config", "Check and show the configuration");
    command.require_subcommand(1);
    auto const add = [&](std::string const& name, std::string const& help, auto run) -> CLI::App& {
        auto& verb = *command.add_subcommand(name, help);
        verb.callback([=, &status, &out, &err] { status = run(out, err); });
        return verb;
    };

    auto const checked = std::make_shared<arguments>();
    auto& validate_verb = add("validate", "Say everything that is wrong with a configuration",
                              [=](auto& o, auto& e) { return validate(*checked, o, e); });
    add_file_option(validate_verb, *checked);
    add_format_option(validate_verb, *checked, "table");

    auto const shown = std::make_shared<arguments>();
    auto& show_verb = add("show", "Print the configuration with every default filled in",
                          [=](auto& o, auto& e) { return show(*shown, o, e); });
    add_file_option(show_verb, *shown);
    add_format_option(show_verb, *shown, "yaml");
    auto* const node = show_verb.add_option("--node", shown->node, "Only what concerns this node");
    // With one node's instances alone, they have other indices than in the file.
    show_verb.add_flag("--origin", shown->origin, "Say where each value is from (YAML)")
        ->excludes(node);

    auto const described = std::make_shared<arguments>();
    auto& schema_verb =
        add("schema", "Print the JSON Schema of the configuration", [=](auto& o, auto&) {
            print(config::json_schema(), described->format == "yaml" ? "yaml" : "json", o);
            return 0;
        });
    add_format_option(schema_verb, *described, "json");
}

}  // namespace bevmesh::cli
