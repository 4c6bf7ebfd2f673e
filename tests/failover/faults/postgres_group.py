"""The group `postgres` of the lab from outside: its containers, SQL, the way back to a whole one.

The first member's database is made here, as a standby of nobody; the other's directory is empty,
and its daemon fills it.
"""

import os
import secrets

from bevlab import engine
from bevlab.layout import STATE, node_dir

import libpq
from redis_group import IMAGE, MEMBERS, NETWORK, Group

GROUP = "postgres"
DATA = "/var/lib/postgres"
BIN = "/usr/lib/postgresql/15/bin"

# A backend that crashes is a death and no silent restart; a standby asks again at once.
CONFIG = """
listen_addresses = '*'
unix_socket_directories = '/tmp'
restart_after_crash = off
wal_log_hints = on
wal_retrieve_retry_interval = 100ms
shared_buffers = 32MB
jit = off
"""
HBA = """
local all all trust
host all all all scram-sha-256
host replication all all scram-sha-256
"""


def _write(path, text, owner=0):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.chown(path, owner, owner)


def password():
    path = STATE / "postgres.password"
    if not path.exists():
        _write(path, secrets.token_hex(16))
    return path.read_text()


def install(nodes):
    for name in nodes:
        _write(node_dir(name) / "etc/bevmesh/postgres.password", password() + "\n")


def _owner(name):
    """The image's postgres."""
    path = STATE / "postgres.uid"
    if not path.exists():
        asked = engine.docker(name, "run", "--rm", f"bev/{IMAGE}", "id", "-u", "postgres")
        path.write_text(asked.stdout.strip())
    return int(path.read_text())


def create(name):
    owner = _owner(name)
    data = node_dir(name) / "lib/postgres"
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    os.chown(data, owner, owner)
    files = ("--user", str(owner), "--volume", f"{DATA}:/data")
    if name == MEMBERS[0]:
        _make_cluster(name, data, owner, files)
    engine.docker(
        *(name, "create", "--name", GROUP, "--hostname", GROUP, "--restart", "no", *files),
        *("--network", NETWORK[name], "--publish", "5432:5432", "--shm-size=128m", f"bev/{IMAGE}"),
        *(f"{BIN}/postgres", "-D", "/data"),
    )


def _make_cluster(name, data, owner, files):
    _write(data / ".password", password() + "\n", owner)
    script = (
        f"mv /data/.password /tmp/p && {BIN}/initdb -D /data -U bevmesh --pwfile=/tmp/p"
        " --data-checksums --no-sync"
    )
    engine.docker(name, "run", "--rm", *files, f"bev/{IMAGE}", "sh", "-c", script)
    with open(data / "postgresql.conf", "a") as file:
        file.write(CONFIG)
    (data / "pg_hba.conf").write_text(HBA)
    _write(data / "standby.signal", "", owner)


class PostgresGroup(Group):
    name = GROUP
    kind = "postgres"
    container = GROUP
    port = 5432
    key = f"bevmesh/failover/{GROUP}"
    data = DATA

    @staticmethod
    def create(node):
        create(node.name)

    def sql(self, node, text):
        with node.in_network():
            connection = libpq.Connection(node.address, self.port, password())
        try:
            return connection.query(text)
        finally:
            connection.close()

    def is_primary(self, node):
        return self.sql(node, "select pg_is_in_recovery()") == ["f"]

    def processes(self, node):
        """All of the container's, as the machine numbers them."""
        listed = node.docker("top", self.container, "-eo", "pid", check=False).splitlines()[1:]
        return {int(line) for line in listed}

    def streams_from(self, node, primary):
        rows = self.sql(node, "select sender_host || ' ' || status from pg_stat_wal_receiver")
        return rows == [f"{primary.address} streaming"]

    def forget_written(self, node, _names):
        self.sql(
            node,
            "set client_min_messages = error;"
            " create table if not exists written (writer text, n bigint, primary key (writer, n));"
            " truncate written",
        )

    def written(self, node, name):
        return [int(n) for n in self.sql(node, f"select n from written where writer = '{name}'")]

    @staticmethod
    def environment():
        return {"PGPASSWORD": password()}
