"""The group `postgres` of the lab from outside: its containers, SQL, the way back to a whole one.

The first member's database is made here, as a standby of nobody; the other's directory is empty,
and its daemon fills it.
"""

import functools
import os
import re
import secrets
import subprocess

from bevlab import engine
from bevlab.layout import ROOT, STATE, node_dir

import libpq
from redis_group import IMAGE, MEMBERS, NETWORK, Group

GROUP = "postgres"
DATA = "/var/lib/postgres"
BIN = "/usr/lib/postgresql/15/bin"
TLS = "etc/postgres/tls/current"  # a member's, whose common name is the role

# A backend that crashes is a death and no silent restart; a standby asks again at once.
CONFIG = """
ssl = on
ssl_cert_file = '/conf/tls/current/cert.pem'
ssl_key_file = '/conf/tls/current/key.pem'
ssl_ca_file = '/conf/tls/current/ca.pem'
listen_addresses = '*'
unix_socket_directories = '/tmp'
restart_after_crash = off
wal_log_hints = on
wal_retrieve_retry_interval = 100ms
max_slot_wal_keep_size = 1GB
shared_buffers = 32MB
jit = off
"""
HBA = """
local all all trust
hostssl all all all scram-sha-256 clientcert=verify-full
hostssl replication all all scram-sha-256 clientcert=verify-full
"""
FORGET = (
    "set client_min_messages = error;"
    " create table if not exists written (writer text, n bigint, primary key (writer, n));"
    " truncate written"
)


def write_secret(path, text, owner=0):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.chown(path, owner, owner)


def password():
    path = STATE / "postgres.password"
    if not path.exists():
        write_secret(path, secrets.token_hex(16))
    return path.read_text()


def install(nodes):
    for name in nodes:
        write_secret(node_dir(name) / "etc/bevmesh/postgres.password", password() + "\n")
        (node_dir(name) / "etc/postgres").mkdir(exist_ok=True)


@functools.cache
def image_user():
    """The image's postgres: whose the files are."""

    def output(*words):
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    image = output(ROOT / "tests/lab/images/build", IMAGE).strip()
    users = output("tar", "--occurrence=1", "-xOf", image, "./etc/passwd")
    return int(re.search(r"^postgres:[^:]*:(\d+):", users, re.M)[1])


def create(name):
    owner = image_user()
    data = node_dir(name) / "lib/postgres"
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    os.chown(data, owner, owner)
    if name == MEMBERS[0]:
        _make_cluster(name, data, owner)
    create_container(name)


def _files(owner):
    return ("--user", str(owner), "--volume", f"{DATA}:/data", "--volume", "/etc/postgres:/conf:ro")


def create_container(name):
    files = _files(image_user())
    engine.docker(
        *(name, "create", "--name", GROUP, "--hostname", GROUP, "--restart", "no", *files),
        *("--network", NETWORK[name], "--publish", "5432:5432", "--shm-size=128m", f"bev/{IMAGE}"),
        *(f"{BIN}/postgres", "-D", "/data"),
    )


def _make_cluster(name, data, owner):
    write_secret(data / ".password", password() + "\n", owner)
    script = (
        f"mv /data/.password /tmp/p && {BIN}/initdb -D /data -U bevmesh --pwfile=/tmp/p"
        " --data-checksums --no-sync"
    )
    engine.docker(name, "run", "--rm", *_files(owner), f"bev/{IMAGE}", "sh", "-c", script)
    with open(data / "postgresql.conf", "a") as file:
        file.write(CONFIG)
    (data / "pg_hba.conf").write_text(HBA)
    write_secret(data / "standby.signal", "", owner)


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

    @staticmethod
    def create_container(node):
        create_container(node.name)

    def sql(self, node, text):
        """The first column of all rows. OSError: no answer, or it is refused, as it may be while
        the primary moves."""
        with node.in_network():
            connection = libpq.Connection(
                node.address, self.port, password(), files=node.files / TLS
            )
        try:
            return connection.query(text)
        except libpq.QueryError as error:
            raise OSError(f"PostgreSQL on {node}: {error.state} {error}") from None
        finally:
            connection.close()

    def is_primary(self, node):
        return self.sql(node, "select pg_is_in_recovery()") == ["f"]

    def streams_from(self, node, primary):
        rows = self.sql(node, "select sender_host || ' ' || status from pg_stat_wal_receiver")
        return rows == [f"{primary.address} streaming"]

    def streams(self, node):
        return any(self.streams_from(node, other) for other in self.members if other is not node)

    def forget_written(self, node, _names):
        self.sql(node, FORGET)

    def written(self, node, name):
        return [int(n) for n in self.sql(node, f"select n from written where writer = '{name}'")]

    @staticmethod
    def environment():
        return {"PGPASSWORD": password(), "WRITER_TLS": str(node_dir(MEMBERS[0]) / TLS)}
