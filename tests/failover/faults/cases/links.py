"""Links: cables, one-way cuts, cuts from Consul, from the other member, from both."""

from harness import fault, until
from load import Load
from writer import now


def _others(lab, node):
    return [other for other in lab.nodes if other is not node]


@fault
def redis_primary_link_down(lab):
    """The primary's cable is out: the last write that its side acknowledges is answered before the
    first one of the other side is sent."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        lab.unplug(old)
        load.served_by(new)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)
        load.took_turns(old, new)


@fault
def redis_replica_link_down(lab):
    """The replica's cable is out: the primary goes on."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.unplug(lab.group.replica())
        load.steady()
        load.stays(4)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_one_way_from_primary(lab):
    """Nothing that the primary's node sends arrives anywhere."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        for other in _others(lab, old):
            lab.cut(old, other, one_way=True)
        load.served_by(new)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_one_way_to_primary(lab):
    """Nothing arrives at the primary's node any more."""
    with Load(lab) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        for other in _others(lab, old):
            lab.cut(other, old, one_way=True)
        load.served_by(new)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_primary_cut_from_consul_only(lab):
    """The primary's node has lost Consul and still sees the other member: nothing moves, and writes
    go on by promises."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        old = lab.group.primary()
        with lab.without_consul(old):
            load.stays(8)
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_members_cut_from_each_other(lab):
    """The members do not see each other, both see Consul: the primary stays and goes on alone."""
    with Load(lab, allow_lost=False, moves=0) as load:
        load.steady()
        lab.cut(lab.group.primary(), lab.group.replica())
        load.steady()
        load.stays(7)
        lab.heal()
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_primary_cut_from_both(lab):
    """The primary sees neither Consul's other servers nor the other member."""
    with Load(lab, moves=1) as load:
        load.steady()
        old, new = lab.group.primary(), lab.group.replica()
        for other in _others(lab, old):
            lab.cut(old, other)
        load.served_by(new)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)


@fault
def redis_flapping_link(lab):
    """A link that comes and goes each half second: never two primaries, and one in the end."""
    with Load(lab) as load:
        load.steady()
        old = lab.group.primary()
        end = now() + 5_000_000_000
        while now() < end:
            lab.unplug(old)
            _pause(0.5)
            lab.heal()
            _pause(0.5)
        load.anybody_serves(20)
        lab.heal_and_join()
        until("all is whole", lab.group.healthy, 30)


def _pause(seconds):
    start = now()
    until("time passes", lambda: now() - start > seconds * 1e9, seconds + 2)
