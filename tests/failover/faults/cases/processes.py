"""bevmesh's own processes: daemon and guard, each alone and together, and whole nodes."""

import signal

from bevlab import faults, kernel

from group_mesh import GUARD
from harness import check, equal, fault, holds, until, until_equal
from load import Load
from redis_group import CONTAINER, GROUP
from writer import now


def _wait(seconds):
    start = now()
    until("time passes", lambda: now() - start > seconds * 1e9, seconds + 5)


@fault
def redis_daemon_sigkill(lab):
    """A daemon that is killed and started again moves nothing and stops nothing."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.restart(lab.group.primary(), number=signal.SIGKILL)
        load.stays(3)
        until("all is whole", lab.group.healthy, 10)


@fault
def redis_daemon_restart(lab):
    """A planned restart of the primary's daemon moves nothing and stops nothing."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.restart(lab.group.primary())
        load.stays(3)
        until("all is whole", lab.group.healthy, 10)


@fault
def redis_daemon_frozen_5s(lab):
    """A daemon that hangs past its lease: the guard kills the database in time, and another node
    takes over."""
    _frozen(lab, "bevmesh", 5)


def _frozen(lab, service, seconds):
    with Load(lab) as load:
        load.steady()
        old = lab.group.primary()
        old.freeze(service)
        _wait(seconds)
        old.thaw(service)
        load.steady()
        until("all is whole", lab.group.healthy, 30)


@fault
def long_redis_daemon_frozen_30s(lab):
    """As for 5 s: what it held is somebody else's since long when it goes on."""
    _frozen(lab, "bevmesh", 30)


@fault
def redis_guard_frozen_5s(lab):
    """A guard that hangs is no live guard: its daemon gives the lease up in time."""
    _frozen(lab, GUARD, 5)


@fault
def long_redis_guard_frozen_30s(lab):
    """As for 5 s."""
    _frozen(lab, GUARD, 30)


@fault
def redis_daemon_gone(lab):
    """A daemon that stays away: its database is killed by the guard before another is promoted."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        database = lab.group.process(old)
        old.kill("bevmesh", signal.SIGKILL)
        load.served_by(new)
        check(not kernel.alive(database), "the old primary's process still runs")
        old.start("bevmesh")
        until("all is whole", lab.group.healthy, 20)


@fault
def redis_replica_daemon_restart(lab):
    """The replica's daemon may come and go."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.restart(lab.group.replica(), number=signal.SIGKILL)
        load.stays(3)
        until("all is whole", lab.group.healthy, 10)


@fault
def redis_guard_sigkill(lab):
    """A guard that is killed and comes back costs nothing."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.restart(lab.group.primary(), GUARD, signal.SIGKILL)
        load.stays(3)
        until("all is whole", lab.group.healthy, 10)


@fault
def redis_guard_gone(lab):
    """Without a live guard no daemon holds a lease: the primary goes where there is one."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        old.kill(GUARD, signal.SIGKILL)
        load.served_by(new)
        old.start(GUARD)
        until("all is whole", lab.group.healthy, 20)


@fault
def redis_daemon_and_guard_sigkill(lab):
    """Both killed: what systemd does after them, ExecStopPost, fences the database; then another
    node takes over."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        database = lab.group.process(old)
        for service in ("bevmesh", GUARD):
            with lab.changing() as state:
                kernel.send(state["services"][f"{old.name}:{service}"][0], signal.SIGKILL)
        for service in ("bevmesh", GUARD):
            until(f"{service} is gone", lambda s=service: not old.is_running(s), 5)
        equal(old.cli("guard", "--fence")[0], 0, "bevmesh guard --fence")
        check(not kernel.alive(database), "the old primary's process still runs")
        load.served_by(new)
        old.start(GUARD)
        old.start("bevmesh")
        until("all is whole", lab.group.healthy, 20)


@fault
def redis_daemon_and_guard_frozen(lab):
    """Both frozen, a hole by name: the old database's own gate shuts before the new one takes a
    write."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        with lab.both_frozen(old):
            load.served_by(new)
            holds("the old one takes no write", lambda: not load.acked_since(
                now() - 200_000_000, old.name), 1)
        until("all is whole", lab.group.healthy, 25)


@fault
def redis_node_frozen_and_resumed(lab):
    """A whole node that stops and goes on, a hole by name: in the end there is one primary, and
    what its sockets had queued is counted as lost."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        with lab.changing() as state:
            faults.freeze(state, old.name, None)
            try:
                load.served_by(new)
            finally:
                faults.thaw(state, old.name, None)
        until("all is whole", lab.group.healthy, 40)


@fault
def redis_node_power_cut(lab):
    """A node whose power fails, and that boots again."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        load.leave(old)
        lab.crash(old)
        load.served_by(new)
        lab._make_run()
        until("all is whole", lab.group.healthy, 40)


@fault
def redis_replica_node_lost(lab):
    """The replica's node is gone: the primary goes on alone, after a moment."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lost = lab.group.replica()
        load.leave(lost)
        lab.crash(lost)
        load.steady()
        load.stays(4)
        lab._make_run()
        until("all is whole", lab.group.healthy, 40)


@fault
def redis_both_nodes_restart(lab):
    """Both databases and both daemons end together. Nobody can know who has every write, so nobody
    takes over: the status says why, and the operator's word brings the group back with what was on
    disk."""
    group = lab.group
    primary = group.primary()
    until("a write is taken", lambda: group.call(primary, "SET", "kept", "yes"))
    until("the replica has it", lambda: group.call(group.replica(), "GET", "kept") == "yes", 5)
    _wait(1.2)  # appendfsync everysec
    for node in group.members:
        node.kill("bevmesh", signal.SIGKILL)
    for node in group.members:
        node.docker("kill", CONTAINER)
    for node in group.members:
        node.start("bevmesh")
    until(
        "the daemon says that its database was started anew",
        lambda: "started anew" in group.view(primary)["told"],
        20,
    )
    check(group.serving() is None, "somebody serves")
    order = ("failover", "promote", GROUP, "--node", primary.name, "--accept-data-loss", "--yes")
    code, _, err = primary.cli(*order)
    equal((code, "LOST" in err), (0, True), "the command's end and its warning")
    until("all is whole", group.healthy, 30)
    equal(group.primary(), primary, "the primary")
    until_equal("what was on disk", lambda: group.call(primary, "GET", "kept"), "yes")
