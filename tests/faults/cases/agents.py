"""Consul's agent restarts with and without its data, freezes; the node's link is cut."""

import shutil
import signal

from cases.health import HEALTH
from cases.life import start_web
from cases.ownership import register
from harness import check, equal, fault, holds, until, until_equal

HEALTHY = ("sh", "-c", "touch /tmp/ok; exec stand-in 8080")


@fault
def agent_restart_with_data(lab):
    """After a restart of the agent nothing is written again that it kept; what changed meanwhile
    is caught up."""
    node = lab.thanos
    start_web(node, *HEALTH, command=HEALTHY)
    node.run("f-going", "-p", "18090:8080", labels={"bevmesh.name": "going"})
    until_equal("going is in DNS", lambda: lab.oracle1.resolve("going"), [node.address])
    until("the daemon has nothing to do", node.settled)
    (before,), writes = node.named("web"), node.counters()
    node.kill("consul", signal.SIGTERM)
    until(
        "the daemon says that the agent is away",
        lambda: not node.status()["consul"]["reachable"],
        10,
    )
    node.remove("f-going")
    node.run("f-coming", "-p", "18091:8080", labels={"bevmesh.name": "coming"})
    node.start("consul")
    until_equal(
        "what is new is in DNS, what went is not",
        lambda: (lab.oracle1.resolve("coming"), lab.oracle1.resolve("going")),
        ([node.address], []),
        15,
    )
    # Consul restores checks as critical until it has run them: the daemon does not wait for that.
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address], 5)
    until("the daemon has nothing to do", node.settled)
    equal(node.named("web"), [before], "the entry of web")
    made = node.counters()["registrations"] - writes["registrations"]
    check(made in (1, 2), f"registrations: the new one, and web's if Consul was late: {made}")


@fault
def agent_restart_without_data(lab):
    """An agent that comes back empty gets everything again, with states that are true, within
    seconds."""
    node = lab.thanos
    start_web(node, *HEALTH, command=HEALTHY)
    node.run("f-sick", "-p", "18090:8080", *HEALTH, labels={"bevmesh.name": "sick"})
    until("sick is there", lambda: node.named("sick"))
    code, _, err = node.cli(
        "services", "maint", "web", "on", "--yes", "--reason", "kept over a loss"
    )
    equal(code, 0, f"services maint web on: {err}")
    until_equal("web is in maintenance", lambda: lab.oracle1.resolve("web"), [])
    node.run("f-third", "-p", "18091:8080", labels={"bevmesh.name": "third"})
    until_equal("third is in DNS", lambda: lab.oracle1.resolve("third"), [node.address])
    node.kill("consul", signal.SIGKILL)
    # The node's identity stays, as with a configured node_id: what is lost is what the agent knew.
    for part in ("services", "checks", "raft", "serf"):
        shutil.rmtree(node.files / "lib/consul" / part)
    node.start("consul")
    until_equal("third is in DNS again", lambda: lab.oracle1.resolve("third"), [node.address], 20)
    until("sick has its entry", lambda: node.named("sick"))
    until("the daemon has nothing to do", node.settled, 10)
    equal(
        (lab.oracle1.resolve("sick"), lab.oracle1.resolve("web")),
        ([], []),
        "DNS of an unhealthy one and of maintenance",
    )
    equal(
        sorted(e["Service"] for e in node.services().values()),
        ["bevmesh", "sick", "third", "web"],
        "the agent's services",
    )
    node.cli("services", "maint", "web", "off", "--yes")
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address])


@fault
def registration_lost(lab):
    """An entry that somebody removed from the agent, or wrote over under our marks, is as it was
    with the next look at it."""
    node = lab.thanos
    lab.configure(node, replace={"resync: 30s": "resync: 1s"})
    node.kill("bevmesh", signal.SIGHUP)
    start_web(node)
    (entry,) = node.named("web")
    node.consul("PUT", f"/v1/agent/service/deregister/{entry['ID']}")
    until_equal("web is there again", lambda: node.named("web"), [entry])
    until_equal("and in DNS", lambda: lab.oracle1.resolve("web"), [node.address])
    (lost,) = [c for c in node.checks(entry["ID"])]
    node.consul("PUT", f"/v1/agent/check/deregister/{lost}")
    until_equal(
        "a check that was removed is there again", lambda: list(node.checks(entry["ID"])), [lost]
    )
    for drifted in ({"port": 18099}, {"tags": ["by-hand"]}):
        ours = {"name": "web", "port": 18080, "meta": entry["Meta"], "tags": entry["Tags"]}
        register(node, entry["ID"], **{**ours, **drifted})
        until_equal(f"web without {drifted}", lambda: node.named("web"), [entry])
        until_equal(
            "its place in DNS", lambda: lab.oracle1.locate("web"), [(node.address, 18080)]
        )


@fault
def agent_frozen(lab):
    """An agent that hangs for 10 s: the daemon waits, loses nothing, and catches up when it
    answers."""
    node = lab.thanos
    start_web(node)
    node.run("f-going", "-p", "18090:8080", labels={"bevmesh.name": "going"})
    until_equal("going is in DNS", lambda: lab.oracle1.resolve("going"), [node.address])
    before = node.named("web")
    node.freeze("consul")
    node.remove("f-going")
    node.run("f-coming", "-p", "18091:8080", labels={"bevmesh.name": "coming"})
    holds("the daemon answers its own API", lambda: node.status()["pid"], 10)
    node.thaw("consul")
    until_equal(
        "what is new is in DNS, what went is not, the rest is back",
        lambda: [lab.oracle1.resolve(name) for name in ("coming", "going", "web")],
        [[node.address], [], [node.address]],
        30,
    )
    until("the daemon has nothing to do", node.settled, 15)
    equal(node.named("web"), before, "the entry of web")
    equal([len(node.named(name)) for name in ("coming", "going", "web")], [1, 0, 1], "entries")


@fault
def link_cut(lab):
    """A node without its link for 10 s keeps its registrations and takes changes; when it is back
    the mesh knows them."""
    node = lab.thanos
    start_web(node)
    node.run("f-going", "-p", "18090:8080", labels={"bevmesh.name": "going"})
    until_equal("going is in DNS", lambda: lab.oracle1.resolve("going"), [node.address])
    before = node.named("web")
    lab.unplug(node)
    node.remove("f-going")
    node.run("f-coming", "-p", "18091:8080", labels={"bevmesh.name": "coming"})
    # The agent itself is slow to answer then: it holds its state while it waits for a leader.
    holds("the daemon answers its own API", lambda: node.status()["pid"], 10)
    lab.heal()
    # By itself Consul joins again after 30 s at the earliest, and what it could not tell the others
    # waits for its next full sync, a minute or two. Both are asked for here: any registration makes
    # the agent sync.
    until("Consul's servers have found each other", lambda: node.rejoin(lab.oracle1), 30)
    ports = iter(range(1, 10000))

    def seen_elsewhere():
        register(node, "f-nudge", "nudge", next(ports))
        return [lab.oracle1.resolve(name) for name in ("coming", "going", "web")]

    wanted = [[node.address], [], [node.address]]
    what = "what is new is in DNS, what went is not, the rest is back"
    until_equal(what, seen_elsewhere, wanted, 40)
    until("the daemon has nothing to do", node.settled, 15)
    equal(node.named("web"), before, "the entry of web")
