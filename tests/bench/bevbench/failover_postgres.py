"""Failover of PostgreSQL beside Debian's Patroni."""

from pathlib import Path

from . import failover
from .clients import Clients
from .failover import until

from . import patroni


class Peer:
    label = "Patroni"
    kind = "postgres"
    revives = True
    port = patroni.PORT

    def __init__(self, lab):
        self.lab, self.pair = lab, patroni.Patroni(lab)
        self.members = self.pair.members
        self.primary, self.replica = self.pair.primary, self.pair.replica
        self.streams, self.kill = self.pair.streams, self.pair.kill
        self.forget, self.written = self.pair.forget_written, self.pair.written
        self.environment, self.switchover = self.pair.environment, self.pair.switchover

    def whole(self):
        """Kept from fault to fault, as the group is; made anew when it is not whole by then."""
        self.pair.make_whole()

    def clients(self):
        program = Path(__file__).with_name("patroni_writer.py")
        return Clients(self, program, ",".join(node.address for node in self.members))

    def settled(self):
        until("the peer is whole", self.pair.healthy, 90)


ROWS = {
    "primary kill -9": (failover.primary_killed, True, 0.8, 4),
    "primary's node, link down": (failover.primary_unplugged, True, 2.5, None),
    failover.SWITCHOVER: (failover.switchover, True, 1, None),
    "standby kill -9, gap on the primary": (failover.replica_killed, True, 0.25, None),
    "standby's node, link down, same": (failover.replica_unplugged, True, 2.5, None),
}
LONG = {"all Consul servers frozen for 60 s": (failover.consul_frozen, True, 0.25, None)}


def systems(lab):
    patroni.import_image()
    return [failover.Ours(lab, lab.postgres), Peer(lab)]


if __name__ == "__main__":
    failover.run("failover_postgres", __doc__, systems, ROWS, LONG)
