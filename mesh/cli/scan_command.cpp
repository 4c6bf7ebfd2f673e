// `bevmesh scan`: looks through files for addresses, says whose they are, and writes names.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/loader.hpp"
#include "mesh/cli/commands.hpp"
#include "mesh/cli/scan_view.hpp"
#include "mesh/cli/session.hpp"
#include "mesh/cli/text.hpp"
#include "registrar/scan/dsn.hpp"
#include "registrar/scan/edit.hpp"
#include "registrar/scan/replace_file.hpp"
#include "registrar/scan/tree.hpp"

namespace bevmesh::cli {
namespace {

namespace scan = registrar::scan;

struct arguments {
    std::vector<std::string> paths;
    std::string config_file = "/etc/bevmesh/bevmesh.yaml";
    bool config_given = false;
    bool offline = false;
    bool all = false;
    bool diff = false;
    bool write = false;
    bool yes = false;
    bool show_secrets = false;
    std::string least = "medium";
    std::string fail_on = "none";
    scan::tree_options tree;
};

scan::confidence confidence_of(std::string const& text) {
    return text == "high"     ? scan::confidence::high
           : text == "medium" ? scan::confidence::medium
           : text == "low"    ? scan::confidence::low
                              : scan::confidence::unknown;
}

class scanning {
public:
    scanning(session& run, settings const& how, arguments const& args)
        : run_(run), how_(how), args_(args), least_(confidence_of(args.least)) {}

    void go() {
        if (!learn_mesh()) return;
        auto const walked = scan::walk(args_.paths, args_.tree,
                                       [&](scan::file_text file) { look(std::move(file)); });
        if (!walked) return run_.fail(walked.error());
        result_.read = walked->files;
        result_.others = walked->others;
        for (auto const& n : walked->notes)
            result_.notes.push_back({n.path, n.text});
        if (args_.write && !write()) return;
        show();
        judge();
    }

private:
    struct change {
        std::size_t file;  // of result_.files
        std::string before;
        std::string after;
    };

    bool learn_mesh() {
        bool const there = std::filesystem::exists(args_.config_file);
        if (args_.config_given || there) {
            auto const loaded = config::load_file(args_.config_file);
            for (auto const& problem : loaded.problems)
                run_.io().err << config::to_string(problem) << "\n";
            if (!loaded.problems.empty()) return run_.finish(exit_status::local_error), false;
            mesh_ = scan::inventory(loaded.value);
        }
        if (!args_.offline) {
            auto const answer = how_.daemon().get("/v1/services");
            if (answer)
                mesh_.add_catalog(*answer);
            else if (there || args_.config_given)
                run_.say("the daemon cannot be asked; by the configuration alone (--offline)");
        }
        if (mesh_.empty())
            run_.say("no configuration and no daemon: every address will be unknown (--config)");
        return true;
    }

    void look(scan::file_text file) {
        auto found = scan::scan_text(file.is, file.text, mesh_);
        if (found.empty()) return;
        auto after =
            args_.diff || args_.write ? scan::edited(file.text, found, least_) : std::string();
        result_.files.push_back({std::move(file.path), file.is, std::move(found), ""});
        if ((args_.diff || args_.write) && after != file.text)
            changes_.push_back({result_.files.size() - 1, std::move(file.text), std::move(after)});
    }

    std::string diff_text(bool& hidden) const {
        std::string text;
        for (auto const& c : changes_) {
            auto const& path = result_.files[c.file].path;
            auto const hide = [&](std::string const& whole) {
                return args_.show_secrets ? whole : scan::masked(whole);
            };
            auto const plain = scan::unified_diff(path, c.before, c.after);
            auto const shown = scan::unified_diff(path, hide(c.before), hide(c.after));
            hidden = hidden || plain != shown;
            text += shown;
        }
        return text;
    }

    bool write() {
        if (changes_.empty()) return true;
        bool hidden = false;
        auto const text = diff_text(hidden);
        for (std::size_t at = 0; at < text.size();) {
            auto const end = std::min(text.find('\n', at), text.size());
            run_.io().err << printable(text.substr(at, end - at)) << "\n";
            at = end + 1;
        }
        run_.io().err << changes_.size() << (changes_.size() == 1 ? " file" : " files")
                      << " will be written, each with a backup beside it.\n";
        if (!run_.agreed(args_.yes)) return false;
        for (auto const& c : changes_) {
            auto& file = result_.files[c.file];
            auto const done = scan::replace_file(file.path, c.before, c.after);
            if (done) {
                file.written = *done;
                continue;
            }
            result_.notes.push_back({file.path, "not written: " + done.error().doing});
            not_written_ = true;
        }
        return true;
    }

    void show() {
        for (auto const& n : result_.notes)
            run_.say(n.path + ": " + n.text);
        bool hidden = false;
        if (args_.diff) {
            run_.io().out << diff_text(hidden);
        } else {
            run_.show(how_, to_json(result_),
                      [&](page const& on) { return draw_scan(result_, args_.all, on); });
        }
        if (hidden)
            run_.say("secrets are shown as ***: --show-secrets makes a diff that patch applies");
        std::size_t written = 0;
        for (auto const& file : result_.files)
            written += static_cast<std::size_t>(!file.written.empty());
        run_.say(summarise(result_) + (args_.write
                                           ? "; " + std::to_string(written) +
                                                 (written == 1 ? " file" : " files") + " written"
                                           : ""));
    }

    /// What --write has written is in order now.
    void judge() {
        if (not_written_) return run_.finish(exit_status::local_error);
        if (args_.fail_on == "none") return;
        auto const from = confidence_of(args_.fail_on);
        for (auto const& file : result_.files)
            for (auto const& f : file.found)
                if (!f.left && f.is.sure >= from &&
                    (file.written.empty() || !scan::is_written(f, least_)))
                    return run_.finish(exit_status::degraded);
    }

    session& run_;
    settings const& how_;
    arguments const& args_;
    scan::confidence least_;
    scan::inventory mesh_;
    scan_result result_;
    std::vector<change> changes_;
    bool not_written_ = false;
};

char const* const footer =
    "Reads Compose files, .env, YAML, JSON, INI, properties, TOML, shell and nginx, and the DSNs "
    "in\n"
    "them. A service is known by the address and port that the configuration and, where a daemon "
    "can\n"
    "be asked, Consul's catalog give it. high: address and port are one service's alone. medium: "
    "the\n"
    "address is a node's, and the key names one service there. low: something contradicts. What "
    "is\n"
    "not known is \"unknown\". Subnets, listeners, versions, comments, loopback are left alone.\n"
    "--write changes addresses and nothing else; FILE.before-bevmesh is what was there.\n\n"
    "Exit status with --fail-on LEVEL: 3 where a finding of at least that confidence is left.\n\n"
    "Examples:\n"
    "  bevmesh scan /opt/app\n"
    "  bevmesh scan /opt/app --diff\n"
    "  bevmesh scan /opt/app --write --yes\n"
    "  bevmesh scan . --offline --config bevmesh.yaml --fail-on high     in CI";

void add_what(CLI::App& command, arguments& args) {
    command.add_option("paths", args.paths, "Files and folders")->type_name("PATH")->required();
    command.add_option("--config,-c", args.config_file, "The mesh's configuration")
        ->type_name("FILE")
        ->envname("BEVMESH_CONFIG")
        ->capture_default_str();
    command.add_flag("--offline", args.offline, "By the configuration alone: ask no daemon");
    command.add_option("--include", args.tree.include, "Only such files, and of any kind")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    command.add_option("--exclude", args.tree.exclude, "No such files and folders")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    command.add_option("--max-size", args.tree.largest, "Pass larger files; such as 512k, 4M")
        ->type_name("SIZE")
        ->transform(CLI::AsSizeValue(false).description(""))
        ->default_str("4M");
}

void add_how(CLI::App& command, arguments& args) {
    command.add_flag("--all", args.all, "Show also what is left alone, and why");
    auto* diff = command.add_flag("--diff", args.diff, "Print what --write would change");
    command.add_flag("--write", args.write, "Write the names, with a backup of each file")
        ->excludes(diff);
    command.add_flag("--yes,-y", args.yes, "Do it without asking");
    command.add_flag("--show-secrets", args.show_secrets, "Do not mask passwords in a diff");
    auto& least = *command
                       .add_option("--min-confidence", args.least,
                                   "Write only from this on: low, medium, high")
                       ->type_name("LEVEL")
                       ->capture_default_str();
    allow_only(least, {"low", "medium", "high"});
    auto& fail_on =
        *command
             .add_option("--fail-on", args.fail_on,
                         "Exit 3 for findings from this on: none, unknown, low, medium, high")
             ->type_name("LEVEL")
             ->capture_default_str();
    allow_only(fail_on, {"none", "unknown", "low", "medium", "high"});
}

}  // namespace

void add_scan_command(CLI::App& app, session& run) {
    auto& command = *app.add_subcommand("scan", "Find hardcoded addresses, and write names");
    auto const args = std::make_shared<arguments>();
    auto const said = options_of_environment();
    add_what(command, *args);
    add_how(command, *args);
    add_common_options(command, said);
    command.footer(footer);
    command.callback([args, said, &command, &run] {
        auto const how = run.understand(*said);
        if (!how) return;
        args->config_given = command.get_option("--config")->count() > 0;
        scanning(run, *how, *args).go();
    });
}

}  // namespace bevmesh::cli
