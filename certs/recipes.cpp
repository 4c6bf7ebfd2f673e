#include "certs/recipes.hpp"

#include <algorithm>

namespace bevmesh::certs {
namespace {

using calls = std::vector<recipe_call>;

recipe row(std::string name, calls leaf, calls bundle, int patience) {
    recipe r;
    r.name = std::move(name);
    r.leaf = std::move(leaf);
    r.bundle = std::move(bundle);
    r.patience = seconds(patience);
    return r;
}

recipe same(std::string name, calls both, int patience) {
    auto also = both;
    return row(std::move(name), std::move(both), std::move(also), patience);
}

/// A broker reads a file of the same name again when its setting is given again.
recipe_call kafka(std::string const& setting, std::string const& file) {
    return {
        way::exec,
        {"{container}", "kafka-configs.sh", "--bootstrap-server", "{address}", "--command-config",
         "{client_config}", "--entity-type", "brokers", "--entity-name", "{broker}", "--alter",
         "--add-config", "listener.name.{listener}." + setting + "={files}/" + file}};
}

std::vector<recipe> make() {
    recipe_call const hangup{way::kill, {"{container}", "SIGHUP"}};
    recipe_call const restart{way::restart, {"{container}"}};
    std::vector<recipe> all;
    all.push_back(same("redis", {{way::redis, {}}}, 10));
    all.push_back(same("postgres", {{way::postgres, {}}}, 10));
    all.back().first = greeting::postgres;
    all.back().crls = crl_use::always;
    // Erlang reads its files anew only after its cache was cleared, or two minutes.
    all.push_back(
        same("rabbitmq",
             {{way::exec, {"{container}", "rabbitmqctl", "eval", "ssl:clear_pem_cache()."}}}, 15));
    all.push_back(row("kafka", {kafka("ssl.keystore.location", "combined.pem")},
                      {kafka("ssl.truststore.location", "ca.pem")}, 20));
    // Looks at its files every 5 s; its security manager follows no link out of its folder.
    all.push_back(same("elasticsearch", {}, 30));
    all.back().follows_links = false;
    // The Community edition cannot reload. Enterprise: docker_exec with a script of its own.
    all.push_back(same("neo4j", {restart}, 120));
    all.push_back(same("influxdb", {restart}, 60));  // 2.x
    all.push_back(same("influxdb1", {hangup}, 15));  // from 1.12 on
    // What cannot be read is found before the workers are told.
    all.push_back(same("nginx", {{way::exec, {"{container}", "nginx", "-t"}}, hangup}, 10));
    all.back().crls = crl_use::always;
    all.push_back(same("prometheus", {}, 10));  // read for every connection
    all.push_back(same("alertmanager", {hangup}, 10));
    all.push_back(same("grafana", {}, 30));  // with certs_watch_interval, which is off as shipped
    // With client.certReload and sslQuorumReloadCertFiles: it watches the directory.
    all.push_back(same("zookeeper", {}, 60));
    all.back().follows_links = false;
    // Answers when it has read its files, or why it keeps what it has.
    all.push_back(same("consul", {{way::agent, {}}}, 10));
    auto const products = all.size();
    all.push_back(same("signal", {{way::signal, {"{pid_file}", "{signal}"}}}, 10));
    all.push_back(same("docker_signal", {{way::kill, {"{container}", "{signal}"}}}, 10));
    all.push_back(same("exec", {{way::run, {"{command}"}}}, 10));
    all.push_back(same("docker_exec", {{way::exec, {"{container}", "{command}"}}}, 10));
    all.push_back(same("http", {{way::post, {"{path}"}}}, 10));
    all.push_back(same("restart", {restart}, 60));
    all.push_back(same("none", {}, 60));
    for (auto i = products; i < all.size(); ++i)
        all[i].crls = crl_use::asked;
    return all;
}

/// Calls `take` with each name in braces of a word: where it begins, and its length with braces.
template <class Take>
void each_name(std::string const& word, Take take) {
    for (std::size_t at = word.find('{'); at != std::string::npos; at = word.find('{', at + 1)) {
        auto const end = word.find('}', at);
        if (end == std::string::npos) return;
        take(word.substr(at + 1, end - at - 1), at, end - at + 1);
    }
}

}  // namespace

std::vector<recipe> const& recipes() {
    static auto const all = make();
    return all;
}

std::vector<std::string> recipe_names() {
    std::vector<std::string> names;
    for (auto const& each : recipes())
        names.push_back(each.name);
    return names;
}

recipe const* find_recipe(std::string_view name) {
    for (auto const& each : recipes())
        if (each.name == name) return &each;
    return nullptr;
}

std::vector<std::string> needs_of(recipe const& of) {
    std::vector<std::string> found;
    for (auto const& call : calls_for(of, change::pair))
        for (auto const& word : call.words)
            each_name(word, [&found](std::string const& name, std::size_t, std::size_t) {
                if (std::ranges::find(found, name) == found.end()) found.push_back(name);
            });
    return found;
}

bool restarts(recipe const& of) {
    return std::ranges::any_of(of.leaf, [](recipe_call const& c) { return c.how == way::restart; });
}

bool reads_crl(recipe const& of, std::optional<bool> asked) {
    if (of.crls == crl_use::never) return false;
    return asked.value_or(of.crls == crl_use::always);
}

std::vector<recipe_call> calls_for(recipe const& of, change what) {
    if (what == change::bundle) return of.bundle;
    auto all = of.leaf;
    for (auto const& each : of.bundle)
        if (std::ranges::find(of.leaf, each) == of.leaf.end()) all.push_back(each);
    return all;
}

recipe_call fill_in(recipe_call call, recipe_words const& with) {
    std::vector<std::string> filled;
    for (auto const& word : call.words) {
        auto made = word;
        std::vector<std::string> whole;
        std::size_t grown = 0;  // what came before made the word so much longer (or shorter)
        each_name(word, [&](std::string const& name, std::size_t at, std::size_t size) {
            auto const found = with.find(name);
            if (found == with.end() || found->second.empty()) return;
            if (size == word.size()) whole = found->second;
            made.replace(at + grown, size, found->second.front());
            grown += found->second.front().size() - size;
        });
        if (whole.empty()) whole = {made};
        filled.insert(filled.end(), whole.begin(), whole.end());
    }
    call.words = std::move(filled);
    return call;
}

}  // namespace bevmesh::certs
