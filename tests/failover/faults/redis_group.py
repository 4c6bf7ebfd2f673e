"""The group `redis` of the lab, from outside: its containers, its database by a plain socket, what
the daemons and Consul say of it, and the way back to a healthy group from anything."""

import base64
import json
import os
import secrets
import signal
import socket

from bevlab import engine, kernel
from bevlab.layout import node_dir

import client_tls
from harness import Failure, equal, until
from resp import Connection, ReplyError

GROUP = "redis"
CONTAINER = "redis"
PORT = 6379
IMAGE = "base"
MEMBERS = ("thanos", "oracle1")
NETWORK = {"thanos": "bev_network", "oracle1": "bev_oracle"}
KEY = f"bevmesh/failover/{GROUP}"

# Boot-fenced: what is on disk follows nobody that exists, so it never says "primary".
CONFIG = """\
replicaof 127.0.0.1 1
protected-mode no
port 0
tls-port 6379
tls-cert-file /conf/tls/current/cert.pem
tls-key-file /conf/tls/current/key.pem
tls-ca-cert-file /conf/tls/current/ca.pem
tls-auth-clients yes
tls-replication yes
dir /data
appendonly yes
appendfsync everysec
save ""
repl-diskless-sync-delay 0
user default on nopass ~* &* +@all -@admin -@dangerous +info
user bevmesh on >{password} ~* &* +@all
"""


def install(nodes):
    """The node's files: the database's configuration and the daemon's password, both 0600."""
    password = secrets.token_hex(16)
    for name in nodes:
        base = node_dir(name)
        for part in ("etc/redis", "lib/redis", "lib/quarantine"):
            (base / part).mkdir(parents=True, exist_ok=True)
        for path, text in (
            ("etc/redis/redis.conf", CONFIG.format(password=password)),
            ("etc/bevmesh/redis.password", password + "\n"),
        ):
            with open(
                os.open(base / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
            ) as file:
                file.write(text)


def create(name):
    """Its container, created and not started: that is the daemon's to do."""
    engine.docker(
        name,
        "create",
        *("--name", CONTAINER, "--hostname", CONTAINER, "--restart", "no"),
        *("--network", NETWORK[name], "--publish", f"{PORT}:{PORT}"),
        *("--volume", "/var/lib/redis:/data", "--volume", "/etc/redis:/conf:ro"),
        f"bev/{IMAGE}",
        *("redis-server", "/conf/redis.conf"),
    )


class Group:
    """`lab` is a Mesh; members are its nodes."""

    name = GROUP
    kind = "redis"
    container = CONTAINER
    port = PORT
    key = KEY
    data = "/var/lib/redis"  # on the node

    def __init__(self, lab):
        self.lab = lab
        self.members = [getattr(lab, name) for name in MEMBERS]

    # ---- the database itself

    def call(self, node, *words, timeout=2, admin=False):
        """One command to the node's own Redis, asked on the node. OSError: no answer, or it is
        refused, as it may be while the primary moves."""
        with node.in_network():
            sock = socket.create_connection((node.address, self.port), timeout)
        with client_tls.wrap(sock, node.address, node.files / client_tls.OWN) as sock:
            talk = Connection(sock)
            try:
                if admin:
                    password = (node.files / "etc/bevmesh/redis.password").read_text().strip()
                    talk.ask("AUTH", "bevmesh", password)
                return talk.ask(*words)
            except ReplyError as error:
                raise OSError(f"{words[0]} on {node}: {error}") from None

    def info(self, node, section="replication"):
        text = self.call(node, "INFO", section)
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def role(self, node):
        return self.info(node)["role"]

    @staticmethod
    def create(node):
        create(node.name)

    @staticmethod
    def create_container(node):
        """Around the data that is there."""
        create(node.name)

    def is_primary(self, node):
        return self.role(node) == "master"

    def streams(self, node):
        return self.info(node).get("master_link_status") == "up"

    # ---- what writers leave in it

    def forget_written(self, node, names):
        self.call(node, "DEL", *(f"written:{name}" for name in names))

    def written(self, node, name):
        return [int(n) for n in self.call(node, "LRANGE", f"written:{name}", 0, -1)]

    @staticmethod
    def environment():
        """For a writer's program."""
        return {"WRITER_TLS": f"/var/{client_tls.OWN}"}

    def pid(self, node):
        """The database's process, the container's init; 0: it does not run."""
        return int(node.docker("inspect", "--format", "{{.State.Pid}}", self.container))

    def processes(self, node):
        """All of the container's, as the machine numbers them."""
        listed = node.docker("top", self.container, "-eo", "pid", check=False).splitlines()[1:]
        return {int(line) for line in listed}

    def process(self, node):
        """The database's process, for kernel.alive: the engine knows of an end only later."""
        return kernel.identity(self.pid(node))

    def stop_all(self, node):
        """Stops the database's processes, which it returns. The first one goes first: from then on
        none is started, and one that ends is not reaped, so that its id names nothing else."""
        pids = {self.signal(node, signal.SIGSTOP), *self.processes(node)}
        for pid in pids:
            kernel.send(pid, signal.SIGSTOP)
        return [kernel.identity(pid) for pid in pids]

    def signal(self, node, number):
        pid = self.pid(node)
        if not pid:
            raise Failure(f"{self.name} on {node} does not run")
        os.kill(pid, number)
        return pid

    # ---- what the daemons and Consul say

    def view(self, node):
        status, answer = node.api("GET", f"/v1/failover?group={self.name}")
        if status != 200:
            raise OSError(f"{node}: {status} {answer}")
        return answer["groups"][0]

    def record(self, node=None):
        """The lease's record in Consul, {} when there is none."""
        node = node or self.lab.starlord
        status, _, answer = node.http("GET", f"/v1/kv/{self.key}")
        if status == 404:
            return {}
        if status != 200:
            raise OSError(f"the record: {status} {answer}")
        return json.loads(base64.b64decode(answer[0]["Value"]))

    def record_if_any(self):
        """{} also while Consul does not answer."""
        try:
            return self.record()
        except OSError:
            return {}

    def write_record(self, record):
        """As an operator's hand would, with the management token."""
        return self.lab.starlord.consul("PUT", f"/v1/kv/{self.key}", record)

    def delete_record(self):
        return self.lab.starlord.consul("DELETE", f"/v1/kv/{self.key}")

    def endpoints(self, node=None):
        """Who is primary in the catalog: addresses."""
        node = node or self.lab.starlord
        entries = node.consul("GET", f"/v1/catalog/service/{self.name}-primary?consistent")
        return [entry["ServiceAddress"] for entry in entries]

    def member_of(self, address):
        return next(node for node in self.members if node.address == address)

    def serving(self):
        """The member whose daemon says that it serves; None: nobody."""
        found = []
        for node in self.members:
            try:
                view = self.view(node)
            except OSError:
                continue
            if view["stage"] == "serving":
                found.append(node)
        return found[0] if len(found) == 1 else None

    def primary(self):
        return self.serving() or self._none("serves")

    def replica(self):
        primary = self.primary()
        return next(node for node in self.members if node is not primary)

    @staticmethod
    def _none(what):
        raise Failure(f"no member {what}")

    def healthy(self):
        """One serves and is published; the other streams, is in sync and could take over."""
        primary = self.serving()
        if not primary:
            raise OSError("no member serves: " + self.sentence())
        replica = next(node for node in self.members if node is not primary)
        view = self.view(primary)
        members = {member["node"]: member for member in view["members"]}
        lacks = [
            word
            for word, good in (
                ("the record is published", view["lease"].get("published")),
                ("nothing is paused", not view["paused_ms"]),
                ("the replica streams", members[replica.name].get("streaming")),
                ("the replica is in sync", members[replica.name]["in_sync"]),
                ("the replica could take over", self.is_fit(replica)),
                ("its primary knows that", self.is_fit(replica, by=primary)),
                ("both have a guard", all(m.get("guarded") or m["node"] == replica.name
                                          for m in members.values())),
                ("the catalog names it", self.endpoints() == [primary.address]),
                ("its database is a primary", self.is_primary(primary)),
            )
            if not good
        ]
        if lacks:
            raise OSError(f"not yet that {', '.join(lacks)}: " + self.sentence())
        return primary

    def is_fit(self, node, by=None):
        """As the daemon on `by` says, or the node's own: it might take the lease now, were it
        free."""
        candidates = self.view(by or node)["candidates"]
        return next(one for one in candidates if one["node"] == node.name)["fit"]

    def sentence(self):
        said = []
        for node in self.members:
            try:
                view = self.view(node)
                said.append(f"{node}: {view['stage']}, \"{view['told']}\"")
            except (OSError, KeyError) as error:
                said.append(f"{node}: {error}")
        return "; ".join(said)

    def history(self, node):
        status, answer = node.api("GET", f"/v1/failover/history?group={self.name}")
        return answer["history"] if status == 200 else []

    # ---- whole again

    def make_whole(self):
        for node in self.members:
            self._give_back_disk(node)
            if not node.docker("ps", "-aq", "--filter", f"name=^{self.container}$"):
                self.create_container(node)
            pid = self.pid(node)
            if pid:
                kernel.send(pid, signal.SIGCONT)
            node.exec("sh", "-c", "rm -rf /var/lib/quarantine/*")
        try:
            if not self.record():
                raise Failure("it has no record")
            self.resume()
            until("the group is healthy", self.healthy, 15)
        except Failure as error:
            print(f"  the group is made anew: {error}", flush=True)
            self.make_anew()
            until("the new group is healthy", self.healthy, 40)
        # A daemon that a test has started waits before it takes anything.
        until("the replica may take", lambda: self.is_fit(self.replica()), 30)

    def resume(self):
        for node in self.members:
            try:
                node.api("POST", "/v1/failover/pause", {"group": self.name, "seconds": 0})
            except OSError:
                pass

    def _give_back_disk(self, node):
        if node.exec("mountpoint", "-q", self.data)[0] != 0:
            return
        node.docker("rm", "-f", self.container)
        node.exec("umount", "--lazy", self.data)

    def small_disk(self, node, size):
        """Its database begins again on a file system of its own, of `size`. No container is there
        while it is mounted: the daemon would start one that has the directory beneath."""
        owner = os.stat(node.files / self.data.removeprefix("/var/"))
        how = f"size={size},uid={owner.st_uid},gid={owner.st_gid},mode={owner.st_mode & 0o777:o}"
        node.docker("rm", "-f", self.container)
        node.exec("mount", "-t", "tmpfs", "-o", how, self.name, self.data)
        self.create_container(node)
        until(f"{self.name} runs on {node}", lambda: self.pid(node), 60)

    def record_epoch_or(self, epoch):
        record = self.record_if_any()
        return record.get("epoch", epoch) if isinstance(record, dict) else epoch

    def make_anew(self):
        """An empty group, by the operator's word."""
        for node in self.members:
            for service in ("bevmesh", f"guard-{self.name}"):
                if node.is_running(service):
                    node.kill(service, signal.SIGKILL)
        self.delete_record()
        for node in self.members:
            node.docker("rm", "-f", self.container, check=False)
            files = f"{self.data}/* /run/bevmesh-guard/{self.name}.*"
            node.exec("sh", "-c", f"rm -rf {files}")
            self.create(node)
            node.start(f"guard-{self.name}")
            node.start("bevmesh")
        self.init(self.members[0])

    def init(self, node):
        def accepted():
            code, out, err = node.cli("failover", "init", self.name, "--node", node.name, "--yes")
            return code == 0 or self._refused(out + err)

        until("a first record is accepted", accepted, 20)
        until(f"{node} serves", lambda: self.serving() is node, 20)

    @staticmethod
    def _refused(said):
        raise OSError(said)

    def order(self, node, what, to="", **more):
        """(status, answer) of the daemon on `node`."""
        body = {"group": self.name, "order": what, "node": to, **more}
        return node.api("POST", "/v1/failover/order", body)

    def move(self, to):
        """A switchover that is to be accepted. One report of the target's that comes late makes it
        unfit for a moment: what is refused so has begun nothing, and is ordered again."""

        def answered():
            status, answer = self.order(self.primary(), "switchover", to.name)
            return self._refused(str(answer)) if status == 409 else (status, answer)

        status, answer = until(f"a switchover to {to} is accepted", answered)
        equal(status, 200, f"the order's answer ({answer})")

    def move_by_command(self, to, by):
        """As `move`, by the command line on `by`; what it said."""
        order = ("failover", "switchover", self.name, "--node", to.name, "--yes")

        def ended():
            code, _, said = by.cli(*order)
            return self._refused(said) if code == 5 else (code, said)

        code, said = until(f"a switchover to {to} is accepted", ended)
        equal(code, 0, f"the command's end ({said})")
        return said


__all__ = ["CONTAINER", "GROUP", "Group", "KEY", "PORT", "create", "install"]
