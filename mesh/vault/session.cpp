// The turn of a session: what an answer changes, what is said, when to look again.
#include "mesh/vault/session.hpp"

#include <algorithm>

#include "mesh/base/backoff.hpp"
#include "mesh/vault/session_next.hpp"

namespace bevmesh::vault {
namespace {

constexpr seconds longest_wait{300};
constexpr seconds policy_wait{3'600};  // before what a policy forbids is tried again

bool may_pass(failure const& f) {
    return f.code != errc::bad_input && f.code != errc::forbidden && f.code != errc::not_found &&
           f.code != errc::local_error;
}

nanoseconds part_of(seconds whole, double share) {
    return nanoseconds(static_cast<std::int64_t>(
        share * static_cast<double>(std::chrono::duration_cast<nanoseconds>(whole).count())));
}

class turn {
public:
    turn(session_state& s, instant now, std::optional<instant> needed_by,
         session_policy const& policy, random_source& random, std::vector<session_action>& actions)
        : s_(s),
          now_(now),
          needed_by_(needed_by),
          policy_(policy),
          random_(random),
          actions_(actions) {}

    void refused_token(secret const& token) {
        if (token == s_.kept.token) s_.token_known = false;
    }
    void answered(session_answer const& a);
    void go_on();
    [[nodiscard]] instant wake() const;

private:
    void fail(ask_for what, failure const& why);
    void refuse(ask_for what, failure const& why);
    void take_token(secret token, seconds lease, seconds left, bool renewed);
    void take_login(session_answer const& a);
    void take_secret(seconds lease, seconds left);
    void drop_token();
    void later(failure const& why);
    void trouble(say level, std::string text);
    void well();
    void tell(say level, std::string text);
    void ask(session_request request);
    [[nodiscard]] double half() const { return 0.45 + 0.1 * policy_.spread; }

    session_state& s_;
    instant now_;
    std::optional<instant> needed_by_;
    session_policy const& policy_;
    random_source& random_;
    std::vector<session_action>& actions_;
};

void turn::tell(say level, std::string text) {
    session_action a;
    a.what = session_action::kind::tell;
    a.level = level;
    a.text = std::move(text);
    actions_.push_back(std::move(a));
}

void turn::trouble(say level, std::string text) {
    // Once, and again when it is another.
    if (text != s_.trouble) tell(level, text);
    s_.trouble = std::move(text);
}

void turn::well() {
    s_.failures = 0;
    s_.retry_at = now_;
    if (s_.trouble.empty()) return;
    s_.trouble.clear();
    tell(say::information, "Vault: all is well again");
}

void turn::ask(session_request request) {
    s_.waiting = request.what;
    if (request.what == ask_for::login) s_.trying = request.secret_id;
    session_action a;
    a.what = session_action::kind::ask;
    a.request = std::move(request);
    actions_.push_back(std::move(a));
}

void turn::drop_token() {
    s_.kept.token = secret();
    s_.token_known = false;
    s_.token_end.reset();
    s_.log_in_next = false;
    s_.dirty = true;
    session_action a;
    a.what = session_action::kind::use_token;
    actions_.push_back(std::move(a));
}

void turn::take_token(secret token, seconds lease, seconds left, bool renewed) {
    bool const same = s_.kept.token == token;
    // A renewal that gives less than half: the token nears its greatest age.
    s_.log_in_next = renewed && s_.lease.count() > 0 && left * 2 < s_.lease;
    s_.lease = std::max(lease, left);
    s_.token_known = true;
    s_.token_end.reset();
    s_.renew_at = instant::max();
    if (left.count() > 0) {
        s_.token_end = now_ + left;
        // Of the whole lease: after a restart late in it the renewal is due.
        s_.renew_at = *s_.token_end - part_of(s_.lease, 1.0 - half());
        if (renewed) s_.renew_at = now_ + part_of(left, half());
    }
    if (!same) s_.dirty = true;
    s_.kept.token = token;
    session_action a;
    a.what = session_action::kind::use_token;
    a.token = std::move(token);
    actions_.push_back(std::move(a));
}

void turn::take_secret(seconds lease, seconds left) {
    s_.secret_known = true;
    s_.secret_end.reset();
    s_.make_at = instant::max();
    if (left.count() <= 0) return;
    s_.secret_end = now_ + left;
    s_.make_at = *s_.secret_end - part_of(std::max(lease, left), 1.0 - half());
}

void turn::take_login(session_answer const& a) {
    if (s_.trying == s_.kept.next && !s_.kept.next.empty()) {
        s_.kept.retired = s_.kept.secret_id;
        s_.kept.secret_id = std::move(s_.kept.next);
        s_.kept.next = secret();
        s_.secret_known = false;
        s_.dirty = true;
        tell(say::information, "Vault: the node's next secret ID logs in");
    } else if (!(s_.trying == s_.kept.secret_id)) {
        s_.kept.secret_id = s_.trying;
        s_.secret_known = false;
        s_.dirty = true;
    }
    s_.kept_refused = false;
    take_token(a.granted, a.lease, a.lease, false);
    s_.renew_at = a.lease.count() > 0 ? now_ + part_of(a.lease, half()) : instant::max();
}

void turn::later(failure const& why) {
    auto cap = milliseconds(longest_wait);
    auto const hurry = [&](instant end) {
        auto const left = std::chrono::ceil<milliseconds>((end - now_) / 20);
        cap = std::clamp(left, milliseconds(1'000), cap);
    };
    if (s_.token_end && *s_.token_end > now_) hurry(*s_.token_end);
    if (needed_by_ && !s_.token_known) hurry(*needed_by_);
    s_.retry_at = now_ + backoff_delay({milliseconds(1'000), cap}, s_.failures++, random_);
    trouble(say::warning, "Vault: " + why.doing);
}

/// What is refused by somebody, not by circumstances.
void turn::refuse(ask_for what, failure const& why) {
    switch (what) {
        case ask_for::look_up:
        case ask_for::renew:
            tell(say::warning, "Vault does not know the token any more; logging in: " + why.doing);
            return drop_token();
        case ask_for::login:
            if (!s_.kept.next.empty() && s_.trying == s_.kept.next) {
                s_.kept.next = secret();
                s_.dirty = true;
                s_.make_at = now_ + policy_wait;
                return trouble(say::warning,
                               "Vault: the secret ID that was just made does not log "
                               "in; the old one stays: " +
                                   why.doing);
            }
            if (s_.trying == s_.kept.secret_id) s_.kept_refused = true;
            if (s_.trying == s_.files.secret_id) s_.refused = s_.trying;
            return trouble(say::alarm,
                           "Vault refuses the login as " + policy_.role +
                               ": its secret ID was used up, revoked, or has expired, or is not "
                               "for this address; `bevmesh vault bootstrap --renew NODE` gives "
                               "another: " +
                               why.doing);
        case ask_for::wrapped_path:
        case ask_for::unwrap:
            s_.wrapped_refused = true;
            return trouble(say::alarm,
                           "SECURITY: the wrapped secret ID was unwrapped by somebody else, or "
                           "has expired; if no one here did, revoke the secret IDs of " +
                               policy_.role + ": " + why.doing);
        case ask_for::look_up_secret_id:
            s_.secret_known = true;
            s_.make_at = why.code == errc::not_found ? now_ : now_ + policy_wait;
            if (why.code == errc::not_found) return;
            return trouble(say::warning, "Vault: " + why.doing);
        case ask_for::make_secret_id:
            s_.make_at = now_ + policy_wait;
            return trouble(say::warning, "Vault: no further secret ID: " + why.doing);
        case ask_for::destroy_secret_id:
            s_.kept.retired = secret();
            s_.dirty = true;
            return tell(say::warning, "Vault: the old secret ID stays until it ends: " + why.doing);
        case ask_for::files:
        case ask_for::keep:
            return;
    }
}

void turn::fail(ask_for what, failure const& why) {
    if (what == ask_for::keep) {
        s_.can_write = false;
        auto const wait =
            backoff_delay({milliseconds(1'000), longest_wait}, s_.keep_failures++, random_);
        s_.keep_retry_at = now_ + wait;
        return trouble(say::alarm, why.doing);
    }
    if (what == ask_for::files) {
        s_.retry_at = now_ + policy_.refused_wait;
        return trouble(say::alarm, why.doing);
    }
    if (may_pass(why) || why.code == errc::local_error) return later(why);
    refuse(what, why);
}

void turn::answered(session_answer const& a) {
    if (!s_.waiting) return;
    auto const what = *s_.waiting;
    s_.waiting.reset();
    if (a.failed) return fail(what, *a.failed);
    switch (what) {
        case ask_for::files:
            if (!(a.files.wrapping_token == s_.files.wrapping_token)) {
                s_.wrapped_refused = false;
                s_.wrapped_checked = false;
            }
            s_.files = a.files;
            s_.files_read = true;
            return;
        case ask_for::keep:
            s_.can_write = true;
            s_.dirty = false;
            s_.keep_failures = 0;
            return;
        case ask_for::look_up:
            take_token(s_.kept.token, a.lease, a.left, false);
            break;
        case ask_for::renew:
            take_token(s_.kept.token, a.lease, a.lease, true);
            break;
        case ask_for::login:
            take_login(a);
            break;
        case ask_for::look_up_secret_id:
            take_secret(a.lease, a.left);
            // One that has a single use left was good for the login that is past.
            if (a.uses > 0) s_.make_at = now_;
            break;
        case ask_for::make_secret_id:
            s_.kept.next = a.granted;
            s_.make_at = instant::max();
            s_.dirty = true;
            break;
        case ask_for::destroy_secret_id:
            s_.kept.retired = secret();
            s_.dirty = true;
            break;
        case ask_for::wrapped_path:
            if (a.path != policy_.wrapped_path) {
                s_.wrapped_refused = true;
                return trouble(say::alarm, "SECURITY: the wrapped secret ID was made at " + a.path +
                                               ", expected " + policy_.wrapped_path +
                                               "; it is not unwrapped: somebody put it in place "
                                               "of the real one");
            }
            s_.wrapped_checked = true;
            break;
        case ask_for::unwrap:
            s_.kept.secret_id = a.granted;
            s_.kept_refused = false;
            s_.wrapped_refused = true;  // it is of use once
            s_.secret_known = false;
            s_.dirty = true;
            break;
    }
    well();
}

void turn::go_on() {
    if (s_.waiting) return;
    if (s_.token_end && now_ >= *s_.token_end) drop_token();
    if (auto request = next_request(s_, now_)) return ask(std::move(*request));
    // Nobody can log in until somebody changes a file.
    if (s_.kept.token.empty() && s_.files_read && now_ >= s_.retry_at) {
        if (s_.trouble.empty())
            trouble(say::alarm, "Vault: there is no secret ID to log in with as " + policy_.role);
        s_.files_read = false;
        s_.kept_refused = false;
        s_.refused = secret();
        s_.retry_at = now_ + policy_.refused_wait;
    }
    // The state is tried before a secret ID is made: whether it can be written is known then.
    bool const makes_soon = s_.token_known && s_.secret_known && now_ >= s_.make_at;
    if (makes_soon && !s_.can_write && !s_.dirty) {
        s_.dirty = true;
        go_on();
    }
}

instant turn::wake() const {
    if (s_.waiting) return instant::max();
    auto at = instant::max();
    auto const sooner = [&](instant when) {
        if (when > now_) at = std::min(at, when);
    };
    sooner(s_.retry_at);
    if (s_.dirty) sooner(s_.keep_retry_at);
    if (s_.token_known) sooner(s_.renew_at);
    if (s_.token_end) sooner(*s_.token_end);
    if (s_.token_known && s_.secret_known) sooner(s_.make_at);
    return at;
}

}  // namespace

session_turn step(session_state state, session_event const& event, instant now,
                  session_policy const& policy, random_source& random) {
    session_turn out;
    turn t(state, now, event.needed_by, policy, random, out.actions);
    if (event.what == session_event::kind::answered) t.answered(event.answer);
    if (event.what == session_event::kind::token_refused) t.refused_token(event.token);
    t.go_on();
    out.wake = t.wake();
    out.state = std::move(state);
    return out;
}

login_state status(session_state const& state, instant now) {
    login_state out;
    out.logged_in = state.token_known;
    out.trouble = state.trouble;
    auto const left = [now](instant end) {
        return std::max(milliseconds(0), std::chrono::floor<milliseconds>(end - now));
    };
    if (state.token_known && state.token_end) out.token_left = left(*state.token_end);
    if (state.secret_end) out.secret_id_left = left(*state.secret_end);
    out.tolerated = out.token_left;
    return out;
}

}  // namespace bevmesh::vault
