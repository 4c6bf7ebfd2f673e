"""Kinds of checks, as Consul itself takes and runs them."""

import json
import signal

from harness import check, equal, fault, holds, until, until_equal


def labels(name, **checks):
    """bevmesh.check.N.X labels: N is the keyword, its value the settings."""
    made = {"bevmesh.name": name}
    for number, settings in checks.items():
        for key, value in settings.items():
            made[f"bevmesh.check.{number}.{key}"] = value
    return made


@fault
def every_native_kind(lab):
    """http, https, tcp, udp, grpc, h2ping, ttl and alias are Consul's own checks; those that fail
    say why, and keep the service out of DNS."""
    node = lab.thanos
    fast = {"interval": "1s", "timeout": "1s"}
    node.run(
        "f-kinds",
        "-p",
        "18090:8080",
        labels=labels(
            "kinds",
            a={"tcp": "true", **fast},
            b={"http": "/health", "header": "X-Asked-By: consul", **fast},
            c={"https": "/", "tls_skip_verify": "true", "failures_before_critical": "1", **fast},
            d={"udp": "true", **fast},
            e={"grpc": "some.Service", **fast},
            f={"h2ping": "true", **fast},
            g={"ttl": "30s"},
            h={"alias": "thanos:bevmesh"},
        ),
    )
    (entry,) = until("kinds is registered", lambda: node.named("kinds"), 8)
    found = node.checks(entry["ID"]).values()
    equal(
        sorted(c["Type"] for c in found),
        ["alias", "grpc", "h2ping", "http", "http", "tcp", "ttl", "udp"],
        "types of its checks",
    )

    def says(kind):
        return [c["Output"] for c in node.checks(entry["ID"]).values() if c["Type"] == kind]

    until("the failing ones say why", lambda: all(all(says(k)) for k in ("grpc", "h2ping")), 8)
    equal(lab.oracle1.resolve("kinds"), [], "DNS of a service with failing checks")


@fault
def ttl_by_the_application(lab):
    """A TTL check is the application's to report: in DNS with its heartbeat, out when it says
    so."""
    node = lab.thanos
    node.run("f-beats", "-p", "18090:8080", labels=labels("beats", a={"ttl": "30s"}))
    (entry,) = until("beats is registered", lambda: node.named("beats"))
    (beat,) = [c["CheckID"] for c in node.checks(entry["ID"]).values() if c["Type"] == "ttl"]
    equal(lab.oracle1.resolve("beats"), [], "DNS before the first heartbeat")
    for word, wanted in (("pass", [node.address]), ("fail", []), ("pass", [node.address])):
        node.consul("PUT", f"/v1/agent/check/{word}/{beat}")
        until_equal(f"DNS after {word}", lambda: lab.oracle1.resolve("beats"), wanted)
    holds("the daemon leaves it so", lambda: lab.oracle1.resolve("beats") == wanted, 1)


@fault
def script_checks_not_enabled(lab):
    """A script check where Consul runs no scripts: Consul's refusal is told, and the other services
    are as they should be."""
    node = lab.thanos
    node.run("f-script", "-p", "18090:8080", labels=labels("scripted", a={"script": "true"}))
    node.run("f-web", "-p", "18080:8080")
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address])
    until_equal("it fails", lambda: node.local("thanos:f-script:8080")["phase"], "failing")
    until("the log says what Consul says", lambda: "cripts are disabled" in node.log())
    before = node.counters()["write_errors"]
    holds("and it is no storm", lambda: node.counters()["write_errors"] <= before + 5, 3)
    node.remove("f-script")
    until("the daemon is content", lambda: node.status()["state"] == "ok")


@fault
def script_and_docker_checks(lab):
    """Where Consul runs scripts: a script on the node, and a command inside the container,
    decide."""
    node = lab.oracle1
    own = node.files / "etc/consul.d/this-node.json"
    settings = json.loads(own.read_text())
    own.write_text(json.dumps({**settings, "enable_script_checks": True}))
    try:
        node.kill("consul", signal.SIGTERM)
        node.start("consul")
        fast = {"interval": "1s", "timeout": "5s"}
        node.run(
            "f-script",
            "-p",
            "18090:8080",
            labels=labels(
                "scripted",
                a={"script": "sh -c 'test $SERVICE_PORT = 18090'", **fast},
                b={"docker": "sh -c 'test -e /tmp/ok || exit 2'", **fast},
            ),
        )
        (entry,) = until("it is registered", lambda: node.named("scripted"), 15)

        def states():
            return {c["Type"]: c["Status"] for c in node.checks(entry["ID"]).values()}

        wanted = {"script": "passing", "docker": "critical"}
        until_equal("the script passes, the command not", states, wanted, 10)
        node.docker("exec", "f-script", "touch", "/tmp/ok")
        found = lambda: lab.starlord.resolve("scripted")
        until_equal("it is in DNS when both pass", found, [node.address], 10)
        node.remove("f-script")
        until_equal("and gone with its container", found, [], 4)
    finally:
        own.write_text(json.dumps(settings))
        node.kill("consul", signal.SIGTERM)
        node.start("consul")
    check(node.named("scripted") == [], "its entry")
