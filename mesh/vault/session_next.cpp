#include "mesh/vault/session_next.hpp"

namespace bevmesh::vault {
namespace {

bool file_is_new(session_state const& s) {
    return !s.files.secret_id.empty() && !(s.files.secret_id == s.refused) &&
           !(s.kept_refused && s.files.secret_id == s.kept.secret_id);
}

std::optional<session_request> next_login(session_state const& s) {
    session_request r;
    r.role_id = s.files.role_id;
    r.what = ask_for::login;
    if (!s.kept.secret_id.empty() && !s.kept_refused) {
        r.secret_id = s.kept.secret_id;
        return r;
    }
    if (file_is_new(s)) {
        r.secret_id = s.files.secret_id;
        return r;
    }
    if (!s.files.wrapping_token.empty() && !s.wrapped_refused) {
        r.what = s.wrapped_checked ? ask_for::unwrap : ask_for::wrapped_path;
        r.token = s.files.wrapping_token;
        return r;
    }
    return std::nullopt;
}

/// With a token that is good.
std::optional<session_request> next_care(session_state const& s, instant now) {
    session_request r;
    r.token = s.kept.token;
    r.secret_id = s.kept.secret_id;
    r.role_id = s.files.role_id;
    r.what = ask_for::renew;
    if (now >= s.renew_at) {
        if (s.log_in_next && !s.kept.secret_id.empty() && !s.kept_refused) r.what = ask_for::login;
        return r;
    }
    if (s.kept.secret_id.empty()) return std::nullopt;
    if (!s.kept.next.empty()) {
        // Not before it is kept: the old one is destroyed after.
        if (s.dirty) return std::nullopt;
        r.what = ask_for::login;
        r.secret_id = s.kept.next;
        return r;
    }
    if (!s.kept.retired.empty()) {
        if (s.dirty) return std::nullopt;
        r.what = ask_for::destroy_secret_id;
        r.secret_id = s.kept.retired;
        return r;
    }
    if (!s.secret_known) {
        r.what = ask_for::look_up_secret_id;
        return r;
    }
    if (now >= s.make_at && s.can_write && !s.dirty) {
        r.what = ask_for::make_secret_id;
        return r;
    }
    return std::nullopt;
}

}  // namespace

std::optional<session_request> next_request(session_state const& s, instant now) {
    session_request r;
    r.kept = s.kept;
    // One's own disk, whatever Vault does.
    if (s.dirty && now >= s.keep_retry_at) {
        r.what = ask_for::keep;
        return r;
    }
    if (now < s.retry_at) return std::nullopt;
    if (!s.files_read) return r;  // files
    if (s.kept.token.empty()) return next_login(s);
    if (!s.token_known) {
        r.what = ask_for::look_up;
        r.token = s.kept.token;
        return r;
    }
    return next_care(s, now);
}

}  // namespace bevmesh::vault
