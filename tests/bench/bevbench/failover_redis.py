"""Failover of Redis beside Debian's Sentinel."""

from pathlib import Path

from . import failover
from .clients import Clients
from .failover import until

from . import sentinel


class Peer:
    label = "Sentinel"
    kind = "redis"
    revives = False
    port = sentinel.PORT

    def __init__(self, lab):
        self.lab, self.pair = lab, sentinel.Sentinel(lab)
        self.members = self.pair.members
        self.primary, self.replica = self.pair.primary, self.pair.replica
        self.streams, self.kill = self.pair.streams, self.pair.kill

    def whole(self):
        self.pair.make_anew()

    def clients(self):
        program = Path(__file__).with_name("sentinel_writer.py")
        return Clients(self, program, sentinel.MASTER)

    @staticmethod
    def environment():
        return {}

    def forget(self, _):
        """The servers are new for each fault."""

    def written(self, node, name):
        return [int(n) for n in self.pair.call(node, "LRANGE", f"written:{name}", 0, -1)]

    def switchover(self, *_):
        self.pair.switchover()

    def settled(self):
        """A server that was killed stays dead; one that is there follows."""
        primary = self.primary()

        def following():
            others = [node for node in self.pair.members if node is not primary]
            return all(not self._runs(node) or self.streams(node) for node in others)

        until("the peer's old primary follows", following, 40)

    @staticmethod
    def _runs(node):
        state = ("inspect", "--format", "{{.State.Running}}", sentinel.SERVER)
        return node.docker(*state) == "true"


ROWS = {
    "primary kill -9": (failover.primary_killed, True, 0.25, 8),
    "primary's node, link down": (failover.primary_unplugged, True, 1.8, None),
    failover.SWITCHOVER: (failover.switchover, True, 0.2, None),
    "replica kill -9, gap on the primary": (failover.replica_killed, True, 0.25, None),
    "replica's node, link down, same": (failover.replica_unplugged, True, 2.5, None),
}
LONG = {"all Consul servers frozen for 60 s": (failover.consul_frozen, False, 0.25, None)}


def systems(lab):
    sentinel.import_image()
    return [failover.Ours(lab, lab.group), Peer(lab)]


if __name__ == "__main__":
    failover.run("failover_redis", __doc__, systems, ROWS, LONG)
