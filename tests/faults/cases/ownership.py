"""Whose entry it is: foreign services, services left by registrator, and what its users see after
the change."""

import signal
import subprocess
import urllib.parse

from cases.life import start_web
from harness import check, equal, fault, holds, until, until_equal

OURS = ("external-source", "bevmesh-instance", "bevmesh-container", "bevmesh-hash")


def register(node, service_id, name, port, meta=None, checks=(), tags=()):
    node.consul(
        "PUT",
        "/v1/agent/service/register",
        {
            "ID": service_id,
            "Name": name,
            "Address": node.address,
            "Port": port,
            "Meta": meta or {},
            "Checks": list(checks),
            "Tags": list(tags),
        },
    )


def deregister(node, service_id):
    node.consul("PUT", f"/v1/agent/service/deregister/{urllib.parse.quote(service_id)}")


def without_marks(meta):
    return {key: value for key, value in meta.items() if key not in OURS}


@fault
def same_id_by_another_owner(lab):
    """An entry under our ID that belongs to Nomad is left alone, we say so, and take over when it
    is gone."""
    node = lab.thanos
    register(node, "thanos:f-web:8080", "web", 4646, {"external-source": "nomad"}, tags=["nomads"])
    before = node.service("thanos:f-web:8080")
    node.run("f-web", "-p", "18080:8080")
    (note,) = until(
        "the daemon says so in its log",
        lambda: [
            line
            for line in node.log().splitlines()
            if "foreign-service" in line and "f-web" in line
        ][-1:],
    )
    check("warn" in note.lower(), f"it is no warning: {note}")
    equal(node.local("thanos:f-web:8080")["phase"], "refused", "the daemon's view of it")
    code, out, _ = node.cli("status")
    check(code == 3, f"`bevmesh status` calls this state {code}, not degraded: {out}")
    holds("Nomad's entry stays as it was", lambda: node.service("thanos:f-web:8080") == before, 1)
    node.remove("f-web")
    until("the daemon has nothing to do", node.settled)
    equal(node.service("thanos:f-web:8080"), before, "Nomad's entry after the container is gone")
    lab.configure(node, replace={"resync: 30s": "resync: 1s"})
    node.kill("bevmesh", 1)
    node.run("f-web", "-p", "18080:8080")
    until("it is refused again", lambda: node.local("thanos:f-web:8080")["phase"] == "refused")
    deregister(node, "thanos:f-web:8080")
    until_equal(
        "web is ours with the next look at the agent",
        lambda: lab.oracle1.locate("web"),
        [(node.address, 18080)],
    )


@fault
def foreign_services_stay(lab):
    """Entries by hand, of Nomad, of another node's bevmesh: none is touched, by restart, resync or
    removal of ours."""
    node = lab.thanos
    register(node, "f-by-hand", "by-hand", 1, tags=["x"])
    register(node, "f-nomad", "nomads", 2, {"external-source": "nomad"})
    register(
        node,
        "f-elsewhere",
        "elsewhere",
        3,
        {"external-source": "bevmesh", "bevmesh-instance": "oracle1"},
    )
    register(node, "thanos:f-gone:80", "looks-like-registrator", 4)
    foreign = ("f-by-hand", "f-nomad", "f-elsewhere", "thanos:f-gone:80")
    before = {service_id: node.service(service_id) for service_id in foreign}
    lab.configure(node, replace={"resync: 30s": "resync: 1s"})
    start_web(node)
    node.kill("bevmesh", 9)
    node.start("bevmesh")
    node.remove("f-web")
    until_equal("our own entry is removed", lambda: node.named("web"), [])
    holds(
        "foreign entries stay as they were",
        lambda: {service_id: node.service(service_id) for service_id in foreign} == before,
        2.5,
    )
    deregister(node, "f-elsewhere")  # cleaning up goes by owner


@fault
def adoption(lab):
    """What registrator left under the same ID and name is adopted: one entry, its old check gone,
    never out of DNS."""
    node = lab.thanos
    register(
        node,
        "thanos:f-legacy:8080",
        "legacy",
        18090,
        {"region": "eu"},
        [{"Name": "Service 'legacy' check", "TTL": "1h", "Status": "passing"}],
        ["old"],
    )
    until_equal(
        "registrator's entry is in the DNS of oracle1",
        lambda: lab.oracle1.resolve("legacy"),
        [node.address],
    )
    node.run(
        "f-legacy",
        "-p",
        "18090:8080",
        env={"SERVICE_NAME": "legacy", "SERVICE_REGION": "eu", "SERVICE_TAGS": "new"},
    )

    def adopted():
        found = lab.oracle1.locate("legacy")
        check(found == [(node.address, 18090)], f"legacy was out of DNS, or double: {found}")
        return [e["Meta"].get("external-source") for e in node.named("legacy")] == ["bevmesh"]

    until("the entry is ours", adopted)
    (entry,) = node.named("legacy")
    equal((entry["ID"], entry["Tags"]), ("thanos:f-legacy:8080", ["new"]), "ID and tags")
    equal(node.checks(entry["ID"]), {}, "checks: registrator's default is none")
    node.remove("f-legacy")
    until_equal("with the container it is gone", lambda: node.named("legacy"), [])


@fault
def registrator_container(lab):
    """A container known by SERVICE_* alone is registered as registrator would: ID, name, tags,
    meta, and no checks."""
    node = lab.thanos
    node.run(
        "f-orders",
        "-p",
        "18090:8080",
        "-p",
        "18091:9000",
        command=("stand-in", "8080", "9000"),
        env={
            "SERVICE_NAME": "orders",
            "SERVICE_TAGS": "env,lost",
            "SERVICE_REGION": "eu",
            "SERVICE_9000_NAME": "orders-admin",
            "SERVICE_9000_REGION": "us",
        },
        labels={"SERVICE_TAGS": "a,b\\,c"},
    )
    (main,) = until("orders is registered", lambda: node.named("orders-8080"))
    (admin,) = until("orders-admin is registered", lambda: node.named("orders-admin"))
    equal((main["ID"], admin["ID"]), ("thanos:f-orders:8080", "thanos:f-orders:9000"), "the IDs")
    equal((main["Address"], main["Port"], admin["Port"]), (node.address, 18090, 18091), "addresses")
    equal(
        (sorted(main["Tags"]), sorted(admin["Tags"])),
        (["a", "b,c"], ["a", "b,c"]),
        "tags, label before env",
    )
    equal(
        (without_marks(main["Meta"]), without_marks(admin["Meta"])),
        ({"region": "eu"}, {"region": "us"}),
        "meta",
    )
    equal((node.checks(main["ID"]), node.checks(admin["ID"])), ({}, {}), "checks")
    until_equal(
        "both are in DNS",
        lambda: (lab.oracle1.locate("orders-8080"), lab.oracle1.locate("orders-admin")),
        ([(node.address, 18090)], [(node.address, 18091)]),
    )


@fault
def registrator_check(lab):
    """SERVICE_CHECK_* give registrator's one check, by its fixed order, and nothing of it ends up
    in meta."""
    node = lab.thanos
    node.run(
        "f-checked",
        "-p",
        "18090:8080",
        env={
            "SERVICE_NAME": "checked",
            "SERVICE_CHECK_TCP": "true",
            "SERVICE_CHECK_HTTP": "/health",
            "SERVICE_CHECK_INTERVAL": "1s",
            "SERVICE_CHECK_TIMEOUT": "1s",
        },
    )
    until_equal(
        "checked is in the DNS of oracle1",
        lambda: lab.oracle1.locate("checked"),
        [(node.address, 18090)],
    )
    (entry,) = node.named("checked")
    equal([c["Type"] for c in node.checks(entry["ID"]).values()], ["http"], "its checks")
    equal(without_marks(entry["Meta"]), {}, "its meta")
    node.run(
        "f-silent", "-p", "18091:8080", env={"SERVICE_IGNORE": "yes", "SERVICE_NAME": "silent"}
    )
    until("the daemon has nothing to do", node.settled)
    equal(node.named("silent"), [], "entries of an ignored container")


@fault
def registrator_default(lab):
    """A container that says nothing, but publishes a port, is registered by the name of its image,
    as registrator does."""
    node = lab.thanos
    node.run("f-plain", "-p", "18090:8080")
    until_equal(
        "it is in the DNS of oracle1",
        lambda: lab.oracle1.locate("stand-in"),
        [(node.address, 18090)],
    )
    (entry,) = node.named("stand-in")
    equal((entry["ID"], entry["Tags"]), ("thanos:f-plain:8080", []), "ID and tags")
    equal((without_marks(entry["Meta"]), node.checks(entry["ID"])), ({}, {}), "meta and checks")


@fault
def registrator_replaced(lab):
    """Only the binary is changed: registrator's own command line adopts what registrator left and
    registers as it did, every port of every container, Compose's too."""
    node = lab.thanos
    node.kill("bevmesh", signal.SIGTERM)
    register(node, "thanos:f-cart:8080", "cart", 18090, {}, [], [])
    node.run("f-cart", "-p", "18090:8080", env={"SERVICE_NAME": "cart"})
    node.run("f-shop", "-p", "18091:8080", labels={"com.docker.compose.service": "shop"})
    daemon = node.popen(
        *("bevmesh", "registrator", "-cleanup", "-resync", "5", "-tags", "eu"),
        *("-ip", node.address, "consul://127.0.0.1:8500"),
        env={"CONSUL_HTTP_TOKEN": (node.files / "etc/bevmesh/consul.token").read_text().strip()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until_equal(
            "cart is adopted",
            lambda: [
                (e["ID"], e["Tags"], e["Meta"].get("external-source")) for e in node.named("cart")
            ],
            [("thanos:f-cart:8080", ["eu"], "bevmesh")],
        )
        until_equal(
            "a Compose container is called by its image, as registrator does",
            lambda: lab.oracle1.locate("stand-in"),
            [(node.address, 18091)],
        )
        node.remove("f-cart")
        until_equal("the entry goes with its container", lambda: node.named("cart"), [])
    finally:
        daemon.terminate()
        _, log = daemon.communicate(timeout=15)
    equal(daemon.returncode, 0, f"its end; it said: {log}")
    node.start("bevmesh")
