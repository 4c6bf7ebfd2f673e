"""The lab as one thing: its nodes, and how it is made whole again before and after every test."""

import contextlib
import shutil
import signal
import urllib.parse
from pathlib import Path

from bevlab import engine, faults, lab as lab_life, services
from bevlab.consul import MANAGEMENT
from bevlab.layout import NODES
from bevlab.state import State, locked

from harness import Failure, until
from node import BASE, LABEL, STAND_IN, Node

CONFIG = Path(__file__).with_name("mesh.yaml")
OWN = ("consul", "bevmesh")  # services that stay: Consul's, and the daemons' own
PERMANENT = {"unit"}  # of mesh.yaml, whether a test runs or not


class Mesh:
    def __init__(self):
        self.state = State.running()
        self.management = self.state.secret(MANAGEMENT)
        self.nodes = [Node(self, name) for name in NODES]
        for node in self.nodes:
            setattr(self, node.name, node)

    @contextlib.contextmanager
    def changing(self):
        """For what the lab itself remembers: services started and killed, links cut."""
        with locked():
            self.state.update(State.running())
            try:
                yield self.state
            finally:
                self.state.save()

    # ---- links and power

    def cut(self, a, b, one_way=False):
        with self.changing() as state:
            faults.cut(state, a.name, b.name, one_way)

    def unplug(self, node):
        with self.changing() as state:
            faults.unplug(state, node.name)

    def heal(self):
        with self.changing() as state:
            faults.heal(state)

    def crash(self, node):
        from bevlab import node as bevlab_node

        with self.changing() as state:
            bevlab_node.crash(state, node.name)

    def boot(self, node):
        with self.changing() as state:
            lab_life.boot(state, node.name, lambda text: None)

    # ---- configuration

    def configure(self, *nodes, append="", replace=None, token=None):
        """Writes the configuration of these nodes; nobody is told. Without arguments: the tests'
        own."""
        text = CONFIG.read_text()
        for old, new in (replace or {}).items():
            if old not in text:
                raise Failure(f"mesh.yaml has no {old!r}")
            text = text.replace(old, new)
        for node in nodes or self.nodes:
            (node.files / "etc/bevmesh/bevmesh.yaml").write_text(text + append)

    # ---- whole again

    def make_whole(self):
        """Everything runs, links are whole, nothing of a test is left, and every daemon has
        nothing to do."""
        self._make_run()
        for node in self.nodes:
            self._restore_files(node)
            self._empty(node)
        for node in self.nodes:
            until(f"{node} is clean", lambda node=node: self._is_clean(node), 30)
        names = [service["Service"] for node in self.nodes for service in node.services().values()]
        until(
            "the catalog is what the agents say",
            lambda: self._catalog() == set(names) | {"consul"},
            20,
        )

    def _make_run(self):
        self.state.update(State.running())
        for node in self.nodes:
            if node.name not in self.state.booted():
                self.boot(node)
        with self.changing() as state:
            for node in NODES:
                faults.thaw(state, node, None)
            faults.heal(state)
        for node in self.nodes:
            self._give_back_disk(node)
            for service in services.of_node(self.state, node.name):
                if not node.is_running(service):
                    node.start(service)
        until("Consul's servers have found each other", self._joined, 60)

    @staticmethod
    def _give_back_disk(node):
        if node.exec("mountpoint", "-q", "/var/lib/bevmesh")[0] == 0:
            if node.is_running("bevmesh"):
                node.kill("bevmesh", signal.SIGKILL)
            node.exec("umount", "/var/lib/bevmesh")

    def _joined(self):
        passing = self.starlord.consul("GET", "/v1/health/service/consul?passing&stale")
        if len(passing) == len(self.nodes):
            return True
        for node in self.nodes[1:]:
            node.rejoin(self.starlord)
        return False

    def _restore_files(self, node):
        """What a test that was killed may have left changed on the node's disk."""
        live = node.files / "etc/docker/daemon.json"
        if live.exists():
            live.unlink()
            node.kill("docker", signal.SIGHUP)
        renewed = self._restore(
            node.files / "etc/bevmesh/consul.token", node.files / "etc/bevmesh/consul.token.kept"
        )
        config = node.files / "etc/bevmesh/bevmesh.yaml"
        if config.read_text() != CONFIG.read_text():
            # Restarted, for what a reload does not change.
            shutil.copyfile(CONFIG, config)
            node.kill("bevmesh", signal.SIGTERM)
            node.start("bevmesh")
        elif renewed:
            node.kill("bevmesh", signal.SIGHUP)

    @staticmethod
    def _restore(path, kept):
        if not kept.exists():
            return False
        kept.replace(path)
        return True

    def _empty(self, node):
        if node.docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "inactive":
            node.docker("swarm", "leave", "--force", check=False)

        def is_empty():
            """Swarm may be about to remove the containers of its tasks itself."""
            left = node.docker("ps", "-aq", "--filter", f"label={LABEL}").split()
            if left:
                node.docker("rm", "-f", "-v", *left, check=False)
            return not left

        until(f"{node} has no container of a test", is_empty, 30)
        for network in node.docker("network", "ls", "-q", "--filter", f"label={LABEL}").split():
            node.docker("network", "rm", network, check=False)
        for name in node.kept_maintenance():
            node.api("POST", "/v1/maintenance", {"service": name, "on": False})
        for service_id, entry in node.services().items():
            if entry["Meta"].get("external-source") != "bevmesh" and entry["Service"] not in OWN:
                node.consul("PUT", f"/v1/agent/service/deregister/{urllib.parse.quote(service_id)}")

    def _is_clean(self, node):
        left = {entry["Service"] for entry in node.services().values()} - PERMANENT - set(OWN)
        return not left and node.settled()

    def _catalog(self):
        return set(self.starlord.consul("GET", "/v1/catalog/services?consistent"))

    # ---- what the daemons said

    def log_marks(self):
        return {node.name: node.log_size() for node in self.nodes}

    def check_daemons(self, marks):
        """No test may leave a report of a sanitizer, or a daemon that ended by itself."""
        for node in self.nodes:
            text = node.log(since=marks[node.name])
            for sign in (
                "ERROR: AddressSanitizer",
                "ERROR: LeakSanitizer",
                "runtime error:",
                "terminate called",
            ):
                if sign in text:
                    raise Failure(f"the daemon on {node}: {text[text.index(sign) - 200:][:3000]}")
            if not node.is_running("bevmesh"):
                raise Failure(f"the daemon on {node} does not run")

    def show(self, marks):
        """What an engineer would ask for first."""
        for node in self.nodes:
            print(f"  -- {node}: the daemon's log of this test, its end")
            for line in node.log(since=marks[node.name]).splitlines()[-25:]:
                print("     " + line[:300])
            try:
                print(f"  -- {node}: docker ps -a")
                for line in node.docker(
                    "ps", "-a", "--format", "{{.Names}} | {{.Status}} | {{.Ports}}", timeout=5
                ).splitlines():
                    print("     " + line)
                print(f"  -- {node}: Consul's agent")
                for service_id, entry in node.services().items():
                    states = {
                        check: what["Status"] for check, what in node.checks(service_id).items()
                    }
                    print(f"     {service_id} {entry['Address']}:{entry['Port']} {states}")
            except Exception as error:
                print(f"     {error!r}")


def import_images():
    """The images that the tests need, where they need them."""
    wanted = [(name, STAND_IN) for name in NODES] + [("thanos", BASE), ("oracle1", BASE)]
    engine.import_images([(node, image.removeprefix("bev/")) for node, image in wanted])
