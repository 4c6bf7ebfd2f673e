"""The lab of the failover faults: the mesh of tests/faults, with guards and a group."""

import contextlib
import signal

from bevlab import consul, engine

from bevlab.state import State, locked

import mesh
from harness import until
import postgres_group
import redis_group
from postgres_group import PostgresGroup
from redis_group import GROUP, Group

GUARD = f"guard-{GROUP}"


def install():
    """What `run --up` adds to the lab that has just come up: images, files, containers."""
    engine.import_images([(name, redis_group.IMAGE) for name in redis_group.MEMBERS])
    for kind in (redis_group, postgres_group):
        kind.install(redis_group.MEMBERS)
        for name in redis_group.MEMBERS:
            kind.create(name)
    with locked():
        state = State.running()
        state["options"]["daemon"] = True  # from now on; a node that boots starts its own
        state.save()


class GroupMesh(mesh.Mesh):
    def __init__(self):
        super().__init__()
        self.group = Group(self)
        self.postgres = PostgresGroup(self)

    @contextlib.contextmanager
    def both_frozen(self, node):
        """Daemon and guard of a node, together."""
        node.freeze("bevmesh")
        node.freeze(GUARD)
        try:
            yield
        finally:
            node.thaw(GUARD)
            node.thaw("bevmesh")

    @contextlib.contextmanager
    def without_consul(self, node):
        """The node's agent hangs; the others have a leader, and the node sees them all."""
        node.freeze("consul")
        try:
            yield
        finally:
            node.thaw("consul")

    def consul_leader(self, but=None):
        """The node of Consul's leader, as another than `but` says; that one while there is none."""
        asked = next(node for node in self.nodes if node is not but)
        leader = consul.leader(self.state, asked.name)
        return getattr(self, leader) if leader else but

    def lead_consul(self, node):
        """Consul's leader moves there: a fault between the other two leaves all with one."""
        raft = "/v1/operator/raft"

        def leads():
            if self.consul_leader() is node:
                return True
            servers = node.consul("GET", f"{raft}/configuration")["Servers"]
            wanted = next(server["ID"] for server in servers if server["Node"] == node.name)
            node.http("POST", f"{raft}/transfer-leader?id={wanted}")
            return False

        until(f"Consul's leader is on {node}", leads, 20)

    def heal_and_join(self):
        """Links are whole, and Consul's agents have found each other, for which they would need up
        to a minute and a half by themselves."""
        self._make_run()

    def restart(self, node, service="bevmesh", number=signal.SIGTERM):
        node.kill(service, number)
        node.start(service)

    def make_whole(self):
        self._make_run()
        self.group.make_whole()
        self.postgres.make_whole()

    def _joined(self):
        if not super()._joined():
            return False
        return bool(self.starlord.consul("GET", "/v1/status/leader"))

    def show(self, marks):
        super().show(marks)
        for node in self.group.members:
            print(f"  -- {node}: the group's history")
            with contextlib.suppress(OSError):
                for line in self.group.history(node)[-40:]:
                    print(f"     {line['at']} {line['weight']:8} {line['text']}")
        with contextlib.suppress(OSError):
            print(f"  -- the record: {self.group.record()}")
