"""A container's life: start, stop, kill, pause, restart loops, rename."""

import json

from harness import check, equal, fault, holds, until, until_equal
from node import BASE


def start_web(node, *options, **how):
    node.run("f-web", "-p", "18080:8080", *options, **how)
    for asked in node.mesh.nodes:
        what = f"f-web on {node} is in the DNS of {asked}"
        until_equal(what, lambda asked=asked: asked.resolve("web"), [node.address])


@fault
def run_resolves_elsewhere(lab):
    """A container that starts on one node is found by its name from a container on another, with
    no address configured."""
    lab.thanos.run("f-web", "-p", "18080:8080")
    until_equal(
        "web on thanos is in the DNS of oracle1",
        lambda: lab.oracle1.resolve("web"),
        [lab.thanos.address],
        3,
    )
    wanted = [(lab.thanos.address, 18080)]
    until_equal("the SRV record on starlord", lambda: lab.starlord.locate("web"), wanted)
    lab.oracle1.run("f-client", "--network=bev_oracle", image=BASE, command=("sleep", "60"))
    client = lab.oracle1.inspect("f-client")
    configured = [client["Config"], client["HostConfig"]["ExtraHosts"], client["HostConfig"]["Dns"]]
    known = [node.address for node in lab.nodes if node.address in str(configured)]
    equal(known, [], "addresses that the client was given")
    ask = ("curl", "-sS", "--max-time", "5", "http://web.service.consul:18080/health")
    answer = lab.oracle1.docker("exec", "f-client", *ask)
    check('"ok"' in answer, f"the answer of web, asked by name: {answer!r}")
    code, out, err = lab.oracle1.cli("resolve", "web", "--format=json")
    told = json.loads(out or "{}")
    equal((code, told.get("verdict")), (0, "agree"), f"`bevmesh resolve web`: {out} {err}")
    equal(
        [(one["address"], one["port"], one["node"]) for one in told["instances"]],
        [(lab.thanos.address, 18080, "thanos")],
        "what it shows",
    )


@fault
def process_ends(lab):
    """A container whose process ends by itself is gone from DNS and from Consul."""
    node = lab.thanos
    start_web(
        node,
        command=(
            "sh",
            "-c",
            "httpd -p 8080 -h /www; while [ ! -e /tmp/end ]; do usleep 20000; done",
        ),
    )
    until_equal("web is in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address])
    node.docker("exec", "f-web", "touch", "/tmp/end")
    until_equal("web is gone from the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [], 3)
    until_equal("the agent has no web", lambda: node.named("web"), [])


@fault
def docker_kill(lab):
    """`docker kill` takes the service out at once; a signal that the container survives changes
    nothing."""
    node = lab.thanos
    start_web(
        node,
        command=("sh", "-c", "trap : USR1; httpd -p 8080 -h /www; while :; do usleep 20000; done"),
    )
    until("the daemon has nothing to do", node.settled)
    before = node.counters()
    node.docker("kill", "--signal=USR1", "f-web")
    holds("web stays in DNS", lambda: node.resolve("web") == [node.address], 1)
    equal(node.counters(), before, "the daemon's writes after a signal that was survived")
    node.docker("kill", "f-web")
    until_equal("web is gone from the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [], 3)
    until_equal("the agent has no web", lambda: node.named("web"), [])


@fault
def pause_unpause(lab):
    """A paused container leaves DNS, keeps its entry with the reason, and comes back with
    unpause."""
    node = lab.thanos
    start_web(node)
    (entry,) = node.named("web")
    node.docker("pause", "f-web")
    until_equal("web is gone from the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [], 3)
    equal(node.service(entry["ID"]), entry, "the entry of a paused container")
    notes = [
        c["Notes"]
        for c in node.checks(entry["ID"]).values()
        if c["CheckID"].startswith("_service_maintenance")
    ]
    check(notes and "paused" in notes[0], f"the maintenance check does not say why: {notes}")
    node.docker("unpause", "f-web")
    until_equal(
        "web is back in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address], 3
    )


@fault
def docker_restart(lab):
    """`docker restart` keeps name, ID and address of the service, and ends with it in DNS once."""
    node = lab.thanos
    start_web(node)
    (before,) = node.named("web")
    node.docker("restart", "-t", "0", "f-web")
    until("the daemon has nothing to do", node.settled)
    until_equal(
        "web is in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address], 3
    )
    until_equal(
        "the entry after the restart",
        lambda: [{**entry, "Meta": None} for entry in node.named("web")],
        [{**before, "Meta": None}],
    )


@fault
def crash_loop(lab):
    """A container that dies before it serves, again and again, is never in DNS, and costs a
    handful of writes."""
    node = lab.thanos
    node.run(
        "f-web",
        "-p",
        "18080:8080",
        "--restart=always",
        command=("sh", "-c", "usleep 50000; exit 1"),
    )
    before = node.counters()
    index = lab.oracle1.index("web")
    seen = set()

    def never():
        seen.add(lab.oracle1.index("web"))
        return lab.oracle1.resolve("web") == []

    holds("web is not in DNS", never, 8)
    restarts = node.inspect("f-web")["RestartCount"]
    check(restarts >= 4, f"the container was to restart often, and did {restarts} times")
    after = node.counters()
    writes = sum(after.values()) - sum(before.values())
    # A registration, and one change of maintenance for each restart that the engine makes ever
    # more slowly.
    check(
        writes <= 2 * restarts + 4, f"{writes} writes for {restarts} restarts: {before} → {after}"
    )
    check(
        len(seen - {index}) <= 2 * restarts + 4,
        f"{len(seen)} states in the catalog for {restarts} restarts",
    )


@fault
def crash_loop_of_one_that_answers(lab):
    """A container that answers for a moment before each crash does not make its name flap faster
    than it lives."""
    node = lab.thanos
    node.run(
        "f-web",
        "-p",
        "18080:8080",
        "--restart=always",
        command=("sh", "-c", "httpd -p 8080 -h /www; usleep 300000; exit 1"),
    )
    before = node.counters()
    flips, last = [], []

    def count():
        now = lab.oracle1.resolve("web")
        if now != last:
            flips.append(now)
            last[:] = now
        return True

    holds("counting", count, 8)
    restarts = node.inspect("f-web")["RestartCount"]
    after = node.counters()
    writes = sum(after.values()) - sum(before.values())
    check(restarts >= 3, f"the container was to restart often, and did {restarts} times")
    check(
        len(flips) <= 2 * restarts + 2,
        f"{len(flips)} flips in DNS for {restarts} restarts: {flips}",
    )
    check(
        writes <= 3 * restarts + 4, f"{writes} writes for {restarts} restarts: {before} → {after}"
    )
    node.remove("f-web")
    until_equal("web is gone from DNS", lambda: lab.oracle1.resolve("web"), [], 3)


@fault
def rename(lab):
    """A renamed container has its service under the new name's ID, and nothing is left of the old
    one."""
    node = lab.thanos
    node.run("f-old", "-p", "18090:8080", labels={"bevmesh.name": "renamed"})
    until_equal(
        "it is in the DNS of oracle1",
        lambda: lab.oracle1.locate("renamed"),
        [(node.address, 18090)],
    )
    node.docker("rename", "f-old", "f-new")
    until_equal(
        "the entry has the new ID",
        lambda: [e["ID"] for e in node.named("renamed")],
        ["thanos:f-new:8080"],
        3,
    )
    until_equal(
        "it is in the DNS of oracle1",
        lambda: lab.oracle1.locate("renamed"),
        [(node.address, 18090)],
    )


@fault
def rename_to_a_configured_name(lab):
    """A container that is renamed to the name that the configuration waits for becomes that
    service."""
    node = lab.thanos
    node.run("f-candidate", "-p", "18080:8080", labels={"bevmesh.enable": "true"})
    node.docker("rename", "f-candidate", "f-web")
    until_equal(
        "web is in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address], 3
    )
    node.docker("rename", "f-web", "f-candidate")
    until_equal("web is gone from the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [], 3)


@fault
def recreated_under_the_same_name(lab):
    """A container that is removed and made again under its name has the one entry, of the new
    container."""
    node = lab.thanos
    start_web(node)
    for _ in range(3):
        node.remove("f-web")
        made = node.run("f-web", "-p", "18080:8080")
    until(
        "the entry is the new container's",
        lambda: [e["Meta"]["bevmesh-container"] for e in node.named("web")] == [made[:12]],
        3,
    )
    until_equal("web is in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address])
    until("the daemon has nothing to do", node.settled)
    holds("it stays", lambda: lab.oracle1.resolve("web") == [node.address], 1)


@fault
def port_answers_late(lab):
    """A container whose port answers late is announced as critical, and is in DNS as soon as it
    answers."""
    node = lab.thanos
    node.run(
        "f-web",
        "-p",
        "18080:8080",
        command=(
            "sh",
            "-c",
            "while [ ! -e /tmp/go ]; do usleep 20000; done; exec httpd -f -p 8080 -h /www",
        ),
    )
    until(
        "the entry is there, critical",
        lambda: [node.states(e["ID"]) for e in node.named("web")]
        and set(node.states(node.named("web")[0]["ID"]).values()) == {"critical"},
        5,
    )
    equal(lab.oracle1.resolve("web"), [], "DNS of a service that does not answer")
    node.docker("exec", "f-web", "touch", "/tmp/go")
    # Consul itself would look again only after the check's interval, ten seconds.
    until_equal(
        "web is in the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [node.address], 6
    )
