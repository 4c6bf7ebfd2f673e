"""The daemons among themselves: they know each other by certificate, act for each other, and tell
Prometheus."""

import errno
import http.client
import re
import signal
import socket
import subprocess
import time

from bevlab import certificates
from cases.life import start_web
from harness import check, equal, fault, until

PEERS_PORT = 8702
METRICS_PORT = 9701


def peers(node):
    """What the node's daemon knows of the others: name → entry."""
    return {peer["node"]: peer for peer in node.status()["peers"]}


def reachable(node):
    return {name for name, peer in peers(node).items() if peer["reachable"]}


def scrape(node, path="/metrics"):
    connection = http.client.HTTPConnection("127.0.0.1", METRICS_PORT, timeout=5)
    with node.in_network():
        connection.connect()
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def is_refused(asker, address, port):
    with asker.in_network():
        sock = socket.socket()
    with sock:
        sock.settimeout(2)
        return sock.connect_ex((address, port)) == errno.ECONNREFUSED


def value(text, sample):
    """Of `name{label="value"}`, as it is written."""
    lines = [line for line in text.splitlines() if line.startswith(sample + " ")]
    check(len(lines) == 1, f"{sample} is there once: {lines}")
    return float(lines[0].rsplit(" ", 1)[1])


def _are_as_they_are(node, others):
    """They have the same configuration, and a round trip takes time."""
    seen = peers(node)
    return all(seen[one]["same_config"] and seen[one]["round_trip_us"] > 0 for one in others)


@fault
def peers_up_and_down(lab):
    """Every daemon sees the others, notices within 5 s that one is gone, frozen or back, and serves
    on meanwhile."""
    for node in lab.nodes:
        others = {other.name for other in lab.nodes} - {node.name}
        until(f"{node} sees the others", lambda n=node, o=others: reachable(n) == o)
        until(f"{node} sees what they are", lambda n=node, o=others: _are_as_they_are(n, o))
    mark = lab.starlord.log_size()
    lab.thanos.freeze("bevmesh")
    until("a frozen daemon is unreachable", lambda: reachable(lab.starlord) == {"oracle1"})
    equal(lab.starlord.status()["state"], "degraded", "the state")
    code, out, _ = lab.starlord.cli("status")
    equal(code, 3, "exit code of `bevmesh status`")
    check("unreachable  thanos" in out, f"`bevmesh status` says which: {out}")
    lab.thanos.thaw("bevmesh")
    until("it is back", lambda: reachable(lab.starlord) == {"thanos", "oracle1"})
    lab.thanos.kill("bevmesh", signal.SIGKILL)
    until("a dead daemon is unreachable", lambda: reachable(lab.starlord) == {"oracle1"})
    lab.thanos.start("bevmesh")
    until("it is back", lambda: reachable(lab.starlord) == {"thanos", "oracle1"})
    said = re.findall(r"peer (down|up)\b.*\bthanos\b", lab.starlord.log(since=mark))
    equal(said[:1] + said[-1:], ["down", "up"], "the first and the last line that say so")
    equal(said, ["down", "up"] * (len(said) // 2), "they alternate")
    check(len(said) >= 4, f"each is said: {said}")


@fault
def maintenance_of_another_node(lab):
    """`services maint NAME on --node N` acts on node N alone, from any node, and says what is not
    there."""
    start_web(lab.thanos)
    until("thanos has it", lambda: lab.thanos.named("web"))
    until("they know each other", lambda: "thanos" in reachable(lab.oracle1))
    maint = ("services", "maint", "web")
    code, _, err = lab.oracle1.cli(*maint, "on", "--node", "thanos", "--yes")
    equal(code, 0, f"exit code; {err}")
    check("web on thanos: into maintenance" in err, f"the plan names the node: {err}")
    until("it is out of DNS", lambda: lab.oracle1.resolve("web") == [])
    check("web" in lab.thanos.kept_maintenance(), "thanos keeps the wish")
    equal(lab.oracle1.kept_maintenance(), {}, "what oracle1 keeps")
    equal(lab.oracle1.cli(*maint, "off", "--node", "thanos", "--yes")[0], 0, "exit code")
    until("it is back", lambda: lab.oracle1.resolve("web") == [lab.thanos.address])
    code, _, err = lab.oracle1.cli(*maint, "on", "--node", "starlord", "--yes")
    equal(code, 1, "exit code for a node without it")
    check("node starlord has no service web; it is on thanos" in err, err)
    code, _, err = lab.oracle1.cli(*maint, "on", "--node", "loki", "--yes")
    check("no node is called loki" in err, err)


@fault
def peers_listener_asks_for_certificates(lab):
    """The listener is on the mesh address alone, and without a certificate of a node of this mesh
    nobody gets a byte of an answer."""
    node, other = lab.thanos, lab.oracle1
    own = other.files / "etc/bevmesh/tls"
    request = f"GET /v1/peer HTTP/1.1\r\nHost: {node.name}\r\nConnection: close\r\n\r\n"

    def ask(*options, address=node.address, asker=other):
        done = asker.popen(
            *("timeout", "5", "openssl", "s_client", "-quiet"),
            *("-connect", f"{address}:{PEERS_PORT}", *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.communicate(request)[0]

    def with_certificate(directory):
        return "-cert", str(directory / "node.pem"), "-key", str(directory / "node.key")

    check('"node":"thanos"' in ask(*with_certificate(own)), "a node is answered")
    stranger = own.parent / "tls-of-a-stranger"
    authority = certificates.make_ca(own.parent / "ca-of-a-stranger", "another mesh")
    certificates.issue(other.name, stranger, authority)
    foreign = own.parent / "tls-of-another-mesh"
    certificates.issue(other.name, foreign, mesh="other")
    for options in (
        (),
        with_certificate(stranger),
        with_certificate(foreign),
        (*with_certificate(own), "-tls1_2"),
    ):
        check("HTTP/" not in ask(*options), f"no answer with {options}")
    loopback = ask(*with_certificate(own), address="127.0.0.1", asker=node)
    check("refused" in loopback, f"nothing listens on loopback: {loopback}")


@fault
def metrics_are_clean(lab):
    """`promtool check metrics` finds nothing; values are true; /readyz says what is missing."""
    node = lab.thanos
    # Counters from zero, whatever went wrong with the engine before.
    node.kill("bevmesh", signal.SIGTERM)
    node.start("bevmesh")
    # Or the list has it, and no event is counted.
    until("the engine's events are read", lambda: node.status()["docker"]["reachable"])
    start_web(node)
    until("it is announced", lambda: node.local("thanos:f-web:8080") or node.named("web"))
    until("they know each other", lambda: len(reachable(node)) == 2)
    until("it is ready", lambda: scrape(node, "/readyz") == (200, "ok\n"))
    status, text = scrape(node)
    equal(status, 200, "status of /metrics")
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    equal((checked.returncode, checked.stdout + checked.stderr), (0, ""), "promtool's verdict")
    registrar = node.status()["registrar"]
    for phase in ("announced", "refused"):
        equal(value(text, f'bevmesh_services{{phase="{phase}"}}'), registrar[phase], phase)
    check(value(text, 'bevmesh_consul_writes_total{kind="register"}') >= 1, "writes are counted")
    equal(value(text, 'bevmesh_peer_up{node="oracle1"}'), 1, "peer_up")
    check(value(text, "bevmesh_engine_events_total") >= 1, "events are counted")
    check(value(text, 'bevmesh_engine_event_lag_seconds_bucket{le="+Inf"}') >= 1, "their lag")
    for side in ("docker", "consul"):
        check(
            value(text, f'bevmesh_comparisons_total{{side="{side}",result="done"}}') >= 1,
            f"full lists of {side} are counted",
        )
        happened = value(
            text, f'bevmesh_comparison_last_success_timestamp_seconds{{side="{side}"}}'
        )
        check(abs(time.time() - happened) < 120, f"when {side} was listed last")
    equal(value(text, 'bevmesh_errors_total{peer="docker"}'), 0, "errors of Docker")
    check(value(text, "process_resident_memory_bytes") > 1e6, "resident memory")
    equal(scrape(node, "/livez")[0], 200, "status of /livez")
    for asker in (node, lab.oracle1):
        check(
            is_refused(asker, node.address, METRICS_PORT),
            f"{asker} reads the metrics of {node} at its mesh address",
        )
    node.kill("consul", signal.SIGKILL)
    until("it is not ready", lambda: scrape(node, "/readyz")[0] == 503)
    check("Consul does not answer" in scrape(node, "/readyz")[1], "and says why")
    equal(scrape(node, "/livez")[0], 200, "status of /livez")
    until(
        "errors are counted by who was called",
        lambda: value(scrape(node)[1], 'bevmesh_errors_total{peer="consul"}') >= 1,
    )
    node.start("consul")
    until("it is ready again", lambda: scrape(node, "/readyz")[0] == 200, 15)
