"""The peer of the PostgreSQL rows: Debian's Patroni with Consul in the lab, beside bevmesh's group.

On the group's nodes, in containers with the node's own network, so that a link that is down is down
for both; data on the node's disk, as the group's. Tuned for the shortest failover that it allows:
ttl 20 (Consul's shortest session is half of that), loop_wait 1, retry_timeout 3, no wait for a dead
server's restart; synchronous as the group is.
"""

import json
import http.client
import os
import signal
import subprocess
import sys

import libpq
import postgres_group
from bevlab import engine, kernel
from bevlab.consul import MANAGEMENT
from bevlab.layout import STATE
from harness import Failure, until
from redis_group import MEMBERS

PORT, REST = 5433, 8009
NAME = "peer-patroni"
SCOPE = "peer"
FILES = "/etc/patroni"
DATA = "/var/lib/patroni"
IMAGE = "patroni"

_HBA = [
    "local all all trust",
    "host all all all scram-sha-256",
    "host replication all all scram-sha-256",
]
_PARAMETERS = {
    "unix_socket_directories": "/tmp",
    "shared_buffers": "32MB",
    "jit": "off",
    "wal_log_hints": "on",
    "wal_retrieve_retry_interval": "100ms",
}


class Patroni:
    def __init__(self, lab):
        self.lab = lab
        self.members = [getattr(lab, name) for name in MEMBERS]
        self.made = False

    def _config(self, node):
        user = {"username": "bevmesh", "password": postgres_group.password()}
        return {
            "scope": SCOPE,
            "name": node.name,
            "restapi": {
                "listen": f"{node.address}:{REST}",
                "connect_address": f"{node.address}:{REST}",
            },
            "consul": {
                "host": "127.0.0.1:8500",
                "token": (STATE / MANAGEMENT).read_text().strip(),
            },
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    "primary_start_timeout": 0,
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": _PARAMETERS},
                },
                "initdb": ["data-checksums", "no-sync"],
                "pg_hba": _HBA,
            },
            "postgresql": {
                "listen": f"{node.address}:{PORT}",
                "connect_address": f"{node.address}:{PORT}",
                "bin_dir": postgres_group.BIN,
                "data_dir": "/data/main",
                "pgpass": "/tmp/pgpass",
                "authentication": {"superuser": user, "replication": user, "rewind": user},
            },
        }

    def make_whole(self):
        if self.made:
            try:
                until("the peer is whole", self.healthy, 30)
                return
            except Failure as error:
                print(f"  the peer is made anew: {error}", flush=True)
        self._make_anew()
        self.made = True

    def _make_anew(self):
        for node in self.members:
            node.docker("rm", "-f", NAME, check=False)
        self.lab.starlord.consul("DELETE", f"/v1/kv/service/{SCOPE}?recurse")
        first, second = self.members
        self._start(first)
        until("the peer has a primary", lambda: self.primary() is first, 60)
        self._start(second)
        until("the peer is whole", self.healthy, 60)

    def _start(self, node):
        owner = int(node.docker("run", "--rm", f"bev/{IMAGE}", "id", "-u", "postgres"))
        for path in (node.files / "etc/patroni", node.files / "lib/patroni"):
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, owner, owner)
        node.exec("sh", "-c", f"rm -rf {DATA}/*")
        text = json.dumps(self._config(node))
        postgres_group.write_secret(node.files / "etc/patroni/patroni.yml", text, owner)
        where = ("--network", "host", "--restart", "no", "--user", str(owner))
        mounts = ("--volume", f"{FILES}:/conf:ro", "--volume", f"{DATA}:/data")
        what = (f"bev/{IMAGE}", "patroni", "/conf/patroni.yml")
        node.docker("run", "-d", "--name", NAME, "--shm-size=128m", *where, *mounts, *what)

    def _ask(self, node, method, path, body=None, timeout=3):
        """(status, text) of the node's Patroni, asked on the node."""
        connection = http.client.HTTPConnection(node.address, REST, timeout=timeout)
        try:
            with node.in_network():
                connection.connect()
            connection.request(method, path, body and json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from None
        finally:
            connection.close()

    def primary(self):
        found = [node for node in self.members if self._says_primary(node)]
        if len(found) != 1:
            raise Failure(f"the peer has {len(found)} primaries")
        return found[0]

    def _says_primary(self, node):
        try:
            return self._ask(node, "GET", "/primary")[0] == 200
        except OSError:
            return False

    def replica(self):
        primary = self.primary()
        return next(node for node in self.members if node is not primary)

    def healthy(self):
        """The standby streams and is the synchronous one."""
        primary, replica = self.primary(), self.replica()
        if self._ask(replica, "GET", "/synchronous")[0] != 200:
            raise OSError(f"{replica} is not the synchronous standby")
        state = "select sync_state from pg_stat_replication"
        return self.sql(primary, state) == ["sync"] and self.streams(replica)

    def sql(self, node, text):
        with node.in_network():
            connection = libpq.Connection(node.address, PORT, postgres_group.password())
        try:
            return connection.query(text)
        finally:
            connection.close()

    def streams(self, node):
        """From another than itself: what it is told before it is rewound is an old primary."""
        rows = self.sql(node, "select sender_host || ' ' || status from pg_stat_wal_receiver")
        others = [f"{other.address} streaming" for other in self.members if other is not node]
        return rows in [[other] for other in others]

    def forget_written(self, _names):
        self.sql(self.primary(), postgres_group.FORGET)

    def written(self, node, name):
        return [int(n) for n in self.sql(node, f"select n from written where writer = '{name}'")]

    @staticmethod
    def environment():
        return {"PGPASSWORD": postgres_group.password()}

    def kill(self, node):
        """The server, not Patroni: it sees at once that the server is dead."""
        lines = node.docker("top", NAME, "-eo", "pid,args").splitlines()[1:]
        server = f"{postgres_group.BIN}/postgres -D"
        pid = next(int(line.split()[0]) for line in lines if server in line)
        kernel.send(pid, signal.SIGKILL)

    def switchover(self, old, new):
        body = {"leader": old.name, "candidate": new.name}
        status, text = self._ask(old, "POST", "/switchover", body, timeout=60)
        if status != 200:
            raise Failure(f"the switchover was refused: {status} {text}")


def import_image():
    subprocess.run([engine.BUILD, IMAGE], check=True, stdout=sys.stderr)
    engine.import_images([(name, IMAGE) for name in MEMBERS])
