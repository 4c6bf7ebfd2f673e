"""Moves by an operator, and faults on top of a takeover."""

import os
import signal

from harness import check, equal, fault, until
from load import Load
from redis_group import CONTAINER, GROUP

STEPS = ("taking", "ending streams", "arming", "promoting", "proving", "publishing")


@fault
def redis_switchover_under_load(lab):
    """A planned move, ordered on a node that is no member, loses nothing."""
    with Load(lab, allow_lost=False, moves=1) as load:
        load.steady()
        new = lab.group.replica()
        said = lab.group.move_by_command(new, by=lab.starlord)
        check("moves to" in said, f"the announcement: {said}")
        load.served_by(new)
        until("all is whole", lab.group.healthy, 20)


@fault
def redis_failback(lab):
    """And back to the preferred node, on the operator's word."""
    group = lab.group
    if group.primary() is lab.thanos:
        group.move(lab.oracle1)
        until("it is away from home", lambda: group.healthy() is lab.oracle1, 20)
    with Load(lab, allow_lost=False, moves=1) as load:
        load.steady()
        group.move_by_command(lab.thanos, by=lab.thanos)
        load.served_by(lab.thanos)
        until("all is whole", group.healthy, 20)


@fault
def redis_switchover_refused(lab):
    """A switchover to nobody, to the primary itself, or to one that is not in sync is refused with
    a sentence, and nothing moves."""
    group = lab.group
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        old, new = group.primary(), group.replica()
        for target, word in (("nobody", "member"), (old.name, "")):
            code, _, err = old.cli("failover", "switchover", GROUP, "--node", target, "--yes")
            check(code in (1, 5), f"a switchover to {target} ended with {code}: {err}")
            check(word in err, f"the sentence about {target}: {err}")
        code, _, err = old.cli("failover", "switchover", "no-such", "--node", new.name, "--yes")
        check(code != 0 and "no-such" in err, f"a group that is not there: {code} {err}")
        new.docker("kill", CONTAINER)
        until("the replica is out", lambda: not _in_sync(group, old, new), 15)
        load.stays(1)
        until("all is whole", group.healthy, 25)


def _move_to_frozen(group, old, new):
    """A switchover to a database that hangs, which is accepted only before its daemon has noticed:
    half a second, in which a busy machine does not always get here. Its process."""

    def accepted():
        pid = group.signal(new, signal.SIGSTOP)
        status, answer = group.order(old, "switchover", new.name)
        if status == 200:
            return pid
        os.kill(pid, signal.SIGCONT)
        until("the target is fit again", group.healthy, 20)
        raise OSError(str(answer))

    return until("the switchover is accepted", accepted, 20)


@fault
def redis_switchover_times_out(lab):
    """A target that does not catch up in time: the old primary goes on."""
    group = lab.group
    old, new = group.primary(), group.replica()
    with Load(lab, allow_lost=False) as load:
        load.steady()
        pid = _move_to_frozen(group, old, new)
        until("it has begun", lambda: group.view(old)["stage"] != "serving", 5)
        until("it is given up", lambda: group.view(old)["stage"] == "serving", 20)
        load.served_by(old)
        if group.pid(new) == pid:
            os.kill(pid, signal.SIGCONT)
        until("all is whole", group.healthy, 25)
        equal(group.primary(), old, "the primary")


@fault
def redis_switchover_target_dies(lab):
    """The target's node dies midway: one of the two serves in the end, never both or neither."""
    group = lab.group
    with Load(lab, allow_lost=False) as load:
        load.steady()
        new = group.replica()
        group.move(new)
        new.kill("bevmesh", signal.SIGKILL)
        new.docker("kill", CONTAINER, check=False)
        load.anybody_serves(30)
        new.start("bevmesh")
        until("all is whole", group.healthy, 30)


@fault
def redis_daemon_killed_while_draining(lab):
    """A daemon that dies while it has paused the writes for a switchover: the next one lets them
    through again at once, where they were."""
    group = lab.group
    old, new = group.primary(), group.replica()
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        pid = _move_to_frozen(group, old, new)
        until("it drains", lambda: group.view(old)["stage"] == "draining", 5)
        lab.restart(old, number=signal.SIGKILL)
        load.served_by(old, 15)
        if group.pid(new) == pid:
            os.kill(pid, signal.SIGCONT)
        until("all is whole", group.healthy, 25)


@fault
def redis_pause(lab):
    """While a group is paused nothing moves by itself; `resume` ends it."""
    group = lab.group
    old, new = group.primary(), group.replica()
    with Load(lab) as load:
        load.steady()
        equal(old.cli("failover", "pause", GROUP, "--for", "1m", "--yes")[0], 0, "pause")
        # The command waits for both for 2 s, and then says who has not confirmed it.
        until("both know", lambda: all(group.view(node)["paused_ms"] for node in (old, new)), 10)
        group.signal(old, signal.SIGKILL)
        until("nobody serves", lambda: not group.serving())
        load.stays_unmoved(2)
        check(not group.serving(), "somebody serves while it is paused")
        equal(old.cli("failover", "resume", GROUP, "--yes")[0], 0, "resume")
        load.anybody_serves(20)
        until("all is whole", group.healthy, 25)


@fault
def redis_second_fault_during_takeover(lab):
    """The one that takes over loses its daemon meanwhile."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        lab.group.signal(old, signal.SIGKILL)
        lab.restart(new, number=signal.SIGKILL)
        load.anybody_serves(25)
        until("all is whole", lab.group.healthy, 30)


def _crash_after(step):
    def test(lab):
        old, new = lab.group.primary(), lab.group.replica()
        new.kill("bevmesh", signal.SIGKILL)
        os.environ["BEVMESH_CRASH_AFTER"] = step
        try:
            new.start("bevmesh")
        finally:
            del os.environ["BEVMESH_CRASH_AFTER"]
        until("the candidate may take", lambda: lab.group.healthy() and lab.group.is_fit(new), 20)
        with Load(lab) as load:
            load.steady()
            lab.group.signal(old, signal.SIGKILL)

            def crashed():
                return not new.is_running("bevmesh") and new.ending("bevmesh")

            # The guard kills the database when no daemon is back in 3.3 s: one wait, not two.
            ending = until("the daemon has crashed there", crashed, 20)
            new.start("bevmesh")
            equal(ending, -signal.SIGKILL, "how it ended")
            load.anybody_serves(25)
            until("all is whole", lab.group.healthy, 30)

    name = step.replace(" ", "_")
    test.__name__ = f"redis_crash_after_{name}"
    test.__doc__ = f"A taker that crashes after '{step}': one primary in the end, never two."
    return test


for each in STEPS:
    fault(_crash_after(each))


def _in_sync(group, holder, node):
    members = group.view(holder)["members"]
    return next(member for member in members if member["node"] == node.name)["in_sync"]
