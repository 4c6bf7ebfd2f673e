"""The Docker engine restarts, dies, freezes; with and without live-restore."""

import json
import signal

from cases.life import start_web
from harness import equal, fault, holds, until, until_equal


@fault
def engine_restart(lab):
    """An engine that restarts in order: what it starts again is a service again, what it does not
    is gone."""
    node = lab.thanos
    start_web(node, "--restart=always")
    node.run("f-once", "-p", "18090:8080", labels={"bevmesh.name": "once"})
    until_equal("once is in DNS", lambda: lab.oracle1.resolve("once"), [node.address])
    node.kill("docker", signal.SIGTERM)
    until_equal(
        "what does not run is not in DNS",
        lambda: (lab.oracle1.resolve("web"), lab.oracle1.resolve("once")),
        ([], []),
        15,
    )
    until(
        "the daemon says that the engine is away", lambda: not node.status()["docker"]["reachable"]
    )
    node.start("docker")
    until_equal("web is back", lambda: lab.oracle1.resolve("web"), [node.address], 15)
    until_equal("once is gone", lambda: node.named("once"), [])
    equal(len(node.named("web")), 1, "entries of web")


@fault
def engine_killed(lab):
    """An engine that is killed takes nothing out of DNS; when it is back the entries are what
    runs."""
    node = lab.thanos
    start_web(node, "--restart=always")
    until("the daemon has nothing to do", node.settled)
    before = node.named("web")
    node.kill("docker", signal.SIGKILL)
    until(
        "the daemon says that the engine is away", lambda: not node.status()["docker"]["reachable"]
    )
    holds(
        "web stays in DNS without an engine",
        lambda: lab.oracle1.resolve("web") == [node.address],
        3,
    )
    equal(node.named("web"), before, "the entry of web")
    node.start("docker")
    until("the daemon has the engine again", lambda: node.status()["docker"]["reachable"], 10)
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address], 15)
    node.remove("f-web")
    until_equal("and gone with its container", lambda: lab.oracle1.resolve("web"), [], 4)


@fault
def engine_restart_with_live_restore(lab):
    """With live-restore a restart of the engine is no event: in DNS all the time, not one write; a
    death meanwhile is seen."""
    node = lab.thanos
    (node.files / "etc/docker/daemon.json").write_text(json.dumps({"live-restore": True}))
    node.kill("docker", signal.SIGHUP)
    until_equal(
        "the engine has live-restore",
        lambda: node.docker("info", "--format", "{{.LiveRestoreEnabled}}"),
        "true",
    )
    start_web(node)
    node.run("f-dies", "-p", "18090:8080", labels={"bevmesh.name": "dies"})
    until_equal("dies is in DNS", lambda: lab.oracle1.resolve("dies"), [node.address])
    until("the daemon has nothing to do", node.settled)
    before = node.counters()
    process = str(node.inspect("f-dies")["State"]["Pid"])
    node.kill("docker", signal.SIGTERM)
    until(
        "the daemon says that the engine is away", lambda: not node.status()["docker"]["reachable"]
    )
    node.exec("kill", "-KILL", process)
    holds(
        "web stays in DNS without an engine",
        lambda: lab.oracle1.resolve("web") == [node.address],
        2,
    )
    node.start("docker", wait=False)
    until_equal(
        "what died meanwhile is gone",
        lambda: (lab.oracle1.resolve("web"), node.named("dies")),
        ([node.address], []),
        15,
    )
    until("the daemon has nothing to do", node.settled)
    equal(
        node.counters(),
        {**before, "deregistrations": before["deregistrations"] + 1},
        "the daemon's writes",
    )


@fault
def engine_frozen(lab):
    """An engine that hangs for 10 s changes nothing; what happened meanwhile is seen when it
    answers again."""
    node = lab.thanos
    start_web(node)
    node.run(
        "f-dies",
        "-p",
        "18090:8080",
        labels={
            "bevmesh.name": "dies",
            "bevmesh.check.1.tcp": "true",
            "bevmesh.check.1.interval": "1s",
        },
    )
    until_equal("dies is in DNS", lambda: lab.oracle1.resolve("dies"), [node.address])
    until("the daemon has nothing to do", node.settled)
    before = node.named("web")
    process = str(node.inspect("f-dies")["State"]["Pid"])
    node.freeze("docker")
    node.exec("kill", "-KILL", process)
    until_equal("Consul's own check takes out what died", lambda: lab.oracle1.resolve("dies"), [])
    holds(
        "web stays in DNS",
        lambda: lab.oracle1.resolve("web") == [node.address] and node.named("web") == before,
        8,
    )
    node.thaw("docker")
    until_equal("what died is gone", lambda: node.named("dies"), [], 15)
    node.run("f-new", "-p", "18091:8080", labels={"bevmesh.name": "new"})
    until_equal("what is new is in DNS", lambda: lab.oracle1.resolve("new"), [node.address])
    equal(node.named("web"), before, "the entry of web")
