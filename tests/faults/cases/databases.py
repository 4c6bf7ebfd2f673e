"""The daemon's own checks, against real Redis and real PostgreSQL."""

from harness import equal, fault, holds, until, until_equal
from node import BASE

GOOD, BAD = "pw-5f2c91", "pw-0badc0"
REDIS = ("redis-server", "--port", "6379", "--dir", "/tmp", "--save", "", "--protected-mode", "no")


def redis(node, name, port, *arguments):
    node.run(name, "-p", f"{port}:6379", image=BASE, command=(*REDIS, *arguments))


@fault
def redis_in_and_out(lab):
    """Redis is in DNS while it answers PING: not when its process hangs, nor when it is killed,
    and again after."""
    node = lab.thanos
    redis(node, "f-cache", 18084)
    until_equal(
        "cache is in the DNS of oracle1",
        lambda: lab.oracle1.locate("cache"),
        [(node.address, 18084)],
    )
    (entry,) = node.named("cache")
    equal(
        sorted(c["Type"] for c in node.checks(entry["ID"]).values()),
        ["tcp", "ttl"],
        "the checks of cache",
    )
    # A Redis that hangs still takes connections: the kernel does.
    process = str(node.inspect("f-cache")["State"]["Pid"])
    node.exec("kill", "-STOP", process)
    until_equal("a Redis that hangs is out of DNS", lambda: lab.oracle1.resolve("cache"), [], 8)
    node.exec("kill", "-CONT", process)
    until_equal("and in again", lambda: lab.oracle1.resolve("cache"), [node.address], 8)
    node.docker("kill", "f-cache")
    until_equal("a Redis that was killed is gone", lambda: lab.oracle1.resolve("cache"), [], 3)
    until_equal("and so is its entry", lambda: node.named("cache"), [])


@fault
def redis_loading(lab):
    """A Redis that is loading its data takes connections, and is in DNS only when it is done."""
    node = lab.thanos
    redis(
        node,
        "f-cache",
        18084,
        "--enable-debug-command",
        "yes",
        "--loading-process-events-interval-bytes",
        "1024",
        "--key-load-delay",
        "400",
    )
    until_equal("cache is in DNS", lambda: lab.oracle1.resolve("cache"), [node.address])
    node.docker("exec", "f-cache", "redis-cli", "debug", "populate", "10000")
    node.docker("exec", "f-cache", "redis-cli", "save")
    node.docker("restart", "-t", "0", "f-cache")

    def loading():
        return "LOADING" in node.docker("exec", "f-cache", "redis-cli", "ping", check=False)

    until("Redis says LOADING", loading)
    (entry,) = until("it has its entry", lambda: node.named("cache"))

    def out_while_loading():
        found = lab.oracle1.resolve("cache")
        return found == [] or not loading()

    holds("a Redis that loads is out of DNS", out_while_loading, 2.5)
    until_equal(
        "it is in DNS when it has loaded", lambda: lab.oracle1.resolve("cache"), [node.address], 10
    )
    until_equal(
        "with all checks passing", lambda: set(node.states(entry["ID"]).values()), {"passing"}
    )


@fault
def redis_password(lab):
    """NOAUTH is alive where no password is configured; with one, only the right one is."""
    node = lab.thanos
    password = node.files / "etc/bevmesh/locked.password"
    password.write_text(GOOD + "\n")
    redis(node, "f-cache", 18084, "--requirepass", GOOD)
    redis(node, "f-locked", 18085, "--requirepass", GOOD)
    until_equal(
        "NOAUTH counts as alive", lambda: lab.oracle1.locate("cache"), [(node.address, 18084)]
    )
    until_equal(
        "the right password too", lambda: lab.oracle1.locate("locked"), [(node.address, 18085)]
    )
    password.write_text(BAD + "\n")
    until_equal("a wrong password takes it out", lambda: lab.oracle1.resolve("locked"), [], 4)
    outputs = str(node.checks(node.named("locked")[0]["ID"])) + node.log()
    equal((GOOD in outputs, BAD in outputs), (False, False), "passwords in outputs and log")
    password.write_text(GOOD + "\n")
    until_equal(
        "the right one brings it back", lambda: lab.oracle1.resolve("locked"), [node.address], 4
    )


POSTGRES = r"""
set -e
mkdir -p /tmp/pg && chown postgres /tmp/pg
cd /tmp
as="setpriv --reuid=postgres --regid=postgres --clear-groups"
bin=/usr/lib/postgresql/15/bin
$as $bin/initdb -D /tmp/pg/data --no-sync -A trust > /dev/null
echo "host all all all scram-sha-256" >> /tmp/pg/data/pg_hba.conf
$as touch /tmp/pg/data/standby.signal
exec $as $bin/postgres -D /tmp/pg/data -c listen_addresses='*' -c hot_standby=off \
    -c unix_socket_directories=/tmp -c fsync=off -c jit=off
"""


@fault
def postgres_in_and_out(lab):
    """PostgreSQL is in DNS when it accepts connections: not while it starts up, nor when it is
    killed."""
    node = lab.thanos
    node.run(
        "f-database",
        "-p",
        "18086:5432",
        "--shm-size=64m",
        image=BASE,
        command=("sh", "-c", POSTGRES),
    )

    def said(words):
        return (
            words in node.docker("logs", "f-database", check=False)
            or words
            in node.exec("docker", "-H", "unix:///run/docker.sock", "logs", "f-database")[2]
        )

    until(
        "PostgreSQL takes connections, and refuses them", lambda: said("the database system is"), 15
    )
    (entry,) = until("it has its entry", lambda: node.named("database"))
    holds(
        "a PostgreSQL that starts up is out of DNS",
        lambda: lab.oracle1.resolve("database") == [],
        1,
    )
    node.docker(
        "exec",
        "-u",
        "postgres",
        "f-database",
        "/usr/lib/postgresql/15/bin/pg_ctl",
        "promote",
        "-D",
        "/tmp/pg/data",
    )
    until_equal(
        "database is in the DNS of oracle1",
        lambda: lab.oracle1.locate("database"),
        [(node.address, 18086)],
        8,
    )
    until_equal("all checks pass", lambda: set(node.states(entry["ID"]).values()), {"passing"})
    node.docker("kill", "f-database")
    until_equal("database is gone", lambda: lab.oracle1.resolve("database"), [], 3)
    until_equal("and so is its entry", lambda: node.named("database"), [])
