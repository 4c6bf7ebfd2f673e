"""The daemon's Consul token: enough for every other test here, and no more; and what a weaker one
leads to."""

import shutil
import signal

from cases.life import start_web
from harness import check, equal, fault, holds, until, until_equal


def token_file(node):
    return node.files / "etc/bevmesh/consul.token"


def weaker_token(node, rules):
    """A token with these rules instead of the daemon's; the daemon's is kept beside it."""
    name = "fault-weaker"
    for policy in node.consul("GET", "/v1/acl/policies"):
        if policy["Name"] == name:
            node.consul("DELETE", f"/v1/acl/policy/{policy['ID']}")
    node.consul("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
    made = node.consul(
        "PUT",
        "/v1/acl/token",
        {"Description": name, "Policies": [{"Name": name}], "ExpirationTTL": "1h"},
    )
    kept = token_file(node).with_suffix(".token.kept")
    shutil.copy2(token_file(node), kept)
    token_file(node).write_text(made["SecretID"] + "\n")
    return kept


@fault
def token_is_no_more_than_needed(lab):
    """With the daemon's token one cannot write KV, read or make tokens, change other nodes, stop
    or reload agents."""
    node = lab.thanos
    token = token_file(node).read_text().strip()
    equal(token_file(node).stat().st_mode & 0o777, 0o600, "mode of the token's file")
    forbidden = [
        ("PUT", "/v1/kv/x", "x"),
        ("GET", "/v1/kv/x", None),
        ("GET", "/v1/acl/tokens", None),
        ("PUT", "/v1/acl/policy", {"Name": "x"}),
        ("PUT", "/v1/session/create", {}),
        ("PUT", "/v1/agent/leave", None),
        ("PUT", "/v1/agent/reload", None),
        ("PUT", "/v1/agent/token/default", {"Token": "x"}),
        ("PUT", "/v1/agent/maintenance?enable=true", None),
        (
            "PUT",
            "/v1/catalog/register",
            {
                "Node": "elsewhere",
                "Address": "100.64.0.9",
                "Service": {"Service": "outside", "Port": 1},
            },
        ),
        ("PUT", "/v1/catalog/deregister", {"Node": "oracle1"}),
        ("PUT", "/v1/event/fire/x", None),
        ("GET", "/v1/operator/raft/configuration", None),
        ("POST", "/v1/query", {"Name": "x", "Service": {"Service": "web"}}),
        ("PUT", "/v1/agent/force-leave/oracle1", None),
        ("GET", "/v1/snapshot", None),
    ]
    for method, path, body in forbidden:
        status, _, answer = node.http(method, path, body, token)
        check(status == 403, f"{method} {path}: {status} {str(answer)[:200]}")


@fault
def token_without_read(lab):
    """A token that may not read services leads to no deletion and no storm of registrations; a
    good one heals it."""
    node = lab.thanos
    start_web(node)
    node.run("f-stays", "-p", "18090:8080", labels={"bevmesh.name": "stays"})
    until_equal("stays is in DNS", lambda: lab.oracle1.resolve("stays"), [node.address])
    until("the daemon has nothing to do", node.settled)
    before = node.services()
    kept = weaker_token(
        node, 'agent "thanos" { policy = "read" }\nnode_prefix "" { policy = "read" }'
    )
    for restart in (False, True):
        if restart:
            node.kill("bevmesh", signal.SIGKILL)
            node.start("bevmesh")
        else:
            node.kill("bevmesh", signal.SIGHUP)
            lab.configure(node, replace={"resync: 30s": "resync: 1s"})
            node.kill("bevmesh", signal.SIGHUP)
        until("the daemon says that it may not read", lambda: node.status()["state"] == "degraded")
        holds("nothing is removed", lambda: node.services() == before, 2)
    node.remove("f-web")
    holds("nor what went", lambda: node.services() == before, 1)
    counters = node.counters()
    equal((counters["registrations"], counters["deregistrations"]), (0, 0), "writes that were done")
    kept.replace(token_file(node))
    node.kill("bevmesh", signal.SIGHUP)
    until_equal("with the token back, what went is gone", lambda: node.named("web"), [], 15)
    until("the daemon is content", lambda: node.status()["state"] == "ok")
    equal(lab.oracle1.resolve("stays"), [node.address], "DNS of what stays")


@fault
def token_that_sees_a_part(lab):
    """A token that sees some services only: what it does not see is not taken for absent."""
    node = lab.thanos
    start_web(node)
    before = node.services()
    kept = weaker_token(
        node,
        'agent "thanos" { policy = "read" }\nnode_prefix "" { policy = "read" }\n'
        'service "bevmesh" { policy = "write" }',
    )
    node.kill("bevmesh", signal.SIGKILL)
    node.start("bevmesh")
    until("the daemon says that it may not read all", lambda: node.status()["state"] == "degraded")
    holds("nothing changes", lambda: node.services() == before, 2)
    kept.replace(token_file(node))
    node.kill("bevmesh", signal.SIGHUP)
    until("the daemon is content", lambda: node.status()["state"] == "ok" and node.settled(), 15)
    equal(node.services(), before, "the agent's services")
