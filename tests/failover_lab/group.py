"""The Redis group of the lab: its containers, guards and daemons, and what the API says of it."""

import http.client
import json
import signal
import socket
import subprocess
import time

from bevlab import services
from bevlab.layout import node_dir
from harness import Failure, check, until

from clients import Clients

BASE = "bev/base"
GROUP = "redis"
PORT = 6379
NAME = "redis-primary.service.consul"
# Boot-fenced: whoever starts it, it follows an address where nobody listens.
REDIS = (
    *("redis-server", "--port", str(PORT), "--dir", "/data", "--save", "", "--appendonly", "no"),
    *("--protected-mode", "no", "--replicaof", "127.0.0.1 1", "--repl-ping-replica-period", "1"),
    *("--repl-diskless-sync-delay", "0"),
)


class Group:
    def __init__(self, mesh):
        self.mesh = mesh
        self.members = [mesh.thanos, mesh.oracle1]
        self.guards = {}

    # ---- life

    def start(self):
        """From nothing: no record, empty databases."""
        for node in self.mesh.nodes:
            if node.is_running("bevmesh"):
                node.kill("bevmesh", signal.SIGKILL)
        self.mesh.starlord.consul("DELETE", f"/v1/kv/bevmesh/failover/{GROUP}")
        for node in self.members:
            self.start_redis(node)
            self.start_guard(node)
        for node in self.mesh.nodes:
            if not node.is_running("bevmesh"):
                node.start("bevmesh")

    def start_redis(self, node):
        node.exec("mkdir", "-p", "/var/lib/redis-data", "/var/lib/redis-quarantine")
        node.docker("rm", "-f", GROUP, check=False)
        data = f"{node_dir(node.name)}/redis-data"
        node.docker(
            "run", "-d", f"--name={GROUP}", "--restart=no", f"-p{PORT}:{PORT}",
            "--tmpfs=/data", BASE, *REDIS,
        )
        return data

    def start_guard(self, node):
        if node.name in self.guards and self.guards[node.name].poll() is None:
            return
        node.exec("mkdir", "-p", "/run/bevmesh-guard")
        log = open(services.log_path(node.name, "guard"), "a")
        self.guards[node.name] = node.popen(
            "bevmesh", "guard", "--group", GROUP,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
        log.close()

    def stop(self):
        for guard in self.guards.values():
            guard.send_signal(signal.SIGTERM)
        for guard in self.guards.values():
            guard.wait(10)
        for node in self.members:
            node.docker("rm", "-f", GROUP, check=False)

    # ---- what it says

    def api(self, node, method, path, body=None):
        connection = services.UnixConnection(node.files / "run/bevmesh/api.sock")
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            connection.close()

    def view(self, node):
        status, answer = self.api(node, "GET", f"/v1/failover?group={GROUP}")
        check(status == 200, f"failover on {node}: {status} {answer}")
        return answer["groups"][0]

    def order(self, node, what, target="", **more):
        body = {"group": GROUP, "order": what, "node": target, **more}
        return self.api(node, "POST", "/v1/failover/order", body)

    def history(self, node):
        return self.api(node, "GET", f"/v1/failover/history?group={GROUP}")[1]["history"]

    def ask(self, node, *words):
        """A command to the node's Redis, by its address; the raw reply."""
        with node.in_network():
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with sock:
            sock.settimeout(2)
            sock.connect((node.address, PORT))
            parts = [f"${len(w)}\r\n{w}\r\n" for w in words]
            sock.sendall((f"*{len(words)}\r\n" + "".join(parts)).encode())
            return _read_reply(sock.makefile("rb"))

    def is_primary(self, node):
        try:
            return self.ask(node, "ROLE")[0] == b"master"
        except OSError:
            return False

    def primaries(self):
        return [node.name for node in self.members if self.is_primary(node)]

    def serving(self, node):
        """`node` serves, alone, is in the catalog, and the other one follows it in sync."""
        view = self.view(node)
        in_sync = [m["node"] for m in view["members"] if m["in_sync"]]
        return (
            view["stage"] == "serving"
            and view["lease"]["holder"] == node.name
            and self.primaries() == [node.name]
            and self.mesh.starlord.resolve(f"{GROUP}-primary") == [node.address]
            and len(in_sync) == 2
        )

    def make_primary(self, node, seconds=30):
        """From whatever there is."""
        views = until("both daemons answer", lambda: [self.view(n) for n in self.members])
        until(
            "the boot wait is over",
            lambda: all(
                m["ready"] for v in [self.view(n) for n in self.members]
                for m in v["members"] if m["node"] == v["node"]
            ),
        )
        if not any(v["lease"].get("holder") for v in views):
            status, answer = self.order(node, "init", node.name)
            check(status == 200, f"init: {status} {answer}")
        holder = until("there is a holder", lambda: self.view(node)["lease"].get("holder"), seconds)
        if holder != node.name:
            other = next(n for n in self.members if n.name == holder)
            until(f"{other} serves", lambda: self.serving(other), seconds)
            status, answer = self.order(other, "switchover", node.name)
            check(status == 200, f"switchover: {status} {answer}")
        until(f"{node} serves with a replica in sync", lambda: self.serving(node), seconds)

    # ---- clients

    def clients(self):
        targets = {f"on_{n.name}": (n, n.address, PORT) for n in self.members}
        targets["dns"] = (self.mesh.starlord, NAME, PORT)
        return Clients(targets)

    def missing(self, node, keys):
        """Of these keys, those that the node's Redis lacks."""
        return [key for key in keys if self.ask(node, "EXISTS", key) != 1]


def _read_reply(file):
    line = file.readline()
    if not line:
        raise ConnectionResetError
    kind, rest = line[:1], line[1:-2]
    if kind == b"*":
        return [_read_reply(file) for _ in range(int(rest))]
    if kind == b"$":
        return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
    if kind == b":":
        return int(rest)
    if kind == b"-":
        raise OSError(rest.decode())
    return rest


def report(what, seen, lost, extra=""):
    gaps = ", ".join(f"{name} {w.gap():.3f} s" for name, w in seen.items() if w.keys("ok"))
    acknowledged = sum(len(w.keys("ok")) for w in seen.values())
    unclear = sum(len(w.keys("lost")) for w in seen.values())
    print(
        f"{what}: longest gap {gaps}; {acknowledged} writes acknowledged, {len(lost)} of them "
        f"lost, {unclear} without an answer{extra}",
        flush=True,
    )


__all__ = ["GROUP", "Group", "Failure", "report", "time"]
