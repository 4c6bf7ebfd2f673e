#include "certs/renewal.hpp"

#include <algorithm>

#include "mesh/base/backoff.hpp"

namespace bevmesh::certs {
namespace {

std::string of_leaf(leaf const& l) {
    return "generation " + std::to_string(l.generation) + " (serial " + l.serial + ")";
}

weight weight_of(fault why) {
    return why == fault::refused || why == fault::wrong ? weight::alarm : weight::warning;
}

bool is_held(renewal_state const& s, wall_time now, renewal_policy const& policy) {
    return s.hold && s.hold->wanted == policy.wanted && now < s.hold->until;
}

weight weight_of(nearness n) {
    if (n >= nearness::last) return weight::alarm;
    return n == nearness::hard ? weight::warning : weight::information;
}

class machine {
public:
    machine(renewal_state state, moment now, renewal_policy const& policy, random_source& random)
        : s_(std::move(state)), now_(now), policy_(policy), random_(random) {}

    void take(renewal_event const& event) {
        shorten_hold();
        std::visit([this](auto const& e) { on(e); }, event);
        watch_the_end();
        go_on();
    }
    renewal_turn turn() && { return {std::move(s_), std::move(actions_), wake()}; }

private:
    void on(tick) {}

    void on(rotate) {
        // One that is under way is what is wanted; it is only not waited for any more.
        if (!s_.coming || brings_trust_alone()) s_.asked = true;
        s_.retry_at = {};
        s_.hold.reset();
    }

    void on(trust const& e) {
        s_.trusted = e.hash;
        if (!e.crl.empty()) s_.crl = e.crl;
    }

    /// Told again and again: whoever waits to try again goes on waiting.
    void on(revoked const& e) {
        if (!s_.proven || s_.proven->serial != e.serial || s_.asked) return;
        if (s_.coming && !brings_trust_alone()) return;
        s_.asked = true;
        say(weight::alarm, of_leaf(*s_.proven) + " was revoked: another one is asked for");
    }

    void on(succeeded const& e) {
        if (e.of != s_.doing) return;
        s_.doing = operation::none;
        if (s_.back) return went_back(e.of);
        switch (e.of) {
            case operation::none:
                break;
            case operation::check_target:
                s_.target_good = true;
                break;
            case operation::sign:
                s_.hold.reset();
                take_granted(e.granted);
                break;
            case operation::trust:
                take_granted(e.granted);
                break;
            case operation::write:
                s_.coming->at = stage::issued;
                // Not before: what is in memory alone is lost with the daemon.
                if (!brings_trust_alone()) s_.asked = false;
                break;
            case operation::swap:
                s_.coming->at = stage::installed;
                break;
            case operation::reload:
                s_.coming->at = stage::reloaded;
                s_.patient_until = now_.steady + policy_.patience;
                break;
            case operation::verify:
                take_proof();
                break;
        }
    }

    void take_granted(leaf granted) {
        granted.generation = ++s_.generation;
        granted.wanted = policy_.wanted;
        s_.trusted = granted.trusted;
        if (!granted.crl.empty()) s_.crl = granted.crl;
        s_.coming = coming_leaf{std::move(granted), stage::granted};
        s_.target_good = false;
        calm();
    }

    void take_proof() {
        say(weight::information, of_leaf(s_.coming->is) + " is shown by every address");
        unsigned const before = s_.proven ? s_.proven->generation : s_.coming->is.generation;
        if (s_.proven && !brings_trust_alone()) s_.previous = before;
        s_.proven = s_.coming->is;
        s_.coming.reset();
        s_.told = nearness::far;
        ++s_.counts.proven;
        actions_.emplace_back(forget_older{before, s_.previous});
        calm();
    }

    void calm() {
        s_.failures = 0;
        s_.retry_at = {};
        s_.patient_until.reset();
        s_.trouble.clear();
    }

    void on(failed const& e) {
        if (e.of != s_.doing) return;
        s_.doing = operation::none;
        if (e.of == operation::verify && s_.patient_until && now_.steady < *s_.patient_until) {
            s_.retry_at = now_.steady + policy_.look_again;
            return;
        }
        ++s_.counts.failures.at(static_cast<std::size_t>(e.of));
        if (s_.back) return failed_back(e);
        s_.trouble = std::string(name(e.of)) + ": " + e.text;
        say(weight_of(e.why), s_.trouble);
        s_.target_good = false;
        if (e.why == fault::wrong) hold_back();
        bool const in_use =
            e.of == operation::swap || e.of == operation::reload || e.of == operation::verify;
        if (in_use && can_go_back()) {
            say(weight::alarm, "going back to " + of_leaf(*s_.proven));
            s_.back = stage::issued;
            s_.retry_at = {};
            s_.patient_until.reset();
            return;
        }
        // The service has to be told again before it is looked at again.
        if (e.of == operation::verify) s_.coming->at = stage::installed;
        wait();
    }

    /// A clock that was set back makes it no longer than it was meant to be.
    void shorten_hold() {
        if (s_.hold)
            s_.hold->until = std::min(s_.hold->until, now_.wall + policy_.after_wrong_grant);
    }

    void hold_back() {
        s_.hold = grant_hold{now_.wall + policy_.after_wrong_grant, policy_.wanted};
        say(weight::alarm, "no other is asked for in " +
                               std::to_string(policy_.after_wrong_grant.count()) +
                               "s, unless somebody rotates it or the configuration wants another");
    }

    /// An ended certificate is no better than whatever the service shows now.
    [[nodiscard]] bool can_go_back() const { return s_.proven && now_.wall < s_.proven->not_after; }

    void went_back(operation done) {
        switch (done) {
            case operation::swap:
                s_.back = stage::installed;
                break;
            case operation::reload:
                s_.back = stage::reloaded;
                s_.patient_until = now_.steady + policy_.patience;
                break;
            case operation::verify:
                say(weight::warning, of_leaf(*s_.proven) + " is shown again");
                end_way_back();
                break;
            default:
                break;
        }
    }

    void failed_back(failed const& e) {
        say(weight::alarm,
            "back to " + of_leaf(*s_.proven) + ": " + std::string(name(e.of)) + ": " + e.text);
        // The files are what the service starts with: they go back before anything else.
        if (e.of == operation::swap) return wait();
        end_way_back();
    }

    void end_way_back() {
        s_.back.reset();
        s_.patient_until.reset();
        s_.coming->at = stage::issued;
        wait();
    }

    void wait() {
        auto longest = policy_.retry_max;
        if (auto const left = time_left())
            longest = std::clamp(*left / 20, policy_.retry_base, policy_.retry_max);
        backoff_policy const backoff{policy_.retry_base, longest};
        s_.retry_at = now_.steady + backoff_delay(backoff, s_.failures, random_);
        ++s_.failures;
    }

    [[nodiscard]] std::optional<milliseconds> time_left() const {
        if (!s_.proven) return std::nullopt;
        return std::max(milliseconds(0), milliseconds(s_.proven->not_after - now_.wall));
    }

    /// Louder the nearer it is; each step once.
    void watch_the_end() {
        if (!s_.proven) return;
        auto const near = how_near(*s_.proven, policy_.identity, now_.wall, policy_.life);
        if (near < nearness::hard || near <= s_.told) return;
        s_.told = near;
        say(weight_of(near), near == nearness::ended
                                 ? of_leaf(*s_.proven) + " has ended"
                                 : of_leaf(*s_.proven) + " ends in " +
                                       std::to_string((s_.proven->not_after - now_.wall).count()) +
                                       "s");
    }

    void go_on() {
        if (s_.doing != operation::none) return;
        drop_the_aged();
        if (now_.steady < s_.retry_at) return;
        if (s_.back) return begin(*s_.back, *s_.proven);
        if (lacks_crl()) return start(operation::trust, s_.coming->is);
        if (s_.coming) return begin(s_.coming->at, s_.coming->is);
        if (now_.wall < due_at(s_, now_.wall, policy_)) {
            if (wants_trust()) start(operation::trust, *s_.proven);
            return;
        }
        s_.hold.reset();
        start(s_.target_good ? operation::sign : operation::check_target, leaf{});
    }

    /// What was not proven for most of its life is not worth it any more. That is its age, not a
    /// failure: at most one request a life comes of it.
    void drop_the_aged() {
        if (!s_.coming || s_.back) return;
        if (is_overtaken()) return s_.coming.reset();
        bool const other = s_.coming->is.wanted != policy_.wanted;
        if (!other && now_.wall < hard_at(s_.coming->is, policy_.life)) return;
        if (other)
            say(weight::information, of_leaf(s_.coming->is) + " is no more what is wanted");
        else
            say(weight::alarm, of_leaf(s_.coming->is) + " grew old before it was proven");
        s_.coming.reset();
        s_.asked = true;
    }

    /// A bundle that waits to be tried again, while a certificate is due or another bundle wanted.
    [[nodiscard]] bool is_overtaken() const {
        if (!brings_trust_alone() || s_.coming->at > stage::issued) return false;
        return is_behind(s_.coming->is) || now_.wall >= due_at(s_, now_.wall, policy_);
    }

    /// A server that is set up to read CRLs does not start without them, and so would never show
    /// its first certificate.
    [[nodiscard]] bool lacks_crl() const {
        return s_.coming && !s_.proven && s_.coming->at >= stage::issued &&
               s_.coming->is.crl.empty() && !s_.crl.empty();
    }

    /// What is beside it is not what is wanted.
    [[nodiscard]] bool is_behind(leaf const& of) const {
        return (!s_.trusted.empty() && of.trusted != s_.trusted) ||
               (!s_.crl.empty() && of.crl != s_.crl);
    }

    [[nodiscard]] bool brings_trust_alone() const {
        return s_.coming && s_.proven && s_.coming->is.serial == s_.proven->serial;
    }

    [[nodiscard]] bool wants_trust() const { return s_.proven && is_behind(*s_.proven); }

    void begin(stage at, leaf const& on) {
        switch (at) {
            case stage::granted:
                return start(operation::write, on);
            case stage::issued:
                return start(operation::swap, on);
            case stage::installed:
                return start(operation::reload, on);
            case stage::reloaded:
                return start(operation::verify, on);
            case stage::verified:
                return;
        }
    }

    void start(operation what, leaf on) {
        // After a restart nobody remembers when the service was told.
        if (what == operation::verify && !s_.patient_until)
            s_.patient_until = now_.steady + policy_.patience;
        s_.doing = what;
        actions_.emplace_back(perform{what, std::move(on)});
    }

    void say(weight how, std::string text) {
        actions_.emplace_back(tell{how, policy_.identity + ": " + std::move(text)});
    }

    [[nodiscard]] instant wake() const {
        if (s_.doing == operation::none && s_.retry_at > now_.steady) return s_.retry_at;
        auto const due = due_at(s_, now_.wall, policy_) - now_.wall;
        auto const soon = std::clamp<nanoseconds>(due, policy_.look_again, policy_.tick);
        return now_.steady + soon;
    }

    renewal_state s_;
    moment now_;
    renewal_policy const& policy_;
    random_source& random_;
    std::vector<renewal_action> actions_;
};

}  // namespace

renewal_turn step(renewal_state state, renewal_event const& event, moment now,
                  renewal_policy const& policy, random_source& random) {
    machine made(std::move(state), now, policy, random);
    made.take(event);
    return std::move(made).turn();
}

wall_time due_at(renewal_state const& state, wall_time now, renewal_policy const& policy) {
    if (is_held(state, now, policy)) return state.hold->until;
    if (state.asked || !state.proven || state.proven->wanted != policy.wanted) return now;
    auto const from = std::max(now, renew_at(*state.proven, policy.identity, policy.life));
    auto const hard = hard_at(*state.proven, policy.life);
    if (from >= hard) return from;
    return next_open(policy.windows, from, hard).value_or(hard);
}

std::string_view name(stage s) noexcept {
    switch (s) {
        case stage::granted:
            return "granted";
        case stage::issued:
            return "issued";
        case stage::installed:
            return "installed";
        case stage::reloaded:
            return "reloaded";
        case stage::verified:
            return "verified";
    }
    return "unknown";
}

std::string_view name(operation o) noexcept {
    switch (o) {
        case operation::none:
            return "none";
        case operation::check_target:
            return "check_target";
        case operation::sign:
            return "sign";
        case operation::trust:
            return "trust";
        case operation::write:
            return "write";
        case operation::swap:
            return "swap";
        case operation::reload:
            return "reload";
        case operation::verify:
            return "verify";
    }
    return "unknown";
}

std::string to_string(renewal_action const& a) {
    if (auto const* p = std::get_if<perform>(&a)) {
        auto text = std::string(name(p->what));
        return p->on.generation == 0 ? text : text + " " + std::to_string(p->on.generation);
    }
    if (auto const* t = std::get_if<tell>(&a))
        return (t->how == weight::alarm     ? "alarm: "
                : t->how == weight::warning ? "warning: "
                                            : "tell: ") +
               t->text;
    auto const& forget = std::get<forget_older>(a);
    auto const text = "forget older than " + std::to_string(forget.than);
    return forget.but == 0 || forget.but >= forget.than
               ? text
               : text + " but " + std::to_string(forget.but);
}

}  // namespace bevmesh::certs
