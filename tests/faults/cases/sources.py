"""What makes a container a service: the configuration's match, and what Compose and Swarm made."""

import json

from harness import equal, fault, until, until_equal
from node import STAND_IN


@fault
def matched_by_other_things_than_the_name(lab):
    """A service of the configuration is found by its Compose service, by a label, or by its image
    whatever the tag."""
    node = lab.thanos
    compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": "orders"}
    node.docker("tag", STAND_IN, "fault/front:7")
    try:
        node.run("f-first", "-p", "18101:8080", labels=compose)
        node.run("f-second", "-p", "18102:8080", labels={"fault-test-role": "front"})
        node.run("f-third", "-p", "18103:8080", image="fault/front:7")
        for name, port in (("by-compose", 18101), ("by-label", 18102), ("by-image", 18103)):
            until_equal(
                f"{name} is in the DNS of oracle1",
                lambda name=name: lab.oracle1.locate(name),
                [(node.address, port)],
            )
        node.remove("f-first")
        until_equal("by-compose follows", lambda: lab.oracle1.locate("by-compose"), [])
    finally:
        node.docker("rmi", "--force", "fault/front:7", check=False)


@fault
def compose_container(lab):
    """A container of Compose is a service by its Compose name, checked by TCP; a one-off is none.
    What no configuration names, `bevmesh scan` knows by the catalog."""
    node = lab.thanos
    compose = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "Order_API",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
    }
    node.run("f-shop-1", "-p", "18090:8080", labels=compose)
    node.run(
        "f-shop-run", "-p", "18091:8080", labels={**compose, "com.docker.compose.oneoff": "True"}
    )
    until_equal(
        "order-api is in the DNS of oracle1",
        lambda: lab.oracle1.locate("order-api"),
        [(node.address, 18090)],
    )
    until("the daemon has nothing to do", node.settled)
    (entry,) = node.named("order-api")
    equal([c["Type"] for c in node.checks(entry["ID"]).values()], ["tcp"], "its checks")
    equal(
        [e["Service"] for e in node.services().values() if e["Port"] == 18091],
        [],
        "entries of the one-off",
    )
    (lab.oracle1.files / "run/app.env").write_text(f"ORDERS={node.address}:18090\n")
    code, out, err = lab.oracle1.cli("scan", "/run/app.env", "--format=json")
    equal(code, 0, f"scan: {err}")
    equal(
        [(f["service"], f["confidence"]) for f in json.loads(out)["findings"]],
        [("order-api", "high")],
        "whose the address in a file is",
    )


@fault
def swarm_tasks(lab):
    """Tasks of a Swarm service with host-mode ports are instances on their node; scaled away, they
    are gone."""
    node = lab.starlord
    node.docker("swarm", "init", f"--advertise-addr={node.address}")
    node.docker(
        "service",
        "create",
        "--detach",
        "--name=f-swarm",
        "--no-resolve-image",
        "--endpoint-mode=dnsrr",
        "--container-label=fault-test=1",
        "--restart-condition=none",
        "--publish=mode=host,published=18090,target=8080",
        "bev/stand-in",
        "stand-in",
        "8080",
        timeout=30,
    )
    until_equal(
        "f-swarm is in the DNS of oracle1",
        lambda: lab.oracle1.locate("f-swarm"),
        [(node.address, 18090)],
        15,
    )
    (entry,) = node.named("f-swarm")
    equal([c["Type"] for c in node.checks(entry["ID"]).values()], ["tcp"], "its checks")
    node.docker("service", "rm", "f-swarm")
    until_equal("f-swarm is gone from DNS", lambda: lab.oracle1.resolve("f-swarm"), [], 15)
    until_equal("and from the agent", lambda: node.named("f-swarm"), [])
