// How a node stays logged in to Vault: what to ask next, decided. Pure.
//
// One request at a time. A token is renewed at half its lease, so that Vault may be away for the
// other half; one that is not known any more is replaced by a login. The secret ID that logs in is
// replaced by one of the node's own making at half its life: made, kept, seen to log in, and only
// then is the old one destroyed. What the machine cannot keep it does not ask for: no secret ID is
// made while the state cannot be written. A wrapped secret ID is taken only if it was wrapped where
// this role's are made; anything else is an alarm, and is left alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mesh/base/random.hpp"
#include "mesh/base/result.hpp"
#include "mesh/base/secret.hpp"
#include "mesh/base/time.hpp"

namespace bevmesh::vault {

struct session_policy {
    std::string role;          // for people
    std::string wrapped_path;  // "auth/approle/role/ROLE/secret-id"
    double spread = 0.5;       // of this node, in [0, 1]: moves the renewal by a tenth of the half
    milliseconds refused_wait{60'000};  // before the files are looked at again
};

/// What survives a restart; with it no administrator is needed.
struct session_kept {
    secret token;
    secret secret_id;
    secret next;     // made, not yet seen to log in
    secret retired;  // to be destroyed

    friend bool operator==(session_kept const&, session_kept const&) = default;
};

/// What an administrator gave the node.
struct session_files {
    std::string role_id;
    secret secret_id;       // empty: none
    secret wrapping_token;  // empty: none
};

enum class ask_for {
    files,
    look_up,
    renew,
    login,
    look_up_secret_id,
    make_secret_id,
    destroy_secret_id,
    wrapped_path,
    unwrap,
    keep,
};

struct session_request {
    ask_for what = ask_for::files;
    secret token;  // to ask with; of the wrapped ones: the wrapping token
    secret secret_id;
    std::string role_id;
    session_kept kept;
};

struct session_answer {
    std::optional<failure> failed;
    session_files files;
    secret granted;     // token or secret ID
    seconds lease{0};   // of a token or secret ID when it was made; 0: for ever
    seconds left{0};    // of what was looked up
    unsigned uses = 0;  // of a secret ID; 0: any number
    std::string path;
};

enum class say { information, warning, alarm };

struct session_action {
    enum class kind { ask, use_token, tell };
    kind what = kind::ask;
    session_request request;
    secret token;
    say level = say::information;
    std::string text;
};

struct session_state {
    session_kept kept;
    session_files files;
    bool files_read = false;
    bool dirty = false;        // kept is not what was written last
    bool can_write = false;    // the last writing went well
    bool token_known = false;  // Vault said so
    seconds lease{0};
    std::optional<instant> token_end;
    instant renew_at{};
    bool log_in_next = false;  // renewals do not extend any more
    bool secret_known = false;
    instant make_at = instant::max();
    std::optional<instant> secret_end;
    secret trying;   // the secret ID of the login under way
    secret refused;  // what the file had when it was refused
    bool kept_refused = false;
    bool wrapped_refused = false;
    bool wrapped_checked = false;
    std::optional<ask_for> waiting;
    unsigned failures = 0;
    instant retry_at{};
    unsigned keep_failures = 0;
    instant keep_retry_at{};
    std::string trouble;  // empty: all is well
};

struct session_event {
    enum class kind { tick, answered, token_refused };
    kind what = kind::tick;
    session_answer answer;
    secret token;  // that most servers do not know
    /// When the first of what only a login renews ends; empty: nothing does.
    std::optional<instant> needed_by = {};
};

struct session_turn {
    session_state state;
    std::vector<session_action> actions;
    instant wake{};  // when to tick again, if nothing happens before
};

[[nodiscard]] session_turn step(session_state state, session_event const& event, instant now,
                                session_policy const& policy, random_source& random);

/// For status: what `bevmesh` shows of it.
struct login_state {
    bool logged_in = false;
    std::optional<milliseconds> token_left;      // absent: for ever
    std::optional<milliseconds> secret_id_left;  // absent: for ever, or not known
    /// How long Vault may be away from now on without harm.
    std::optional<milliseconds> tolerated;
    std::string trouble;
};
[[nodiscard]] login_state status(session_state const& state, instant now);

}  // namespace bevmesh::vault
