#include "mesh/daemon/service_reload.hpp"

#include <algorithm>
#include <optional>

#include "mesh/daemon/secret_line.hpp"

namespace bevmesh::daemon {

namespace asio = boost::asio;

namespace {

constexpr milliseconds call_limit{10'000};
constexpr milliseconds back_limit{60'000};
constexpr seconds stop_grace{10};

std::string folder_in(service_tls_config const& tls, std::string folder) {
    return tls.layout == "linked" ? folder + "/current" : folder;
}

std::string seen_folder(service_tls_config const& tls) {
    return folder_in(tls, tls.seen_as.empty() ? tls.folder : tls.seen_as);
}

certs::file_paths files_in(std::string const& folder) {
    return {folder + "/cert.pem", folder + "/key.pem", folder + "/ca.pem", folder + "/crl.pem"};
}

/// What the words of a recipe are on one instance.
certs::recipe_words words_for(service_tls_config const& tls, instance_config const& instance,
                              certs::wire_address const& at) {
    certs::recipe_words words{{"container", {instance.match.container}},
                              {"signal", {tls.signal}},
                              {"path", {tls.path}},
                              {"pid_file", {tls.pid_file}},
                              {"broker", {tls.broker}},
                              {"listener", {tls.listener}},
                              {"client_config", {tls.client_config}},
                              {"files", {seen_folder(tls)}},
                              {"address", {certs::to_string(at)}}};
    words["command"] = tls.command;
    std::erase_if(
        words, [](auto const& word) { return word.second.empty() || word.second.front().empty(); });
    return words;
}

certs::reload_call redis_reload(service_tls_config const& tls, certs::wire_address const& at,
                                secret const& password) {
    auto const ours = own_files(tls);
    redis::settings s;
    s.where.transport = net::endpoint::kind::tls;
    s.where.host = at.host;
    s.where.port = at.port;
    s.tls.ca_file = ours.trusted;
    s.tls.cert_file = ours.certificate;
    s.tls.key_file = ours.key;
    s.user = tls.user;
    s.password = password;
    auto const seen = files_seen(tls);
    return [s, seen](certs::dates how) { return certs::reload_redis(s, seen, how, call_limit); };
}

postgres::settings postgres_at(service_tls_config const& tls, certs::wire_address const& at,
                               secret const& password) {
    auto const ours = own_files(tls);
    postgres::settings s;
    s.host = at.host;
    s.port = at.port;
    s.user = tls.user.empty() ? "postgres" : tls.user;
    s.password = password;
    s.ssl_mode = "verify-full";
    s.ssl_root_cert = ours.trusted;
    // libpq asks for the mode of a key, not for its owner: who can read it may use it.
    s.ssl_cert = ours.certificate;
    s.ssl_key = ours.key;
    return s;
}

/// libpq looks at the dates always: where they cannot be looked at, the container is signaled.
certs::reload_call postgres_reload(service_tls_config const& tls, certs::wire_address const& at,
                                   secret const& password, docker::client& docker,
                                   std::string const& container) {
    auto const s = postgres_at(tls, at, password);
    return [s, &docker, container](certs::dates how) {
        if (how == certs::dates::ignored && !container.empty())
            return certs::signal_container(docker, container, "SIGHUP");
        return certs::reload_postgres(s, call_limit);
    };
}

/// By TLS: that is what the port speaks at which a certificate is looked for.
certs::reload_call http_reload(service_tls_config const& tls, certs::wire_address const& at,
                               std::string const& target) {
    auto const ours = own_files(tls);
    net::endpoint where;
    where.transport = net::endpoint::kind::tls;
    where.host = at.host;
    where.port = at.port;
    net::tls_options by;
    by.ca_file = ours.trusted;
    by.cert_file = ours.certificate;
    by.key_file = ours.key;
    return [where, by, target](certs::dates how) {
        return certs::post(where, by, target, how, call_limit);
    };
}

certs::restart_settings restart_of(reload_case const& of) {
    certs::restart_settings how;
    how.grace = stop_grace;
    how.limit = back_limit;
    how.may = of.may_restart;
    how.others = of.others;
    if (of.turn == nullptr) return how;
    how.take_turn = [turn = of.turn, name = of.service.name] { return turn->take(name); };
    how.give_turn_back = [turn = of.turn, name = of.service.name] { return turn->give_back(name); };
    return how;
}

/// `call` with its words filled in.
certs::reload_call make_call(reload_case const& of, instance_config const& instance,
                             certs::recipe_call const& call, secret const& password) {
    auto const& tls = of.service.tls;
    auto const at = shown_at(of.service, instance, of.address);
    auto const& words = call.words;
    auto rest = words.empty() ? words : std::vector(words.begin() + 1, words.end());
    auto& docker = of.docker;
    switch (call.how) {
        case certs::way::redis:
            return redis_reload(tls, at, password);
        case certs::way::postgres:
            return postgres_reload(tls, at, password, docker, instance.match.container);
        case certs::way::signal:
            return [file = words.at(0), signal = words.at(1)](certs::dates) {
                return certs::signal_process(file, signal);
            };
        case certs::way::kill:
            return [&docker, name = words.at(0), signal = words.at(1)](certs::dates) {
                return certs::signal_container(docker, name, signal);
            };
        case certs::way::run:
            return [words](certs::dates) { return certs::run_on_node(words, call_limit); };
        case certs::way::exec:
            return [&docker, name = words.at(0), rest](certs::dates) {
                return certs::run_in_container(docker, name, rest);
            };
        case certs::way::post:
            return http_reload(tls, at, words.at(0));
        case certs::way::restart: {
            auto how = restart_of(of);
            how.container = words.at(0);
            how.where = at;
            return [&docker, how](certs::dates) { return certs::restart_container(docker, how); };
        }
        case certs::way::agent:
            return of.reload_agent;
    }
    return {};
}

struct readiness {
    docker::client& docker;
    std::vector<std::string> containers;  // that must see a file that was renamed
    std::string folder;
    std::optional<certs::restart_settings> restart;  // absent: it is not restarted
};

asio::awaitable<result<void>> look_at(readiness of) {
    if (of.restart) {
        auto const allowed = co_await certs::may_restart(*of.restart);
        if (allowed.has_error()) co_return allowed.error();
    }
    for (auto const& name : of.containers) {
        auto const seen = co_await certs::check_binds(of.docker, name, of.folder);
        if (seen.has_error()) co_return seen.error();
    }
    co_return result<void>();
}

}  // namespace

certs::file_paths own_files(service_tls_config const& tls) {
    return files_in(folder_in(tls, tls.folder));
}

certs::file_paths files_seen(service_tls_config const& tls) {
    return files_in(seen_folder(tls));
}

std::vector<instance_config const*> instances_on(service_config const& service,
                                                 std::string const& node) {
    std::vector<instance_config const*> all;
    for (auto const& instance : service.instances)
        if (std::ranges::find(instance.nodes, node) != instance.nodes.end())
            all.push_back(&instance);
    return all;
}

certs::wire_address shown_at(service_config const& service, instance_config const& instance,
                             std::string const& address) {
    certs::wire_address at;
    at.host = instance.address.empty() ? address : instance.address;
    at.port = instance.port;
    if (auto const* const recipe = certs::find_recipe(service.tls.recipe)) at.first = recipe->first;
    return at;
}

std::function<asio::awaitable<result<void>>()> ready_of(reload_case const& of) {
    auto const& tls = of.service.tls;
    auto const* const recipe = certs::find_recipe(tls.recipe);
    readiness all{of.docker, {}, tls.folder, {}};
    if (tls.layout != "inplace")
        for (auto const* instance : instances_on(of.service, of.node))
            if (auto const& name = instance->match.container; !name.empty())
                all.containers.push_back(name);
    if (recipe != nullptr && certs::restarts(*recipe)) all.restart = restart_of(of);
    return [all] { return look_at(all); };
}

std::function<asio::awaitable<result<void>>()> crl_check_of(reload_case const& of) {
    auto const& tls = of.service.tls;
    auto const password = read_secret_line(tls.password_file, "the password");
    auto const file = files_seen(tls).crls;
    std::vector<certs::reload_call> each;
    for (auto const* instance : instances_on(of.service, of.node)) {
        if (tls.recipe == "postgres" && password) {
            auto const where =
                postgres_at(tls, shown_at(of.service, *instance, of.address), *password);
            each.push_back([where, file](certs::dates) {
                return certs::check_postgres_crl(where, file, call_limit);
            });
        } else if (tls.recipe == "nginx") {
            each.push_back(
                [&docker = of.docker, name = instance->match.container, file](certs::dates) {
                    return certs::check_nginx_crl(docker, name, file);
                });
        }
    }
    if (each.empty()) return {};
    return [each] { return certs::tell_all(each, certs::dates::checked); };
}

result<certs::reload_call> reload_of(reload_case const& of, certs::change what) {
    auto const& tls = of.service.tls;
    auto const* const recipe = certs::find_recipe(tls.recipe);
    if (recipe == nullptr) return failure{errc::bad_input, "there is no recipe " + tls.recipe};
    auto const password = read_secret_line(tls.password_file, "the password");
    if (!password) return password.error();
    std::vector<certs::reload_call> instances;
    for (auto const* instance : instances_on(of.service, of.node)) {
        auto const at = shown_at(of.service, *instance, of.address);
        auto const words = words_for(tls, *instance, at);
        for (auto const& need : certs::needs_of(*recipe))
            if (!words.contains(need))
                return failure{errc::bad_input, "recipe " + tls.recipe + " needs " + need};
        std::vector<certs::reload_call> calls;
        for (auto const& each : certs::calls_for(*recipe, what))
            calls.push_back(make_call(of, *instance, certs::fill_in(each, words), *password));
        instances.push_back([calls](certs::dates how) { return certs::tell_in_turn(calls, how); });
    }
    if (certs::restarts(*recipe))
        return certs::reload_call(
            [instances](certs::dates how) { return certs::tell_in_turn(instances, how); });
    return certs::reload_call(
        [instances](certs::dates how) { return certs::tell_all(instances, how); });
}

}  // namespace bevmesh::daemon
