"""Consul away, in parts or as a whole; and its record in an operator's hands."""

import contextlib
import os
import shutil
import signal

from harness import check, fault, until
from load import Load
from writer import now


@contextlib.contextmanager
def _frozen_servers(lab):
    for node in lab.nodes:
        node.freeze("consul")
    try:
        yield
    finally:
        for node in lab.nodes:
            node.thaw("consul")


def _await_promise(group, primary):
    """The members have just promised: the next daemon has nearly the whole lease of 4.5 s to come
    back in. Just before the next promise it would be two thirds, too little for a slow start."""
    until("the lease is new", lambda: group.view(primary)["lease"]["left_ms"] > 4200, 15)


def _gone(lab, seconds):
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        primary = lab.group.primary()
        start = now()
        with _frozen_servers(lab):
            load.goes_on(primary, seconds)
        gap = load.longest_gap(start, primary.name)
        print(f"  {gap:.3f} s without writes on an open connection")
        until("all is whole", lab.group.healthy, 40)


@fault
def redis_all_consul_servers_frozen(lab):
    """Every Consul server hangs: nothing moves, writes go on."""
    _gone(lab, 8)


@fault
def long_redis_all_consul_servers_frozen_60s(lab):
    """As for 8 s, for a minute."""
    _gone(lab, 60)


@fault
def redis_consul_agent_restarted_on_holder(lab):
    """The agent (and server) of the holder's node is restarted."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        primary = lab.group.primary()
        primary.kill("consul", signal.SIGTERM)
        primary.start("consul")
        load.goes_on(primary, 3)
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_consul_leader_killed(lab):
    """Consul's leader is killed; the lease goes on under the next one."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        primary = lab.group.primary()
        leader = lab.consul_leader()
        leader.kill("consul", signal.SIGKILL)
        until("there is another leader", lambda: lab.consul_leader(leader) is not leader, 15)
        load.goes_on(primary, 2)
        leader.start("consul")
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_daemon_restarted_while_consul_is_gone(lab):
    """The primary's daemon is restarted in the middle of a Consul outage: writes go on, it takes
    the lease over from the guard."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        primary = lab.group.primary()
        with _frozen_servers(lab):
            load.goes_on(primary, 1)
            _await_promise(lab.group, primary)
            lab.restart(primary)
            load.goes_on(primary, 6)
        until("all is whole", lab.group.healthy, 40)


@fault
def redis_daemon_upgraded_while_consul_is_gone(lab):
    """The primary's daemon is replaced by another binary in the middle of a Consul outage: writes
    go on, and the new one has the lease."""
    primary = lab.group.primary()
    program = primary.files / "run/lab/bin/bevmesh"
    other = program.with_name("bevmesh-next")
    shutil.copy(program, other)
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        with _frozen_servers(lab):
            load.goes_on(primary, 1)
            _await_promise(lab.group, primary)
            primary.kill("bevmesh", signal.SIGTERM)
            was = os.readlink(program)
            next_one = program.with_name("bevmesh-link")
            next_one.symlink_to(other.name)
            next_one.rename(program)
            try:
                primary.start("bevmesh")
                load.goes_on(primary, 6)
            finally:
                next_one.symlink_to(was)
                next_one.rename(program)
        until("all is whole", lab.group.healthy, 40)


@fault
def long_redis_all_consul_servers_killed_60s(lab):
    """Every Consul server is killed and comes back after a minute: nothing moves, writes go on."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        primary = lab.group.primary()
        for node in lab.nodes:
            node.kill("consul", signal.SIGKILL)
        try:
            load.goes_on(primary, 60)
        finally:
            for node in lab.nodes:
                node.start("consul", wait=False)
        until("all is whole", lab.group.healthy, 60)


@fault
def redis_key_deleted(lab):
    """An operator deletes the record: the holder, still valid, writes it anew."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.group.delete_record()
        until("the record is back", lambda: lab.group.record_if_any().get("epoch"), 10)
        load.stays(3)
        until("all is whole", lab.group.healthy, 20)


@fault
def redis_key_edited(lab):
    """An operator edits the record in place: it is no longer the holder's own, and whatever
    follows, there are never two primaries."""
    with Load(lab) as load:
        load.steady()
        record = lab.group.record()
        record["reason"] = "edited by hand"
        lab.group.write_record(record)
        load.anybody_serves(20)
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_key_made_unreadable(lab):
    """A record that is no record: nobody takes anything, the status says so, and what is serving
    ends safely."""
    with Load(lab) as load:
        load.steady()
        kept = lab.group.record()
        lab.group.write_record("not a record")
        until(
            "a daemon says that it cannot be read",
            lambda: any(lab.group.view(n)["lease"].get("unreadable") for n in lab.group.members),
            5,
        )
        kept["epoch"] = max(kept["epoch"], lab.group.record_epoch_or(kept["epoch"]))
        lab.group.write_record(kept)
        load.anybody_serves(25)
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_second_primary_by_hand(lab):
    """Somebody demotes the primary by hand: its daemon does not leave it so."""
    with Load(lab) as load:
        load.steady()
        primary = lab.group.primary()
        lab.group.call(primary, "REPLICAOF", "127.0.0.1", "1", admin=True)
        load.anybody_serves(20)
        until("all is whole", lab.group.healthy, 30)
