"""Kinds of checks, as Consul itself takes and runs them."""

import json
import signal

from harness import check, equal, fault, holds, until, until_equal
from node import BASE

# nginx with a certificate that nobody signed: HTTP/1.1 and 2 over TLS, and as grpc.health.v1 does,
# one answer of five bytes of frame and SERVING.
SECURE = r"""
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=f-secure \
    -keyout /tmp/key.pem -out /tmp/cert.pem 2>/dev/null
mkdir -p /tmp/www/grpc.health.v1.Health
printf '\000\000\000\000\002\010\001' > /tmp/www/grpc.health.v1.Health/Check
cat > /tmp/nginx.conf <<'CONF'
events {}
http {
    server {
        listen PORT ssl http2;
        ssl_certificate /tmp/cert.pem;
        ssl_certificate_key /tmp/key.pem;
        root /tmp/www;
        location = / { return 204; }
        location /grpc.health.v1.Health/ {
            default_type application/grpc;
            add_trailer grpc-status 0;
            error_page 405 =200 $uri;  # of a file, asked for by POST
        }
    }
}
CONF
exec nginx -g 'daemon off;' -c /tmp/nginx.conf
"""

# Consul's check of UDP waits for an answer, and for ever where a datagram is taken in silence.
ECHO = r"""
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => PORT, Proto => "udp");
    $s->send($m) while $s->recv($m, 1500)' &
"""


def labels(name, **checks):
    """bevmesh.check.N.X labels: N is the keyword, its value the settings."""
    made = {"bevmesh.name": name}
    for number, settings in checks.items():
        for key, value in settings.items():
            made[f"bevmesh.check.{number}.{key}"] = value
    return made


@fault
def every_native_kind(lab):
    """http, https, tcp, udp, grpc, h2ping, ttl and alias are Consul's own checks: those that nobody
    can try before are born critical, each passes where its kind is answered, and those that fail
    say why, and keep the service out of DNS."""
    node = lab.thanos
    fast = {"interval": "1s", "timeout": "1s"}
    secure = {"tls": "true", "tls_skip_verify": "true", **fast}
    mark = node.log_size()
    node.run(
        "f-kinds",
        "--network=host",
        "--expose=18090",
        image=BASE,
        command=("sh", "-c", (ECHO + SECURE).replace("PORT", "18090")),
        labels={
            "bevmesh.port": "18090",
            **labels(
                "kinds",
                a={"name": "tcp", "tcp": "true", **fast},
                b={"name": "http", "http": "/health", "failures_before_critical": "1", **fast},
                c={"name": "https", "https": "/", "tls_skip_verify": "true", **fast},
                d={"name": "udp", "udp": "true", **fast},
                e={"name": "grpc", "grpc": "true", **secure},
                f={"name": "h2ping", "h2ping": "true", **secure},
                g={"name": "ttl", "ttl": "30s"},
                h={"name": "alias", "alias": "thanos:bevmesh"},
            ),
        },
    )
    (entry,) = until("kinds is registered", lambda: node.named("kinds"), 8)
    found = node.checks(entry["ID"]).values()
    equal(
        {c["Name"]: c["Type"] for c in found},
        {
            **{kind: kind for kind in ("tcp", "http", "udp", "grpc", "h2ping", "ttl", "alias")},
            "https": "http",
        },
        "types of its checks",
    )
    def born():
        lines = node.log(since=mark).splitlines()
        told = [line for line in lines if "registered service=kinds" in line]
        return told[:1] and told[0].partition("checks=")[2].split()[0].split(",")

    states = dict(zip(sorted(c["Name"] for c in found), until("the log tells of it", born)))
    equal(
        {kind: states[kind] for kind in ("alias", "grpc", "h2ping", "ttl", "udp")},
        dict.fromkeys(("alias", "grpc", "h2ping", "ttl", "udp"), "critical"),
        "states at birth of what was not tried before",
    )
    until_equal(
        "what passes, and what fails",
        lambda: {c["Name"]: c["Status"] for c in node.checks(entry["ID"]).values()},
        {
            **dict.fromkeys(("tcp", "https", "udp", "grpc", "h2ping", "alias"), "passing"),
            **dict.fromkeys(("http", "ttl"), "critical"),
        },
        10,
    )

    def says_why():
        (why,) = (c["Output"] for c in node.checks(entry["ID"]).values() if c["Name"] == "http")
        return "400" in why

    until("plain HTTP to a port of TLS says why", says_why)
    equal(lab.oracle1.resolve("kinds"), [], "DNS of a service with failing checks")


@fault
def https_born_true(lab):
    """A service with an http or https check is in DNS when it answers, and not a check's interval
    later; one whose certificate is not believed is not."""
    node = lab.thanos
    slow = {"interval": "10m", "timeout": "2s"}
    command = ("sh", "-c", SECURE.replace("PORT", "8443"))
    for name, port, more in (
        ("secure", 18443, {"tls_skip_verify": "true"}),
        ("doubtful", 18444, {}),
    ):
        node.run(
            f"f-{name}",
            "-p",
            f"{port}:8443",
            image=BASE,
            command=command,
            labels=labels(name, a={"https": "/", **slow, **more}),
        )
    node.run("f-plain", "-p", "18090:8080", labels=labels("plain", a={"http": "/health", **slow}))
    for name, port in (("secure", 18443), ("plain", 18090)):
        until_equal(
            f"{name} is in the DNS of oracle1",
            lambda name=name: lab.oracle1.locate(name),
            [(node.address, port)],
            3,
        )
    until("doubtful is registered", lambda: node.named("doubtful"))
    equal(lab.oracle1.resolve("doubtful"), [], "DNS of one that nobody believes")


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
    until_equal("its entry", lambda: node.named("scripted"), [])
