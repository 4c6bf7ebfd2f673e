// The key `tls` of a service: its certificate's files, and how it is told that they are others.
#include <chrono>

#include "certs/recipes.hpp"
#include "config/object.hpp"
#include "config/schema.hpp"

namespace bevmesh::config {

type_of<service_tls_config> service_tls_entry() {
    using t = service_tls_config;
    using namespace std::chrono_literals;
    auto const example = "a certificate, such as {recipe: redis, folder: /etc/redis/tls}";
    auto entry = object<t>(
        example,
        {
            required("recipe", &t::recipe, one_of(certs::recipe_names()),
                     "How the service is told of new files: by its product's name, or signal (to a "
                     "process of the node), docker_signal, exec (on the node), docker_exec, http "
                     "(POST), "
                     "restart (of its container), none (it watches them itself)."),
            required("folder", &t::folder, text(formats::absolute_path),
                     "Where its files are on the node: current/cert.pem, key.pem, ca.pem and "
                     "combined.pem (key and chain), or without current/ in the other layouts."),
            key("seen_as", &t::seen_as, text(formats::absolute_path),
                "The folder as the service sees it. Without it: by the same path."),
            key("layout", &t::layout, one_of({"linked", "flat", "inplace"}),
                "linked: a link that moves, all files at once; flat: each file renamed into its "
                "place; inplace: overwritten, for single files that are bound into a container."),
            key("owner", &t::owner, optional(count(0, 4'294'967'294U)),
                "The numeric user that the files belong to. Without it: the daemon's."),
            key("group", &t::group, optional(count(0, 4'294'967'294U)),
                "The numeric group. Without it: the daemon's."),
            key("key_format", &t::key_format, one_of({"pkcs8", "traditional"}),
                "Of key.pem; traditional is for old programs."),
            key("pkcs12_password_file", &t::pkcs12_password_file, text(formats::absolute_path),
                "A file with a password, readable by the daemon alone: there is a keystore.p12 "
                "with it besides."),
            key("user", &t::user, text(formats::line_of_text),
                "redis, postgres: the user that tells it."),
            key("password_file", &t::password_file, text(formats::absolute_path),
                "A file with that user's password, readable by the daemon alone."),
            key("signal", &t::signal,
                one_of({"SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGTERM", "SIGQUIT"}),
                "For recipes signal and docker_signal, there to the container's first process."),
            key("pid_file", &t::pid_file, text(formats::absolute_path),
                "For recipe signal: a file with the number of a process of the node."),
            key("command", &t::command,
                list(text(formats::line_of_text),
                     "a command with its arguments, such as [nginx, -s, reload]"),
                "For recipes exec and docker_exec; never run through a shell."),
            key("path", &t::path, text(formats::url_path),
                "For recipe http: POST, by TLS, at the service's own address and port."),
            key("broker", &t::broker, text(formats::line_of_text), "kafka: the broker's number."),
            key("listener", &t::listener, text(formats::label),
                "kafka: the listener whose certificate it is, in lower case."),
            key("client_config", &t::client_config, text(formats::absolute_path),
                "kafka: --command-config of kafka-configs.sh, as the container sees it."),
            key("crl", &t::crl, optional(boolean()),
                "Whether it reads crl.pem beside ca.pem, the CRLs of the mesh's CAs, and so "
                "refuses who was revoked. Without it: recipes postgres and nginx do."),
            key("renew_at", &t::renew_at, count(10, 75),
                "In hundredths of its life: it is renewed at a point of its own from here to 15 "
                "later. What is left then is how long Vault may be away."),
            key("windows", &t::windows,
                list(text(formats::line_of_text), "a list of cron lines, such as [0 2 * * 6]"),
                "When it may be renewed, UTC; a nearing end does not wait. Without it: always."),
            key("window_length", &t::window_length, duration(1min, 24h),
                "How long a window stays open."),
        });
    return std::make_shared<unless_absent_type<t>>(std::move(entry));
}

}  // namespace bevmesh::config
