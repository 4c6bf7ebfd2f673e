"""The peer of the Redis rows: Debian's Redis and Sentinel in the lab, beside the group of bevmesh.

Two servers on the group's nodes, a Sentinel on all three, each in a container with the node's own
network, so that a link that is down is down for both. The servers are configured as the group's are
(AOF, everysec), Sentinel for the shortest failover that it allows: down-after 1 s.
"""

import signal
import socket

from harness import until
from resp import Connection

from bevlab import engine, kernel
from redis_group import MEMBERS

PORT = 7379
SENTINEL = 27379
MASTER = "peer"
SERVER, WATCH = "peer-redis", "peer-sentinel"

_SERVER = (
    "exec redis-server --port {port} --protected-mode no --dir /tmp --appendonly yes"
    " --appendfsync everysec --save '' --repl-diskless-sync-delay 0 {more}"
)
_SENTINEL = """\
cat > /tmp/sentinel.conf <<CONF
port {port}
protected-mode no
dir /tmp
sentinel monitor {master} {address} {server} 2
sentinel down-after-milliseconds {master} 1000
sentinel failover-timeout {master} 5000
CONF
exec redis-server /tmp/sentinel.conf --sentinel
"""


class Sentinel:
    def __init__(self, lab):
        self.lab = lab
        self.members = [getattr(lab, name) for name in MEMBERS]

    def make_anew(self):
        """Two empty servers and three Sentinels that know each other."""
        self.remove()
        first, second = self.members
        self._start(first, SERVER, _SERVER.format(port=PORT, more=""))
        follow = f"--replicaof {first.address} {PORT}"
        self._start(second, SERVER, _SERVER.format(port=PORT, more=follow))
        until("the peer's replica streams", lambda: self.streams(second), 20)
        text = _SENTINEL.format(port=SENTINEL, master=MASTER, address=first.address, server=PORT)
        for node in self.lab.nodes:
            self._start(node, WATCH, text)
        until("the Sentinels know each other", self._complete, 20)

    def remove(self):
        for node in self.lab.nodes:
            node.docker("rm", "-f", SERVER, WATCH, check=False)

    @staticmethod
    def _start(node, name, script):
        arguments = ("run", "-d", "--name", name, "--network", "host", "--restart", "no")
        node.docker(*arguments, "bev/base", "sh", "-c", script)

    @staticmethod
    def call(node, *words, port=PORT):
        with node.in_network():
            sock = _connect((node.address, port))
        with sock:
            return Connection(sock).ask(*words)

    def info(self, node, section="replication"):
        text = self.call(node, "INFO", section)
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def streams(self, node):
        return self.info(node).get("master_link_status") == "up"

    def _complete(self):
        wanted = {"num-slaves": "1", "num-other-sentinels": "2", "flags": "master"}
        for node in self.lab.nodes:
            words = self.call(node, "SENTINEL", "MASTER", MASTER, port=SENTINEL)
            known = dict(zip(words[::2], words[1::2]))
            if any(known[key] != value for key, value in wanted.items()):
                return False
        return True

    def primary(self):
        """As the third node's Sentinel says, which no fault here touches."""
        words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        address = self.call(self.lab.starlord, *words, port=SENTINEL)[0]
        return next(node for node in self.members if node.address == address)

    def replica(self):
        primary = self.primary()
        return next(node for node in self.members if node is not primary)

    def kill(self, node):
        pid = int(node.docker("inspect", "--format", "{{.State.Pid}}", SERVER))
        kernel.send(pid, signal.SIGKILL)

    def switchover(self):
        self.call(self.lab.starlord, "SENTINEL", "FAILOVER", MASTER, port=SENTINEL)


def _connect(address):
    sock = socket.create_connection(address, 2)
    sock.settimeout(2)
    return sock


def import_image():
    engine.import_images([("starlord", "base")])
