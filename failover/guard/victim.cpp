#include "failover/guard/victim.hpp"

namespace bevmesh::failover::guard {

verdict victim::open(victim_id const& who, descriptor pidfd, pid_t self, pid_t peer) {
    close();
    if (who.pid == 1 || who.pid == self || who.pid == peer) return verdict::forbidden_victim;
    pidfd_ = pidfd ? std::move(pidfd) : open_process(who.pid);
    auto const said = check(who, self, peer);
    if (said != verdict::done) close();
    return said;
}

verdict victim::check(victim_id const& who, pid_t self, pid_t peer) noexcept {
    if (!pidfd_ || who.pid <= 0 || pid_of(pidfd_.get()) != who.pid) return verdict::no_such_process;
    // /proc is read while the pidfd is held: if the process still lives afterwards, what was read
    // was about it.
    auto const started = start_ticks(who.pid);
    bool const init = is_namespace_init(who.pid);
    freezer_ = open_freezer(who.pid);
    if (!started || *started != who.start_ticks) return verdict::no_such_process;
    if (get_text(who.cgroup).empty()) {
        if (!init && who.alone == 0) return verdict::not_whole;
    } else {
        if (!group_.open(who.cgroup.data()) || !group_.contains(who.pid))
            return verdict::no_such_cgroup;
        for (auto const spared : {pid_t{1}, self, peer})
            if (group_.contains(spared)) return verdict::forbidden_victim;
    }
    return has_ended(pidfd_.get()) ? verdict::no_such_process : verdict::done;
}

bool victim::open_rest(victim_id const& who, pid_t self) {
    close();
    if (get_text(who.cgroup).empty() || !group_.open(who.cgroup.data())) return false;
    if (!group_.empty() && !group_.contains(self) && !group_.contains(1)) return true;
    close();
    return false;
}

void victim::close() noexcept {
    pidfd_.reset();
    group_.close();
    freezer_.reset();
}

void victim::strike() noexcept {
    if (group_) group_.strike();
    if (pidfd_) kill_process(pidfd_.get());
    if (freezer_) thaw(freezer_.get());
}

bool victim::gone() const noexcept {
    return main_process_ended() && (!group_ || group_.empty());
}

bool victim::main_process_ended() const noexcept {
    return !pidfd_ || has_ended(pidfd_.get());
}

}  // namespace bevmesh::failover::guard
