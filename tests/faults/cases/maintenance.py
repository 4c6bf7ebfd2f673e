"""Maintenance by the command line: out of DNS, told why, and kept over restarts of everything."""

import signal

from cases.life import start_web
from harness import check, equal, fault, holds, until, until_equal


def maint(node, *args):
    code, out, err = node.cli("services", "maint", *args)
    equal(code, 0, f"services maint {' '.join(args)}: {out} {err}")
    return out


@fault
def maintenance(lab):
    """On: out of DNS with its reason, and it stays so over restarts of container and daemon. Off:
    in DNS."""
    node = lab.thanos
    start_web(node)
    (entry,) = node.named("web")
    maint(node, "web", "on", "--yes", "--reason", "a new disk")
    until_equal("web is out of DNS", lambda: lab.oracle1.resolve("web"), [], 3)
    notes = [
        c["Notes"]
        for check_id, c in node.checks(entry["ID"]).items()
        if check_id.startswith("_service_maintenance")
    ]
    check(notes and "a new disk" in notes[0], f"the reason in Consul: {notes}")
    code, out, _ = node.cli("services", "--format", "json", "web")
    check(code == 0 and "maintenance" in out, f"`bevmesh services web`: {code}, {out}")

    def out_of_dns():
        return lab.oracle1.resolve("web") == []

    node.docker("restart", "-t", "0", "f-web")
    holds("a restarted container stays out", out_of_dns, 1.5)
    node.remove("f-web")
    node.run("f-web", "-p", "18080:8080")
    until("the recreated one has its entry", lambda: node.named("web"))
    holds("a recreated container stays out", out_of_dns, 1.5)
    for number in (signal.SIGKILL, signal.SIGTERM):
        node.kill("bevmesh", number)
        node.start("bevmesh")
        until("the daemon has nothing to do", node.settled)
        holds(f"it stays out after {number.name} of the daemon", out_of_dns, 0.5)
    maint(node, "web", "off", "--yes")
    until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address], 3)
    node.kill("bevmesh", signal.SIGTERM)
    node.start("bevmesh")
    until("the daemon has nothing to do", node.settled)
    equal(lab.oracle1.resolve("web"), [node.address], "DNS after the last restart")


@fault
def maintenance_needs_a_yes(lab):
    """Without a terminal and without --yes nothing is changed; a service that is not here is
    told."""
    node = lab.thanos
    start_web(node)
    code, _, err = node.cli("services", "maint", "web", "on")
    check(code == 1 and "--yes" in err, f"without --yes: {code}, {err}")
    code, _, err = node.cli("services", "maint", "nothing", "on", "--yes")
    check(code in (1, 2) and "nothing" in err, f"an unknown service: {code}, {err}")
    equal(lab.oracle1.resolve("web"), [node.address], "DNS of web")


@fault
def maintenance_of_an_admin(lab):
    """`consul maint` by an admin is never lifted by us: not by unpause, nor by a restart of the
    daemon."""
    node = lab.thanos
    start_web(node)
    (entry,) = node.named("web")
    node.consul("PUT", f"/v1/agent/service/maintenance/{entry['ID']}?enable=true&reason=by+hand")
    until_equal("web is out of DNS", lambda: lab.oracle1.resolve("web"), [])
    node.run("f-witness", "-p", "18090:8080", labels={"bevmesh.name": "witness"})
    until_equal("witness is in DNS", lambda: lab.oracle1.resolve("witness"), [node.address])
    for verb, wanted in (("pause", []), ("unpause", [node.address])):
        node.docker(verb, "f-web")
        node.docker(verb, "f-witness")
        until_equal(f"{verb} was seen", lambda: lab.oracle1.resolve("witness"), wanted)
    node.kill("bevmesh", signal.SIGKILL)
    node.start("bevmesh")
    until("the daemon has nothing to do", node.settled)
    holds("it stays out", lambda: lab.oracle1.resolve("web") == [], 1)
    (note,) = [
        c["Notes"]
        for check_id, c in node.checks(entry["ID"]).items()
        if check_id.startswith("_service_maint")
    ]
    equal(note, "by hand", "the reason")
    node.consul("PUT", f"/v1/agent/service/maintenance/{entry['ID']}?enable=false")
    until_equal(
        "web is in DNS when the admin says so", lambda: lab.oracle1.resolve("web"), [node.address]
    )
