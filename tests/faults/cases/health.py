"""Docker's HEALTHCHECK, mirrored; several checks of one service; and how long a report is good
for."""

import json

from cases.life import start_web
from harness import check, equal, fault, holds, until, until_equal

# The output differs each time: none of it may get into Consul.
HEALTH = (
    "--health-cmd=date +%s%N; cat /proc/uptime; test -e /tmp/ok",
    "--health-interval=300ms",
    "--health-timeout=2s",
    "--health-retries=1",
)


def docker_check(node, service_id):
    return next((c for c in node.checks(service_id).values() if c["Type"] == "ttl"), None)


@fault
def health_changes(lab):
    """starting is out of DNS, healthy in, unhealthy out, healthy in again; each with a constant
    output."""
    node = lab.thanos
    node.run("f-web", "-p", "18080:8080", *HEALTH, "--health-start-period=60s")
    (entry,) = until("web is registered", lambda: node.named("web"))
    found = until("Docker's health is a check", lambda: docker_check(node, entry["ID"]))
    equal(
        (found["Status"], lab.oracle1.resolve("web")),
        ("critical", []),
        "a container that is starting",
    )
    outputs = {}
    for step, (command, status) in enumerate(
        [
            (("touch", "/tmp/ok"), "passing"),
            (("rm", "/tmp/ok"), "critical"),
            (("touch", "/tmp/ok"), "passing"),
            (("rm", "/tmp/ok"), "critical"),
        ]
    ):
        node.docker("exec", "f-web", *command)
        wanted = [node.address] if status == "passing" else []
        until_equal(
            f"DNS of oracle1 after {' '.join(command)}",
            lambda: lab.oracle1.resolve("web"),
            wanted,
            4,
        )
        found = docker_check(node, entry["ID"])
        equal(found["Status"], status, "Docker's word in Consul")
        text = (found["Output"], found["Notes"])
        equal(text, outputs.setdefault(status, text), f"the text of {status}, the second time")


@fault
def health_output_makes_no_writes(lab):
    """A health check that says something else each time makes no write as long as it passes."""
    node = lab.thanos
    start_web(node, *HEALTH, command=("sh", "-c", "touch /tmp/ok; exec stand-in 8080"))
    until("the daemon has nothing to do", node.settled)
    counters, index = node.counters(), lab.oracle1.index("web")
    holds("nothing about web is written", lambda: lab.oracle1.index("web") == index, 3)
    equal(node.counters(), counters, "the daemon's writes")


@fault
def health_none(lab):
    """Without a HEALTHCHECK, or with --no-healthcheck, the TCP check alone decides."""
    node = lab.thanos
    start_web(node, "--no-healthcheck")
    (entry,) = node.named("web")
    equal([c["Type"] for c in node.checks(entry["ID"]).values()], ["tcp"], "the checks of web")


@fault
def health_beside_tcp(lab):
    """Beside Docker's word stands a native TCP check: a healthy container whose port is dead is
    out of DNS."""
    node = lab.thanos
    start_web(
        node, *HEALTH, command=("sh", "-c", "touch /tmp/ok; httpd -p 8080 -h /www; exec sleep 600")
    )
    (entry,) = node.named("web")
    equal(
        sorted(c["Type"] for c in node.checks(entry["ID"]).values()),
        ["tcp", "ttl"],
        "the checks of web",
    )
    node.docker("exec", "f-web", "killall", "httpd")
    until_equal(
        "Consul found the port dead",
        lambda: sorted(node.states(entry["ID"]).values()),
        ["critical", "passing"],
        20,
    )
    # An agent whose sync failed (a test before this one froze servers) tries again after 15 s.
    until_equal("web is gone from the DNS of oracle1", lambda: lab.oracle1.resolve("web"), [], 20)


@fault
def reports_are_good_for_a_day(lab):
    """Docker's word is good for 24 h: a daemon that is stopped for an hour removes nothing from
    DNS."""
    node = lab.thanos
    start_web(node, *HEALTH, command=("sh", "-c", "touch /tmp/ok; exec stand-in 8080"))
    (entry,) = node.named("web")
    mirrored = docker_check(node, entry["ID"])["CheckID"]
    # Consul's API does not tell a check's TTL; what the agent keeps on its disk does.
    kept = [
        json.loads(file.read_text())
        for file in (node.files / "lib/consul/checks").iterdir()
        if file.is_file()
    ]
    times = [c["ChkType"]["TTL"] for c in kept if c["Check"]["CheckID"] == mirrored]
    check(times in ([24 * 3600 * 10**9], ["24h0m0s"]), f"the TTL of {mirrored}: {times}")
    node.kill("bevmesh", 15)
    holds(
        "web stays in DNS without the daemon",
        lambda: lab.oracle1.resolve("web") == [node.address],
        6,
    )
    equal(set(node.states(entry["ID"]).values()), {"passing"}, "the checks of web")
    node.start("bevmesh")


@fault
def several_checks(lab):
    """A service with several checks is in DNS when all of them pass, and out when any fails."""
    node = lab.thanos
    node.run(
        "f-several",
        "-p",
        "18082:8080",
        "-p",
        "18083:9000",
        command=("sh", "-c", "cp /www/health /www/ready; exec stand-in 8080 9000"),
    )
    until_equal(
        "several is in the DNS of oracle1", lambda: lab.oracle1.resolve("several"), [node.address]
    )
    until_equal(
        "its further port too", lambda: lab.oracle1.locate("several-admin"), [(node.address, 18083)]
    )
    (entry,) = node.named("several")
    equal(
        sorted(c["Type"] for c in node.checks(entry["ID"]).values()),
        ["http", "http", "tcp"],
        "its checks",
    )
    node.docker("exec", "f-several", "rm", "/www/ready")
    until_equal("several is out of DNS", lambda: lab.oracle1.resolve("several"), [], 6)
    until_equal(
        "its checks",
        lambda: sorted(node.states(entry["ID"]).values()),
        ["critical", "passing", "passing"],
    )
    node.docker("exec", "f-several", "cp", "/www/health", "/www/ready")
    until_equal("several is back in DNS", lambda: lab.oracle1.resolve("several"), [node.address], 6)
