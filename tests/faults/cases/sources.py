"""Containers that Compose and Swarm made."""

from harness import equal, fault, until, until_equal


@fault
def compose_container(lab):
    """A container of Compose is a service by its Compose name, checked by TCP; a one-off is
    none."""
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
