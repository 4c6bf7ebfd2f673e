"""OpenBao on the nodes: three servers with Raft storage, one a node, over TLS.

Each listens on its node's mesh address with a certificate of the lab's CA. `lab up --vault`
initializes the first, joins the others, and unseals them; a server that comes back is unsealed by
`lab start` and `lab boot`, as an administrator would. The unseal key and the first token lie in
files of mode 0600 in the lab's directory, and are never printed.
"""

import http.client
import json
import os
import ssl
import subprocess
import time
from pathlib import Path

from . import certificates, kernel
from .layout import NODES, PATH, STATE, LabError, node_dir

PORT = 8200
TOKEN = "vault-root.token"
_KEY = "vault-unseal.key"
_TLS = "/etc/openbao/tls"
CA_FILE = "/etc/bevmesh/vault-ca.pem"


def _secret_file(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def configure():
    """Before the first start: each server's configuration and certificate."""
    for node, address in NODES.items():
        etc = node_dir(node) / "etc/openbao"
        etc.mkdir(exist_ok=True)
        (node_dir(node) / "lib/openbao").mkdir(mode=0o700, exist_ok=True)
        certificates.issue(node, etc / "tls")
        (node_dir(node) / CA_FILE.lstrip("/")).write_bytes((STATE / "ca/ca.pem").read_bytes())
        (etc / "openbao.hcl").write_text(_server(node, address))


def _server(node, address):
    joins = "".join(
        f'  retry_join {{\n    leader_api_addr = "https://{other}:{PORT}"\n'
        f'    leader_ca_cert_file = "{_TLS}/ca.pem"\n  }}\n'
        for name, other in NODES.items()
        if name != node
    )
    # Autopilot looks every ten seconds by default, and a server that it has not made a voter yet
    # elects nobody: a leader that dies then takes the cluster with it.
    return (
        f'storage "raft" {{\n  path = "/var/lib/openbao"\n  node_id = "{node}"\n'
        "  performance_multiplier = 1\n"
        '  autopilot_reconcile_interval = "1s"\n  autopilot_update_interval = "500ms"\n'
        f"{joins}}}\n"
        f'listener "tcp" {{\n  address = "{address}:{PORT}"\n'
        f'  cluster_address = "{address}:{PORT + 1}"\n'
        f'  tls_cert_file = "{_TLS}/node.pem"\n  tls_key_file = "{_TLS}/node.key"\n}}\n'
        f'api_addr = "https://{address}:{PORT}"\ncluster_addr = "https://{address}:{PORT + 1}"\n'
    )


def ask(state, node, method, path, body=None, token=None, timeout=10):
    """A request to the node's own server: (status, decoded JSON or text)."""
    context = ssl.create_default_context(cafile=str(STATE / "ca/ca.pem"))
    connection = http.client.HTTPSConnection(NODES[node], PORT, timeout=timeout, context=context)
    try:
        with kernel.in_network(state.holder(node)):
            connection.connect()
        data = json.dumps(body) if body is not None else None
        connection.request(method, "/v1/" + path, data, {"X-Vault-Token": token} if token else {})
        answer = connection.getresponse()
        text = answer.read().decode()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except json.JSONDecodeError:
        return answer.status, text


def answers(state, node):
    """Whether it speaks, sealed or not."""
    return ask(state, node, "GET", "sys/health", timeout=2)[0] in (200, 429, 501, 503)


def initialize(state):
    """After the first start: one unseal key, because there is one administrator."""
    first = next(iter(NODES))
    status, answer = ask(
        state, first, "PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}
    )
    if status != 200:
        raise LabError(f"OpenBao on {first}: init: {status} {answer}")
    _secret_file(STATE / _KEY, answer["keys"][0] + "\n")
    _secret_file(STATE / TOKEN, answer["root_token"] + "\n")
    unseal(state, first)
    _until("a leader of OpenBao", lambda: _health(state, first) == 200)
    _until("autopilot's configuration", lambda: _hurry(state, first))
    for node in NODES:
        unseal(state, node)
    wait_complete(state)


def _hurry(state, node):
    """A server is a voter as soon as it has been well for a second, not for ten."""
    body = {"server_stabilization_time": "1s", "cleanup_dead_servers": False}
    path = "sys/storage/raft/autopilot/configuration"
    return ask(state, node, "POST", path, body, state.secret(TOKEN))[0] == 204


def unseal(state, node):
    """A server that joins takes the key only when it has found the leader."""
    key = state.secret(_KEY)

    def done():
        if _health(state, node) in (200, 429):
            return True
        ask(state, node, "PUT", "sys/unseal", {"key": key})
        return False

    _until(f"OpenBao on {node} unsealed", done)


def wait_complete(state):
    """Every server votes: only then may one of them die."""
    path = "sys/storage/raft/autopilot/state"

    def all_vote():
        status, answer = ask(state, next(iter(NODES)), "GET", path, None, state.secret(TOKEN))
        return status == 200 and len(answer["data"].get("voters") or []) == len(NODES)

    _until("three voters of OpenBao", all_vote)


def is_in(text):
    """Whether a configuration has a Vault."""
    return "\nvault:\n" in text


def bootstrap(state):
    """`bevmesh vault bootstrap` by the nodes' configuration, where it has a Vault, and each node's
    credentials where that says."""
    first = next(iter(NODES))
    text = node_dir(first) / "etc/bevmesh/bevmesh.yaml"
    binary = state["options"]["binary"]
    if not Path(binary).is_file() or not is_in(text.read_text()):
        return False
    holder = state.holder(first)
    out = STATE / "credentials"
    done = subprocess.run(
        [binary, "vault", "bootstrap", "-c", "/etc/bevmesh/bevmesh.yaml", "--out", out, "--yes"],
        env={"PATH": PATH, "VAULT_TOKEN": state.secret(TOKEN)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: kernel.enter(holder),
    )
    if done.returncode:
        raise LabError(f"bevmesh vault bootstrap: {done.stderr.strip()}")
    for node in NODES:
        for name in ("vault.role-id", "vault.secret-id"):
            text = (out / node / name).read_text()
            _secret_file(node_dir(node) / "etc/bevmesh" / name, text)
    return True


def leader(state):
    """The active server's node, or None."""
    for node in state.booted():
        try:
            if ask(state, node, "GET", "sys/health", timeout=2)[0] == 200:
                return node
        except OSError:
            continue
    return None


def _health(state, node):
    try:
        return ask(state, node, "GET", "sys/health", timeout=2)[0]
    except OSError:
        return 0


def _until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise LabError(f"{what} did not come within {seconds} s")
        time.sleep(0.05)
