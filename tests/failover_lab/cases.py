"""The faults, by name: what is done to the mesh, and what a user may rely on."""

import contextlib
import signal
import time

from harness import check, holds, until

from group import NAME, report

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


@contextlib.contextmanager
def clients(group):
    running = group.clients()
    try:
        yield running
    finally:
        running.stop()


def others(group, node):
    return next(n for n in group.members if n is not node)


def pid_of(node):
    return int(node.docker("inspect", "-f", "{{.State.Pid}}", "redis"))


def flowing(running, names, count=50):
    """Each of these clients has had so many writes acknowledged."""
    until(
        "the clients write",
        lambda: all(len(running.so_far(n).keys("ok")) >= count for n in names),
        20,
    )


def again(running, name, since, count=50):
    """The client's writes go through again."""
    until(
        f"{name} writes again",
        lambda: len(running.so_far(name).acknowledged_after(since)) >= count,
        30,
    )


def watch_for_two(group, seconds=0.0):
    """Two primaries at once are never seen; asked as often as it goes."""
    end = time.monotonic() + seconds
    while True:
        found = group.primaries()
        check(len(found) < 2, f"two primaries: {found}")
        if time.monotonic() > end:
            return


@case
def kill_primary(group):
    """The primary is killed with SIGKILL: the replica takes over, and what it had is kept."""
    old = group.mesh.thanos
    new = others(group, old)
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        at = time.monotonic()
        old.exec("kill", "-KILL", str(pid_of(old)))
        again(running, "dns", at + 0.05)
        watch_for_two(group, 1)
        seen = running.stop()
    check(group.primaries() == [new.name], f"{new} is the one primary: {group.primaries()}")
    lost = group.missing(new, seen["dns"].keys("ok") + seen["on_thanos"].keys("ok"))
    report("SIGKILL of the primary", {"dns": seen["dns"]}, lost)
    until("the old one is back, and follows", lambda: group.serving(new), 60)


@case
def switchover(group):
    """A planned move under load loses no acknowledged write."""
    old = group.mesh.thanos
    new = others(group, old)
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        at = time.monotonic()
        status, answer = group.order(old, "switchover", new.name)
        check(status == 200, f"switchover: {status} {answer}")
        again(running, "dns", at + 0.05)
        until(f"{new} serves", lambda: group.serving(new), 20)
        seen = running.stop()
    lost = group.missing(new, seen["dns"].keys("ok") + seen["on_thanos"].keys("ok"))
    report("switchover under load", {"dns": seen["dns"]}, lost)
    check(not lost, f"{len(lost)} acknowledged writes are lost")


@case
def daemon_killed(group):
    """The holder's daemon is killed and comes back at once: nothing moves, writes go on."""
    old = group.mesh.thanos
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        at = time.monotonic()
        old.kill("bevmesh", signal.SIGKILL)
        old.start("bevmesh")
        again(running, "dns", at + 1)
        until("the lease is held again", lambda: group.serving(old), 20)
        seen = running.stop()
    lost = group.missing(group.members[group.members.index(old)], seen["dns"].keys("ok"))
    report("daemon killed and started", seen, lost)


@case
def guard_killed(group):
    """The holder's guard is killed: another one takes over or the daemon fences; never two."""
    old = group.mesh.thanos
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        at = time.monotonic()
        group.guards[old.name].kill()
        group.guards[old.name].wait()
        group.start_guard(old)
        again(running, "dns", at + 1)
        watch_for_two(group, 2)
        seen = running.stop()
    report("guard killed and started", {"dns": seen["dns"]}, [])


@case
def consul_frozen(group):
    """All Consul servers frozen: nothing moves, and open connections write on."""
    old = group.mesh.thanos
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        for node in group.mesh.nodes:
            node.freeze("consul")
        try:
            at = time.monotonic()
            holds("thanos is primary", lambda: group.primaries() == [old.name], 10)
            again(running, "on_thanos", at + 10)
        finally:
            for node in group.mesh.nodes:
                node.thaw("consul")
        seen = running.stop()
    report("all Consul servers frozen for 10 s", {"on_thanos": seen["on_thanos"]}, [])
    until("all is well again", lambda: group.serving(old), 30)


@case
def link_down(group):
    """The primary's node is cut off: it stops taking writes, and the other takes over."""
    old = group.mesh.thanos
    new = others(group, old)
    group.make_primary(old)
    with clients(group) as running:
        flowing(running, ["on_thanos", "dns"])
        at = time.monotonic()
        group.mesh.unplug(old)
        try:
            again(running, "dns", at + 0.5)
            isolated = running.so_far("on_thanos").acknowledged_after(at)
            watch = running.so_far("dns").acknowledged_after(at)
        finally:
            group.mesh.heal()
        until(f"{new} serves, {old} follows", lambda: group.serving(new), 60)
        seen = running.stop()
    kept = group.missing(new, seen["dns"].keys("ok"))
    lost = group.missing(new, isolated)
    report(
        "link of the primary's node down", {"dns": seen["dns"]}, kept,
        f"; {len(isolated)} acknowledged on the isolated side, {len(lost)} of them lost"
        f"; {len(watch)} on the other",
    )


__all__ = ["CASES", "NAME"]
