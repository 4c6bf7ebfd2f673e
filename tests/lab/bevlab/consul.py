"""Consul on the nodes: configuration, and the tokens of a mesh with default deny.

The management token is made here and known to the servers from their first start; every other token
is made through the API, from the policies in config/consul that an admin would use, and is least
privilege. Secrets lie in files of mode 0600 in the lab's directory and are never printed.
"""

import base64
import json
import os
import secrets
import time
import uuid

from .layout import DATACENTER, NODES, ROOT, STATE, LabError, node_dir
from .services import http_on_node

POLICIES = ROOT / "config/consul"
MANAGEMENT = "management.token"


def _secret_file(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def configure(options):
    """Before the first start: this lab's keys, and each server's own file."""
    gossip = base64.b64encode(secrets.token_bytes(32)).decode()
    management = str(uuid.uuid4())
    _secret_file(STATE / MANAGEMENT, management + "\n")
    common = (POLICIES / "server.hcl").read_text()
    for node in NODES:
        (node_dir(node) / "etc/consul.d/server.hcl").write_text(common)
        _write_own(
            node,
            {
                "node_name": node,
                "datacenter": DATACENTER,
                "bind_addr": NODES[node],
                "retry_join": [address for other, address in NODES.items() if other != node],
                "retry_interval": "1s",
                "encrypt": gossip,
                "enable_script_checks": bool(options["script_checks"]),
                "acl": {"tokens": {"initial_management": management}},
            },
        )


def _own_file(node):
    # Consul reads the folder in the order of names, and the last word counts: after server.hcl.
    return node_dir(node) / "etc/consul.d/this-node.json"


def _write_own(node, config):
    _secret_file(_own_file(node), json.dumps(config, indent=1) + "\n")


def bootstrap_acl(state):
    """After the leader: policies and tokens; agents get theirs now and keep them over a restart."""
    management = state.secret(MANAGEMENT)
    first = next(iter(NODES))

    # A new leader writes the management token a moment after it is elected; until then it knows no
    # token.
    patience = time.monotonic() + 15

    def put(node, path, body):
        status, answer = http_on_node(state, node, "PUT", path, body, management)
        while status in (403, 500) and time.monotonic() < patience:
            time.sleep(0.05)
            status, answer = http_on_node(state, node, "PUT", path, body, management)
        # A leader that was lost in the middle had stored it.
        if status != 200 and "already exists" not in str(answer):
            raise LabError(f"Consul on {node}: PUT {path}: {status} {answer}")
        return answer

    def policy(name, file, node=""):
        rules = (POLICIES / file).read_text().replace("NODE", node)
        put(first, "/v1/acl/policy", {"Name": name, "Rules": rules})

    def token(description, name):
        return put(
            first, "/v1/acl/token", {"Description": description, "Policies": [{"Name": name}]}
        )["SecretID"]

    policy("dns", "dns-policy.hcl")
    dns = token("names in DNS", "dns")
    for node in NODES:
        policy(f"agent-{node}", "agent-policy.hcl", node)
        policy(f"bevmesh-{node}", "daemon-policy.hcl", node)
        agent = token(f"Consul agent on {node}", f"agent-{node}")
        for kind, value in (("agent", agent), ("dns", dns)):
            put(node, f"/v1/agent/token/{kind}", {"Token": value})
        own = json.loads(_own_file(node).read_text())
        own["acl"]["tokens"].update({"agent": agent, "dns": dns})
        _write_own(node, own)
        _secret_file(
            node_dir(node) / "etc/bevmesh/consul.token",
            token(f"bevmesh daemon on {node}", f"bevmesh-{node}") + "\n",
        )


def leader(state, node):
    """The leader's node name as `node` sees it, or None."""
    try:
        status, answer = http_on_node(state, node, "GET", "/v1/status/leader")
    except OSError:
        return None
    address = answer.partition(":")[0] if status == 200 and isinstance(answer, str) else ""
    return next((name for name, value in NODES.items() if value == address), None)


def is_complete(state, node):
    """Three servers known and the node's own agent in the catalog."""
    try:
        status, nodes = http_on_node(
            state,
            node,
            "GET",
            "/v1/health/service/consul?passing=1&stale",
            token=state.secret(MANAGEMENT),
        )
    except OSError:
        return False
    return status == 200 and len(nodes) == len(NODES)
