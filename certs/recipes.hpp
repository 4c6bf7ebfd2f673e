// How each product is told that its certificate's files are others: a table of data.
//
// Pure. A product is a row; what a row needs of the configuration is in its words, so that there is
// no second list of it. Words in braces are filled in: {container}, {signal}, {command} (which may
// be several words), {path}, {pid_file}, {broker}, {listener}, {client_config}, {files} (the folder
// of the files as the service sees it), {address} (HOST:PORT of the service).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/greeting.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::certs {

enum class way {
    redis,     // CONFIG SET of all three files
    postgres,  // pg_reload_conf()
    signal,    // {pid_file, signal}: a process of the node
    kill,      // {container, signal}
    run,       // argv, on the node
    exec,      // {container, argv...}
    post,      // {path}, to the service's own address
    restart,   // {container}
    agent,     // Consul's, by its own API
};

struct recipe_call {
    way how = way::run;
    std::vector<std::string> words;

    friend bool operator==(recipe_call const&, recipe_call const&) = default;
};

/// Whether a product takes the CRLs of a file, and so looks whether its peers were revoked.
enum class crl_use {
    never,
    asked,  // where the configuration says that it does
    always,
};

struct recipe {
    std::string name;
    /// One after the other, up to the first that fails; empty: it watches its files itself, or
    /// reads them for every connection.
    std::vector<recipe_call> leaf;
    std::vector<recipe_call> bundle;
    /// So long it may show its old certificate after it was told.
    milliseconds patience{10'000};
    greeting first = greeting::none;
    /// Follows a link that moves: `linked` is a layout for it.
    bool follows_links = true;
    crl_use crls = crl_use::never;
};

/// In the order in which people are told of them.
[[nodiscard]] std::vector<recipe> const& recipes();
[[nodiscard]] std::vector<std::string> recipe_names();
/// Null: there is none of this name.
[[nodiscard]] recipe const* find_recipe(std::string_view name);

/// The words in braces, each once, in order.
[[nodiscard]] std::vector<std::string> needs_of(recipe const& of);
[[nodiscard]] bool restarts(recipe const& of);
/// `asked`: what the configuration says, if anything.
[[nodiscard]] bool reads_crl(recipe const& of, std::optional<bool> asked);

enum class change { pair, bundle };
/// A pair comes with its bundle: after the calls for it come those for the bundle that are others.
[[nodiscard]] std::vector<recipe_call> calls_for(recipe const& of, change what);

using recipe_words = std::map<std::string, std::vector<std::string>>;
/// A word alone in its braces becomes all its words, within another one the first.
[[nodiscard]] recipe_call fill_in(recipe_call call, recipe_words const& with);

}  // namespace bevmesh::certs
