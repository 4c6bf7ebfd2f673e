"""PostgreSQL: the same promises; with `synchronous: on` nothing that was acknowledged is lost."""

import signal

from bevlab import faults, kernel
from harness import check, fault, holds, until
from load import Load
from writer import now


def _load(lab, **how):
    return Load(lab, allow_lost=False, group=lab.postgres, **how)


@fault
def postgres_primary_sigkill(lab):
    """A primary that is killed is replaced at once by its standby, which has every write; it comes
    back as the standby of the new one."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab) as load:
        load.steady()
        group.signal(old, signal.SIGKILL)
        load.served_by(new)
        until("the old one is back as a standby in sync", group.healthy, 40)
        until("the old primary streams from the new one", lambda: group.streams_from(old, new))


@fault
def postgres_backend_sigkill(lab):
    """A backend that is killed takes the server with it, on purpose: a death like any other, and no
    silent restart as a primary."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab) as load:
        load.steady()
        victim = "select pid from pg_stat_activity where query like 'insert into written%' limit 1"
        pid = until("a writer has a backend", lambda: group.sql(old, victim))[0]
        # The command may be killed with its container.
        old.docker("exec", group.container, "sh", "-c", f"kill -9 {pid}", check=False)
        load.served_by(new, 20)
        until("both are whole", group.healthy, 40)


@fault
def postgres_primary_frozen(lab):
    """A primary that hangs, all of it, is killed before its standby takes over."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab) as load:
        load.steady()
        frozen = group.stop_all(old)
        load.served_by(new, 20)
        check(not any(kernel.alive(who) for who in frozen), "a frozen process still runs")
        until("both are whole", group.healthy, 40)


@fault
def postgres_standby_sigkill(lab):
    """The primary goes on without its standby, which comes back in sync."""
    group = lab.postgres
    with _load(lab, moves=0) as load:
        load.steady()
        group.signal(group.replica(), signal.SIGKILL)
        load.steady()
        load.stays(3)
        until("the standby is in sync again", group.healthy, 40)


@fault
def postgres_switchover(lab):
    """A planned move under load loses nothing; the old primary is the standby of the new one."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab, moves=1) as load:
        load.steady()
        group.move_by_command(new, by=old)
        load.served_by(new, 20)
        until("both are whole", group.healthy, 40)


@fault
def postgres_primary_link_down(lab):
    """The primary's cable is out: what its side had not replicated it never acknowledged, and it
    comes back without a second history."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab, moves=1) as load:
        load.steady()
        at = now()
        lab.unplug(old)
        load.served_by(new, 20)
        late = load.acked_since(at + 2_500_000_000, old.name)
        check(not late, f"{len(late)} writes were acknowledged on the isolated side after 2.5 s")
        lab.heal_and_join()
        until("both are whole", group.healthy, 60)


@fault
def postgres_standby_link_down(lab):
    """The standby's cable is out, which its connection does not show for a minute: the primary goes
    on alone, after a moment, and nothing moves."""
    group = lab.postgres
    with _load(lab, moves=0) as load:
        load.steady()
        lab.unplug(group.replica())
        load.steady()
        load.stays(4)
        lab.heal_and_join()
        until("the standby is in sync again", group.healthy, 60)


@fault
def postgres_primary_dies_after_heal(lab):
    """The standby's cable was out and is in again. From when the status calls the standby fit,
    it replaces a primary that dies, at once as ever: until its Consul agent answers again it does
    not call itself so."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab, moves=1) as load:
        load.steady()
        lab.unplug(new)
        load.steady()
        load.stays(8)
        lab.heal_and_join()
        healed = now()
        until("the standby could take over again", group.healthy, 60)
        print(f"  {(now() - healed) / 1e9:.1f} s from the heal until the standby is fit again")
        group.signal(old, signal.SIGKILL)
        load.served_by(new, 5)
        until("both are whole", group.healthy, 40)


@fault
def postgres_empty_directory(lab):
    """A member whose data directory is empty gets a copy of the primary's."""
    group = lab.postgres
    node = group.replica()
    with _load(lab, moves=0) as load:
        load.steady()
        # Its daemon would start what is half deleted, which then holds other files and is refused.
        node.kill("bevmesh", signal.SIGKILL)
        node.docker("kill", group.container)
        node.exec("sh", "-c", f"rm -rf {group.data}/*")
        node.start("bevmesh")
        load.steady()
        until("it streams again, in sync", group.healthy, 60)


@fault
def postgres_disk_full(lab):
    """A primary whose disk is full can acknowledge no write that needs room, although its WAL still
    has some: the primary moves to where there is room, and nothing is lost."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    group.small_disk(new, "256m")
    until("the standby on the small disk is in sync", group.healthy, 60)
    group.move(new)
    until("the small disk has the primary", lambda: group.healthy() is new, 30)
    with _load(lab) as load:
        load.steady()
        new.exec("sh", "-c", f"cat /dev/zero > {group.data}/filler")
        load.served_by(old, 20)
        holds("it is no candidate while its disk is full", lambda: not group.is_fit(new), 2)
        new.exec("rm", "-f", f"{group.data}/filler")
        until("both are whole", group.healthy, 60)


@fault
def postgres_daemon_sigkill(lab):
    """A daemon that is killed and started again moves nothing and stops nothing."""
    with _load(lab, moves=0) as load:
        load.steady()
        lab.restart(lab.postgres.primary(), number=signal.SIGKILL)
        load.stays(3)
        until("all is whole", lab.postgres.healthy, 20)


@fault
def postgres_all_consul_servers_frozen(lab):
    """Every Consul server hangs: nothing moves, writes go on."""
    group = lab.postgres
    with _load(lab, moves=0) as load:
        load.steady()
        primary = group.primary()
        for node in lab.nodes:
            node.freeze("consul")
        try:
            load.goes_on(primary, 8)
        finally:
            for node in lab.nodes:
                node.thaw("consul")
        until("all is whole", group.healthy, 40)


@fault
def postgres_node_frozen_and_resumed(lab):
    """A whole node that stops and goes on: the standby takes over, and the old primary, once it
    runs again, takes no write and follows."""
    group = lab.postgres
    old, new = group.primary(), group.replica()
    with _load(lab) as load:
        load.steady()
        with lab.changing() as state:
            faults.freeze(state, old.name, None)
            try:
                # The client by name waits for the frozen one, whose kernel still acknowledges.
                until("the standby serves", lambda: group.serving() is new, 20)
            finally:
                faults.thaw(state, old.name, None)
        until("both are whole", group.healthy, 60)
