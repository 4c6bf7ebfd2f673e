"""The daemon itself: killed, stopped, started again over whatever has changed, told to reload,
started twice."""

import json
import os
import signal
import stat
import subprocess
import time

from cases.health import HEALTH
from cases.life import start_web
from cases.ownership import deregister, register
from harness import check, equal, fault, holds, until, until_equal


@fault
def daemon_killed(lab):
    """`kill -9` of the daemon takes nothing out of DNS, and a new one writes nothing that is as it
    should be."""
    node = lab.thanos
    start_web(node, *HEALTH, command=("sh", "-c", "touch /tmp/ok; exec stand-in 8080"))
    until("the daemon has nothing to do", node.settled)
    before, index = node.named("web"), lab.oracle1.index("web")
    node.kill("bevmesh", signal.SIGKILL)
    holds("web stays in DNS", lambda: lab.oracle1.resolve("web") == [node.address], 2)
    node.start("bevmesh")
    until("the daemon has nothing to do", node.settled)
    equal(node.counters(), {name: 0 for name in node.counters()}, "the new daemon's writes")
    equal(
        (node.named("web"), lab.oracle1.index("web")),
        (before, index),
        "the entry, and Consul's index of it",
    )
    node.remove("f-web")
    until_equal("it is gone with its container", lambda: lab.oracle1.resolve("web"), [], 3)


@fault
def daemon_down_while_everything_changed(lab):
    """Removed, recreated, new, renamed, fallen ill: a daemon that was away sees it all, and only
    that is written."""
    node = lab.thanos
    start_web(node)
    ill = ("sh", "-c", "touch /tmp/ok; exec stand-in 8080")
    for number, name in enumerate(("removed", "recreated", "oldname", "ill"), 18090):
        node.run(
            f"f-{name}",
            "-p",
            f"{number}:8080",
            *(HEALTH if name == "ill" else ()),
            labels={"bevmesh.name": name},
            command=ill if name == "ill" else ("stand-in", "8080"),
        )
    for name in ("removed", "recreated", "oldname", "ill"):
        until_equal(
            f"{name} is in DNS", lambda name=name: lab.oracle1.resolve(name), [node.address]
        )
    until("the daemon has nothing to do", node.settled)
    node.kill("bevmesh", signal.SIGKILL)

    node.remove("f-removed", "f-recreated")
    node.run("f-recreated", "-p", "18095:8080", labels={"bevmesh.name": "recreated"})
    node.run("f-fresh", "-p", "18096:8080", labels={"bevmesh.name": "fresh"})
    node.docker("rename", "f-oldname", "f-newname")
    node.docker("exec", "f-ill", "rm", "/tmp/ok")
    until_equal(
        "the engine calls it unhealthy",
        lambda: node.inspect("f-ill")["State"]["Health"]["Status"],
        "unhealthy",
    )
    register(node, "f-foreign", "foreign", 7, {"external-source": "nomad"})

    node.start("bevmesh")
    wanted = {
        "web": [(node.address, 18080)],
        "removed": [],
        "recreated": [(node.address, 18095)],
        "fresh": [(node.address, 18096)],
        "oldname": [(node.address, 18092)],
        "ill": [],
    }
    until_equal(
        "DNS of oracle1 is what runs now",
        lambda: {name: lab.oracle1.locate(name) for name in wanted},
        wanted,
        8,
    )
    until("the daemon has nothing to do", node.settled)
    equal(
        [e["ID"] for e in node.named("oldname")],
        ["thanos:f-newname:8080"],
        "entries of the renamed one",
    )
    equal(len(node.named("foreign")), 1, "entries of another owner")
    writes = node.counters()
    equal(
        (writes["registrations"], writes["deregistrations"], writes["reports"]),
        (3, 2, 1),
        "writes: what changed",
    )


@fault
def ghosts(lab):
    """Entries of ours without a container are removed at the start, after one complete look; those
    of others stay."""
    node = lab.thanos
    start_web(node)
    node.kill("bevmesh", signal.SIGKILL)
    ours = {"external-source": "bevmesh", "bevmesh-instance": "thanos"}
    register(node, "thanos:f-ghost:80", "ghost", 1, ours)
    register(
        node,
        "thanos:f-ghost:81",
        "ghost",
        2,
        {**ours, "bevmesh-container": "0123456789ab", "bevmesh-hash": "0" * 16},
    )
    register(node, "f-hand", "hand", 3)
    register(node, "f-nomad", "nomads", 4, {"external-source": "nomad"})
    register(node, "oracle1:f-other:80", "elsewhere", 5, {**ours, "bevmesh-instance": "oracle1"})
    # Without an engine there is nothing to compare with: nothing may go.
    node.kill("docker", signal.SIGKILL)
    node.start("bevmesh")
    until("the daemon knows the agent", lambda: node.status()["consul"]["reachable"])
    holds("nothing is removed before the engine was seen", lambda: len(node.named("ghost")) == 2, 2)
    node.start("docker")
    until_equal("ghosts are gone", lambda: node.named("ghost"), [], 10)
    until("the daemon has nothing to do", node.settled, 10)
    equal(
        [len(node.named(name)) for name in ("hand", "nomads", "elsewhere")],
        [1, 1, 1],
        "entries of others",
    )
    deregister(node, "oracle1:f-other:80")


@fault
def reboot(lab):
    """After a power cut Consul brings back what the node had; what does not run any more is
    removed."""
    node = lab.thanos
    start_web(node, "--restart=always")
    node.run("f-once", "-p", "18090:8080", labels={"bevmesh.name": "once"})
    until_equal("once is in DNS", lambda: lab.oracle1.resolve("once"), [node.address])
    lab.crash(node)
    lab.boot(node)
    until_equal(
        "once is gone, web is back",
        lambda: (len(node.named("once")), lab.oracle1.resolve("once"), lab.oracle1.resolve("web")),
        (0, [], [node.address]),
        30,
    )


@fault
def stopped_in_order(lab):
    """SIGTERM ends the daemon with 0 within seconds and leaves every registration, also while
    Consul and Docker hang."""
    node = lab.thanos
    start_web(node, *HEALTH, command=("sh", "-c", "touch /tmp/ok; exec stand-in 8080"))
    before = node.services()
    node.kill("bevmesh", signal.SIGTERM)
    until_equal("the exit status", lambda: node.ending("bevmesh"), 0)
    check(not node.socket_path.exists(), "its socket is still there")
    equal(node.services(), before, "the agent's services")
    holds("web stays in DNS", lambda: lab.oracle1.resolve("web") == [node.address], 3)
    node.start("bevmesh")
    until("the daemon has nothing to do", node.settled)
    for service in ("consul", "docker"):
        node.freeze(service)
    # What a user asks now is under way, and is not waited for.
    asking = node.popen("bevmesh", "verify", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    holds("the daemon answers its own API", lambda: node.status()["pid"], 1)
    began = time.monotonic()
    node.kill("bevmesh", signal.SIGTERM)
    took = time.monotonic() - began
    until_equal("the exit status", lambda: node.ending("bevmesh"), 0)
    check(took < 10, f"with both frozen it took {took:.1f} s")  # then it would be forced
    asking.wait(30)
    for service in ("consul", "docker"):
        node.thaw(service)
    node.start("bevmesh")


@fault
def reload_good(lab):
    """SIGHUP with a new configuration: what it adds is registered, what it drops is not, the rest
    is untouched; each change is one line of the log, from now on in JSON."""
    node = lab.thanos
    start_web(node)
    node.run(
        "f-added", "-p", "18090:8080", labels={"bevmesh.enable": "true", "bevmesh.name": "unnamed"}
    )
    until_equal("unnamed is in DNS", lambda: lab.oracle1.resolve("unnamed"), [node.address])
    before, pid = node.named("web"), node.status()["pid"]
    until("the daemon has nothing to do", node.settled)
    mark, writes = node.log_size(), node.counters()
    lab.configure(
        node,
        append="  added: {match: {container: f-added}, nodes: [thanos], port: 18090}\n"
        "log: {format: json}\n",
    )
    node.kill("bevmesh", signal.SIGHUP)
    until_equal(
        "added is in DNS, unnamed is not",
        lambda: (lab.oracle1.resolve("added"), lab.oracle1.resolve("unnamed")),
        ([node.address], []),
    )
    equal((node.named("web"), node.status()["pid"]), (before, pid), "the entry of web, the process")
    node.remove("f-added")
    until_equal("added is gone", lambda: node.named("added"), [])
    until("the daemon has nothing to do", node.settled)
    told = [json.loads(line) for line in node.log(since=mark).splitlines()]
    equal(
        [t["service"] for t in told if t["message"] == "registered"],
        ["added"],
        "lines about registrations",
    )
    equal(
        sum(t["message"] == "deregistered" for t in told),
        node.counters()["deregistrations"] - writes["deregistrations"],
        "lines about removals, and removals",
    )
    check(
        all({"time", "level", "part", "message"} <= t.keys() for t in told),
        f"a line lacks something: {told}",
    )


@fault
def reload_bad(lab):
    """SIGHUP with a configuration that is wrong: the old one stays, and the log says every problem
    with its place."""
    node = lab.thanos
    start_web(node)
    before, mark = node.services(), node.log_size()
    lab.configure(
        node, append="  bad: {match: {container: x}, nodes: [nowhere], port: 18080, colour: red}\n"
    )
    node.kill("bevmesh", signal.SIGHUP)
    line = len((node.files / "etc/bevmesh/bevmesh.yaml").read_text().splitlines())
    for word in ("nowhere", "colour", f"bevmesh.yaml:{line}:"):
        until(f"the log names {word}", lambda word=word: word in node.log(since=mark))
    until("it says so", lambda: "configuration not taken" in node.log(since=mark))
    equal(node.services(), before, "the agent's services")
    node.remove("f-web")
    until_equal("the daemon goes on with the old one", lambda: lab.oracle1.resolve("web"), [], 3)


@fault
def bad_start(lab):
    """A configuration that is wrong, a node that is not in it, no file: exit 1, and stderr says
    what and where."""
    node = lab.starlord
    lab.configure(node, append="  bad: {match: {container: x}, nodes: [nowhere], port: 70000}\n")
    node.kill("bevmesh", signal.SIGTERM)
    config = "/etc/bevmesh/bevmesh.yaml"
    code, _, err = node.exec("bevmesh", "daemon", "--node", "starlord", "--config", config)
    check(
        code == 1 and "nowhere" in err and "70000" in err and config + ":" in err,
        f"a bad file: {code}, {err}",
    )
    lab.configure(node)
    code, _, err = node.exec("bevmesh", "daemon", "--node", "nobody", "--config", config)
    check(code == 1 and "nobody" in err and "starlord" in err, f"an unknown node: {code}, {err}")
    code, _, err = node.exec("bevmesh", "daemon", "--config", "/nowhere.yaml")
    check(code == 1 and "/nowhere.yaml" in err, f"no file: {code}, {err}")
    node.start("bevmesh")


@fault
def second_daemon(lab):
    """A second daemon on a node is refused at once, and the first does not notice."""
    node = lab.starlord
    pid = node.status()["pid"]
    code, _, err = node.exec(
        "bevmesh",
        "daemon",
        "--node",
        "starlord",
        "--config",
        "/etc/bevmesh/bevmesh.yaml",
        timeout=10,
    )
    check(code == 1, f"the second daemon ended with {code}")
    check("running" in err or "another" in err, f"it does not say why: {err}")
    equal(node.status()["pid"], pid, "who answers on the socket")


@fault
def socket_mode(lab):
    """The API's socket is for root and the group bevmesh, also when a killed daemon left one
    behind."""
    node = lab.starlord
    for _ in range(2):
        made = os.stat(node.socket_path)
        equal((stat.S_IMODE(made.st_mode), made.st_uid), (0o660, 0), "mode and owner of the socket")
        groups = (node.files / "etc/group").read_text().splitlines()
        wanted = next(int(line.split(":")[2]) for line in groups if line.startswith("bevmesh:"))
        equal(made.st_gid, wanted, "group of the socket")
        node.kill("bevmesh", signal.SIGKILL)
        check(node.socket_path.exists(), "a killed daemon leaves its socket")
        node.start("bevmesh")
    until("it answers", lambda: node.status()["node"] == "starlord")


@fault
def started_before_everything(lab):
    """A daemon that starts before Consul and Docker waits for both, and then does its work."""
    node = lab.thanos
    start_web(node, "--restart=always")
    for service in ("bevmesh", "docker", "consul"):
        node.kill(service, signal.SIGTERM)
    node.start("bevmesh")
    status = node.status()
    equal(
        (status["consul"]["reachable"], status["docker"]["reachable"], status["state"]),
        (False, False, "degraded"),
        "what the daemon says",
    )
    code, out, _ = node.cli("status")
    equal(code, 3, f"`bevmesh status`: {out}")
    node.start("docker")
    until("the engine is seen", lambda: node.status()["docker"]["reachable"], 10)
    node.start("consul")
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address], 20)
    until("the daemon is content", lambda: node.status()["state"] == "ok" and node.settled(), 10)


@fault
def state_directory_full(lab):
    """A state directory that is full or read-only: the daemon says so, and does everything else."""
    node = lab.thanos
    start_web(node)
    node.kill("bevmesh", signal.SIGTERM)
    for options in ("size=4k", "ro"):
        code, _, err = node.exec("mount", "-t", "tmpfs", "-o", options, "none", "/var/lib/bevmesh")
        equal(code, 0, f"mount: {err}")
        node.exec("sh", "-c", "yes > /var/lib/bevmesh/ballast")
        mark = node.log_size()
        node.start("bevmesh")
        until("the daemon has nothing to do", node.settled)
        code, _, err = node.cli("services", "maint", "web", "on", "--yes")
        check(
            code != 0 and "/var/lib/bevmesh" in err,
            f"that it will be forgotten is not told: {code}, {err}",
        )
        until_equal(
            f"{options}: maintenance works all the same", lambda: lab.oracle1.resolve("web"), []
        )
        node.cli("services", "maint", "web", "off", "--yes")
        until_equal("and its end", lambda: lab.oracle1.resolve("web"), [node.address])
        log = node.log(since=mark).lower()
        check(
            "warn" in log and "/var/lib/bevmesh" in log,
            f"{options}: no warning in the log: {log[-800:]}",
        )
        node.kill("bevmesh", signal.SIGTERM)
        node.exec("umount", "/var/lib/bevmesh")
    node.start("bevmesh")
