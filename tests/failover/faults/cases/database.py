"""The database itself: killed, stopped, frozen, without disk, reborn, with writes of its own."""

import contextlib
import os
import signal

from harness import check, equal, fault, until, until_equal
from load import Load
from redis_group import CONTAINER, GROUP
from writer import now


def _dies(lab, number):
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        lab.group.signal(old, number)
        load.served_by(new)
        until("the old one is back as a replica in sync", lab.group.healthy, 20)
        equal(lab.group.primary(), new, "the primary")


@fault
def redis_primary_sigkill(lab):
    """A primary that is killed is replaced at once, and comes back as a replica."""
    _dies(lab, signal.SIGKILL)


@fault
def redis_primary_sigterm(lab):
    """A primary that somebody stops is replaced at once as well."""
    _dies(lab, signal.SIGTERM)


@fault
def redis_primary_docker_stop(lab):
    """`docker stop` of the primary's container moves it."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        old.docker("stop", "-t", "1", CONTAINER)
        load.served_by(new)
        until("both are whole again", lab.group.healthy, 20)


@fault
def redis_primary_frozen_5s(lab):
    """A primary that hangs is killed before another is promoted: nothing of what its sockets had
    queued is acknowledged later."""
    _frozen(lab, 5)


@fault
def long_redis_primary_frozen_30s(lab):
    """As for 5 s."""
    _frozen(lab, 30)


def _frozen(lab, seconds):
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        pid = lab.group.signal(old, signal.SIGSTOP)
        thaw_at = now() + seconds * 1_000_000_000
        load.served_by(new)
        until(f"{seconds} s are over", lambda: now() > thaw_at, seconds + 1)
        check(lab.group.pid(old) != pid, "the frozen process still runs")
        until("the old one is a replica", lab.group.healthy, 20)


@fault
def redis_primary_paused_1s(lab):
    """A primary that hangs for a second stays the primary."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        pid = lab.group.signal(lab.group.primary(), signal.SIGSTOP)
        start = now()
        until("a second is over", lambda: now() - start > 1_000_000_000, 2)
        os.kill(pid, signal.SIGCONT)
        load.steady()
        load.stays(2)


@fault
def redis_replica_sigkill(lab):
    """A replica that dies costs the primary nothing but a moment."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.group.signal(lab.group.replica(), signal.SIGKILL)
        load.stays(3)
        until("the replica is in sync again", lab.group.healthy, 20)


@fault
def redis_replica_frozen(lab):
    """A replica that hangs does not stop the primary for good."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        pid = lab.group.signal(lab.group.replica(), signal.SIGSTOP)
        load.stays(6)
        if lab.group.pid(lab.group.replica()) == pid:
            lab.group.signal(lab.group.replica(), signal.SIGCONT)
        until("the replica is in sync again", lab.group.healthy, 20)


@fault
def redis_disk_full(lab):
    """A primary whose disk is full can acknowledge no write: the primary moves to where there is
    room."""
    group = lab.group
    old, new = group.primary(), group.replica()
    # A disk of its own under the replica, which then becomes the primary.
    group.small_disk(new, "24m")
    until("the replica on the small disk is in sync", group.healthy, 30)
    group.move(new)
    until("the small disk has the primary", lambda: group.healthy() is new, 20)
    with Load(lab) as load:
        load.steady()
        new.exec("sh", "-c", "cat /dev/zero > /var/lib/redis/filler")
        load.served_by(old, 20)
        new.exec("rm", "-f", "/var/lib/redis/filler")


@fault
def redis_primary_reborn_empty(lab):
    """A primary that comes back without its data in no time does not wipe its replica."""
    group = lab.group
    with Load(lab) as load:
        load.steady()
        old, new = group.primary(), group.replica()
        until("the primary takes it", lambda: group.call(old, "SET", "kept", "yes"))
        until("the replica has it", lambda: group.call(new, "GET", "kept") == "yes", 5)
        old.docker("kill", CONTAINER)
        old.exec("sh", "-c", "rm -rf /var/lib/redis/*")
        old.docker("start", CONTAINER, check=False)
        load.served_by(new)
        until("both are whole", group.healthy, 30)
        equal(group.primary(), new, "the primary")
        for node in (new, old):
            until_equal(f"what {node} has", lambda n=node: group.call(n, "GET", "kept"), "yes")


@fault
def redis_old_primary_back_with_own_writes(lab):
    """What only the old primary has goes to quarantine before it follows the new one."""
    group = lab.group
    old, new = group.primary(), group.replica()
    lab.lead_consul(lab.starlord)
    with Load(lab) as load:
        load.steady()
        # Held back from the replica: the stream's packets are dropped, and the gate gives 1 s.
        lab.cut(old, new)
        group.call(old, "SET", "only-here", "yes")
        group.signal(old, signal.SIGKILL)
        load.served_by(new, 20)
        lab.heal()
        until("both are whole", group.healthy, 40)
        equal(group.call(new, "GET", "only-here"), None, "what the new primary has")
        kept = old.exec("sh", "-c", "grep -rl only-here /var/lib/quarantine")[1]
        check(kept, "nothing in quarantine holds the write")


@fault
def redis_replica_far_behind(lab):
    """A replica that lacks writes is not promoted, although the primary has died: what the old one
    has is on its disk, and the operator's word brings it back."""
    group = lab.group
    old, new = group.primary(), group.replica()
    with Load(lab) as load:
        load.steady()
        pid = group.signal(new, signal.SIGSTOP)
        until("the primary goes on alone", lambda: not _in_sync(group, old, new), 15)
        for number in range(64):
            bulk = ("SET", f"bulk:{number}", "x" * 65536)
            until("the primary takes it", lambda words=bulk: group.call(old, *words))
        group.signal(old, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        until("the daemon says why it takes nothing", lambda: "not fit" in group.view(new)["told"])
        load.stays_unmoved(2)
        order = ("failover", "promote", GROUP, "--node", old.name, "--accept-data-loss", "--yes")
        until("its database runs again", lambda: group.pid(old), 10)
        equal(old.cli(*order)[0], 0, "the command's end")
        load.served_by(old, 25)
        until("both are whole", group.healthy, 30)
        until_equal("what it has", lambda: group.call(new, "STRLEN", "bulk:63"), 65536)


def _in_sync(group, holder, node):
    members = group.view(holder)["members"]
    return next(member for member in members if member["node"] == node.name)["in_sync"]
