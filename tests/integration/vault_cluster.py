"""Three OpenBao servers with Raft, each at an address of its own, that are killed and come back."""

import contextlib
import json
import signal
import subprocess
from collections import Counter

from onenode import poll
from vault_fixture import PORT, Vault, whole_lines

ADDRESSES = ("10.77.0.1", "10.77.0.2", "10.77.0.3")
ACTIVE, STANDBY = 200, 429  # statuses of sys/health


class Cluster:
    """Asks the active server, as a Vault does its only one."""

    def __init__(self, ca_file):
        self.servers = {address: Vault(ca_file, address) for address in ADDRESSES}
        self.token = None

    def health(self, address):
        """A status, 0 where nobody answers."""
        return self.servers[address].answers() or 0

    def active(self):
        """The active server's address, or None."""
        return next((a for a in self.servers if self.health(a) == ACTIVE), None)

    def __call__(self, method, path, body=None, token=None, headers=None):
        leader = poll("an active server", self.active, 60, 0.1)
        return self.servers[leader](method, path, body, token or self.token, headers)


class VaultClusterTest:
    """Before a VaultTest among the bases of a class."""

    addresses = ADDRESSES

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        # On one host who asks a server comes from that server's own address.
        return super().write_config(approle + ", bind_address: false", name, ca)

    @classmethod
    def start_servers(cls):
        for address in ADDRESSES:
            subprocess.run(f"ip address replace {address}/32 dev lo".split(), check=True)
            cls.start_raft(address)
        cls.vault = Cluster(cls.home / "ca.pem")
        poll("every server's answer", lambda: all(map(cls.vault.health, ADDRESSES)), 60)

    @classmethod
    def start_raft(cls, address):
        others = "".join(
            f'retry_join {{ leader_api_addr = "https://{other}:{PORT}"\n'
            f'leader_ca_cert_file = "{cls.home}/ca.pem" }}\n'
            for other in ADDRESSES
            if other != address
        )
        storage = cls.home / f"raft-{address}"
        storage.mkdir(exist_ok=True)
        # Whom autopilot has not made a voter yet elects nobody; it looks every ten seconds else.
        cls.start_server(
            f"bao-{address}",
            address,
            f'storage "raft" {{ path = "{storage}"\nnode_id = "{address}"\n'
            "performance_multiplier = 1\n"
            'autopilot_reconcile_interval = "1s"\nautopilot_update_interval = "500ms"\n'
            f"{others}}}\n"
            f'api_addr = "https://{address}:{PORT}"\n'
            f'cluster_addr = "https://{address}:{PORT + 1}"\n',
        )

    @classmethod
    def begin(cls):
        """Initialized, unsealed, every server a voter, and asked with the first token."""
        first = cls.vault.servers[ADDRESSES[0]]
        made = first("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})[1]
        cls.key, cls.root = made["keys"][0], made["root_token"]
        cls.vault.token = cls.root
        cls.unseal(ADDRESSES[0])
        hurry = {"server_stabilization_time": "1s", "cleanup_dead_servers": False}
        autopilot = "sys/storage/raft/autopilot"
        poll(
            "autopilot's configuration",
            lambda: cls.vault("POST", f"{autopilot}/configuration", hurry)[0] == 204,
            60,
        )
        for address in ADDRESSES[1:]:
            cls.unseal(address)

        def all_vote():
            status, answer = cls.vault("GET", f"{autopilot}/state")
            return status == 200 and len(answer["data"].get("voters") or []) == len(ADDRESSES)

        poll("three voters", all_vote, 60, 0.1)

    @classmethod
    def unseal(cls, address):
        """A server that joins takes the key only when it has found the leader."""

        def done():
            if cls.vault.health(address) in (ACTIVE, STANDBY):
                return True
            with contextlib.suppress(OSError):
                cls.vault.servers[address]("PUT", "sys/unseal", {"key": cls.key})
            return False

        poll(f"{address} unsealed", done, 60, 0.1)

    @classmethod
    def kill(cls, address):
        cls.node.stop(f"bao-{address}", signal.SIGKILL)

    @classmethod
    def revive(cls, *addresses):
        for address in addresses:
            cls.start_raft(address)
        for address in addresses:
            cls.unseal(address)

    def alive(self):
        return [address for address in ADDRESSES if f"bao-{address}" in self.node.processes]

    def requests_to_sign(self):
        """Counts them by the certificate's name, whichever server saw them."""
        seen = {}
        for line in whole_lines(self.home / "audit.log"):
            entry = json.loads(line)
            request = entry["request"]
            if entry["type"] == "request" and request["path"].startswith("pki_bev/sign/"):
                # One that is passed on to the active server is in the log twice.
                seen[request["id"]] = request["data"]["common_name"]
        return Counter(seen.values())

    @classmethod
    def show_names_in_audit(cls):
        shown = {"audit_non_hmac_request_keys": ["common_name"]}
        status, answer = cls.vault("POST", "sys/mounts/pki_bev/tune", shown)
        if status >= 300:
            raise RuntimeError(f"tune: {status} {answer}")
