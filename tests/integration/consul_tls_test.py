"""Consul's API by TLS alone, with certificates that bevmesh keeps on both ends:
consul_tls_test.py BINARY.

A real Consul that asks for its clients' certificates, a real OpenBao, and a daemon that registers
through the one with what it has of the other. Certificates live for some seconds. The cases share
all of these and go in their order.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
import vault_fixture  # noqa: E402
from onenode import ADDRESS, NAME, ROOT, poll  # noqa: E402

AGENT = ("127.0.0.1", 8501)
METRICS = "127.0.0.1:9464"
TTL = 24  # of a certificate
NOBODY = 65534
DONE, LOCAL = 0, 1  # exit statuses
ENDS = ("bevmesh", "consul")  # whose certificates there are
CONTAINERS = 4


class Agent:
    """Consul's API over one connection, as whoever the files are of."""

    def __init__(self, trusted, files, token, **versions):
        context = ssl.create_default_context(cafile=str(trusted))
        if files:
            context.load_cert_chain(*files)
        for name, version in versions.items():
            setattr(context, name, version)
        if versions:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.token = token
        self.connection = http.client.HTTPSConnection(*AGENT, timeout=30, context=context)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __call__(self, method, path, body=None):
        data = json.dumps(body) if body is not None else None
        self.connection.request(method, path, data, {"X-Consul-Token": self.token})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {text.strip()}")
        return json.loads(text) if text else None

    def shown(self):
        if self.connection.sock is None:
            self.connection.connect()
        return int(self.connection.sock.getpeercert()["serialNumber"], 16)


class ConsulByVault(vault_fixture.VaultTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = str(uuid.uuid4())
        (cls.home / "management").write_text(cls.token)
        (cls.home / "token").write_text(str(uuid.uuid4()))  # of nobody yet
        for name in ("management", "token"):
            (cls.home / name).chmod(0o600)
        cls.begin()
        cls.bootstrap(cls("test_1_it_says_what_it_waits_for"), "--yes")
        cls.node.start_engine(CONTAINERS)

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle, name, ca)
        text = path.read_text().replace("ttl: 1h", f"ttl: {TTL}s")
        path.write_text(
            text.replace("services: {", f"services: {{desk: {{host: true, nodes: [{NAME}], "
                                        "port: 9, checks: []}, ")
            + f'docker: {{address: "unix://{cls.home}/docker.sock"}}\n'
            "registrar: {resync: 1s}\n"
            f"api: {{socket: {cls.home}/api.sock, group: root}}\n"
            f"metrics: {{address: {METRICS}}}\n"
            "consul:\n"
            f'  address: "https://{AGENT[0]}:{AGENT[1]}"\n'
            "  certificates: vault\n"
            f"  token_file: {cls.home}/token\n"
            f"  tls: {{recipe: consul, folder: {cls.home}/consul-tls, owner: 0}}\n"
        )
        return path

    @classmethod
    def files(cls, of):
        folder = {"bevmesh": "state/certs/bevmesh", "consul": "consul-tls"}[of]
        return cls.home / folder / "current"

    @classmethod
    def start_daemon(cls):
        words = ("daemon", "--config", cls.home / "bevmesh.yaml", "--node", NAME)
        cls.node.start("bevmesh", [cls.binary, *words])

    @classmethod
    def start_consul(cls, files=None):
        """As shipped, with these files instead of those in /etc."""
        https = (ROOT / "config/consul/https.hcl").read_text()
        https = https.replace("/etc/consul.d/tls/current", str(files or cls.files("consul")))
        (cls.home / "https.hcl").write_text(https)
        own = {
            "bootstrap_expect": 1,
            "node_name": NAME,
            "bind_addr": ADDRESS,
            "data_dir": str(cls.home / "consul"),
            "log_level": "info",
            "acl": {"tokens": {"initial_management": cls.token}},
        }
        (cls.home / "consul.json").write_text(json.dumps(own))
        all_files = (ROOT / "config/consul/server.hcl", cls.home / "https.hcl",
                     cls.home / "consul.json")
        words = [word for file in all_files for word in ("-config-file", file)]
        cls.node.start("consul", [onenode.consul_binary(), "agent", *words])

    def agent(self):
        """Asked as the daemon, with the administrator's token."""
        files = self.files("bevmesh").resolve()  # all of one generation
        return Agent(files / "ca.pem", (files / "cert.pem", files / "key.pem"), self.token)

    def log(self):
        return (self.home / "bevmesh.log").read_text()

    def not_ready(self):
        """The reasons; nothing while the daemon does not answer."""
        try:
            with urllib.request.urlopen(f"http://{METRICS}/readyz", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    def failures(self):
        """Of the daemon's requests to Consul, by its own account."""
        with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        errors = re.findall(r'^bevmesh_errors_total\{peer="consul"\} (\d+)', text, re.M)
        writes = re.findall(r"^bevmesh_consul_write_errors_total\{[^}]*\} (\d+)", text, re.M)
        return sum(map(int, errors + writes))

    def certificates(self):
        """What the daemon says of the two, by whose it is; nothing while it does not answer."""
        done = subprocess.run(
            [self.binary, "certs", "list", "--node", NAME, "--format", "json"]
            + ["--socket", self.home / "api.sock"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        told = json.loads(done.stdout)["certificates"] if done.stdout else []
        return {one["service"]: one for one in told}

    def verified(self):
        told = self.certificates()
        return set(told) == set(ENDS) and all(one["verified"] for one in told.values()) and told

    def connections(self):
        """Local ports of the daemon's connections to the agent."""
        folder = Path(f"/proc/{self.node.processes['bevmesh'].pid}/fd")
        own = set()
        for name in folder.iterdir():
            with contextlib.suppress(OSError):
                own.add(os.readlink(name))
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        fields = [line.split() for line in lines]
        peer = f"0100007F:{AGENT[1]:04X}"
        return {
            int(f[1].split(":")[1], 16)
            for f in fields
            if f[2] == peer and f[3] == "01" and f"socket:[{f[9]}]" in own
        }

    def bootstrap_consul(self, *options, **how):
        return subprocess.run(
            [how.pop("binary", self.binary), "consul", "bootstrap", "-c",
             self.home / "bevmesh.yaml", "--out", self.home / "tokens", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **how,
        )

    def test_1_it_says_what_it_waits_for(self):
        self.vault("PUT", "sys/seal")
        self.start_daemon()
        poll(
            "the reason",
            lambda: "this node has no certificate of Vault yet" in self.not_ready(),
            30,
        )
        self.assertIn("Consul does not answer: ", self.not_ready())
        self.unseal()
        # The agent's certificate needs no agent, and the agent nothing but its certificate.
        poll("the agent's files", lambda: (self.files("consul") / "key.pem").exists(), 60)
        self.start_consul()

        def has_leader():
            with contextlib.suppress(OSError), self.agent() as agent:
                return agent("GET", "/v1/status/leader") and agent("GET", "/v1/acl/token/self")

        poll("Consul's leader", has_leader, 60)

    def test_2_an_administrator_on_the_node_asks_with_the_same_files(self):
        self.home.chmod(0o755)
        binary = shutil.copy(self.binary, self.home / "bevmesh")
        environment = {**os.environ, "CONSUL_HTTP_TOKEN": self.token}
        done = self.bootstrap_consul(
            "--dry-run", binary=binary, user=NOBODY, group=NOBODY, extra_groups=[],
            env=environment,
        )
        self.assertEqual(done.returncode, LOCAL, done.stdout)
        certificate = self.files("bevmesh") / "cert.pem"
        self.assertIn(f"TLS certificate {certificate}: cannot be read", done.stderr)
        done = self.bootstrap_consul("--token-file", self.home / "management", "--yes")
        self.assertEqual(done.returncode, DONE, done.stderr)
        with self.agent() as agent:
            tokens = json.loads((self.home / f"tokens/{NAME}/acl-tokens.json").read_text())
            agent("PUT", "/v1/agent/token/agent", {"Token": tokens["acl"]["tokens"]["agent"]})
        shutil.copy(self.home / f"tokens/{NAME}/consul.token", self.home / "token")
        self.node.processes["bevmesh"].send_signal(signal.SIGHUP)
        poll("readiness", lambda: self.not_ready() == "ok\n", 60)
        poll("both certificates at the wire", self.verified, 60)

    def services(self, agent):
        told = agent("GET", "/v1/agent/services").values()
        return {one["Service"] for one in told} - {"consul", "bevmesh"}

    def test_3_certificates_change_while_services_come_and_go(self):
        everything = {"desk", *(f"app-{k}" for k in range(CONTAINERS))}
        first = self.agent()  # lives on, with the first certificates of both ends
        poll("all services", lambda: self.services(first) == everything, 60)
        began, before = first.shown(), self.failures()
        open_before, marked = self.connections(), len(self.log())
        self.assertTrue(open_before)
        seen = {end: set() for end in ENDS}
        turns = 0
        end = time.monotonic() + 240
        while min(map(len, seen.values())) < 4:
            self.assertLess(time.monotonic(), end, seen)
            turns += 1
            k = turns % CONTAINERS
            for command, wanted in (
                (f"die {k}", everything - {f"app-{k}"}),
                (f"start {k}", everything),
            ):
                self.node.engine(command)
                # Each time over a connection of its own, and over the first one.
                with self.agent() as fresh:
                    poll(command, lambda w=wanted, a=fresh: self.services(a) == w, 30)
                self.assertEqual(self.services(first), wanted)
            for name, one in self.certificates().items():
                if one["verified"]:
                    seen[name].add(one["serial"])

        def shows_what_is_told():
            told = self.verified()
            with self.agent() as fresh:
                return told and fresh.shown() == int(told["consul"]["serial"], 16)

        poll("the certificate that is told, at the wire", shows_what_is_told, 60)
        self.assertEqual(first.shown(), began)
        first.connection.close()
        self.assertEqual(self.failures(), before, self.log()[marked:])
        self.assertTrue(self.connections() & open_before, "an open connection lives on")
        for trouble in ("does not answer", "failed", "is asked by the files"):
            lines = [one for one in self.log()[marked:].splitlines() if trouble in one]
            self.assertEqual([one for one in lines if "peer" not in one], [])

    def test_4_another_root_is_trusted_on_both_ends(self):
        before = self.failures()
        status, answer = self.vault(
            "POST", "pki_bev_root/root/rotate/internal",
            {"common_name": "test root 2", "issuer_name": "root-2", "key_type": "ec",
             "key_bits": 256, "ttl": "24h"},
        )
        self.assertEqual(status, 200, answer)
        root = answer["data"]["certificate"].strip()

        def trusted():
            told = self.verified()
            return told and len({one["trusted"] for one in told.values()}) == 1 and all(
                root in (self.files(end) / "ca.pem").read_text() for end in ENDS
            )

        poll("the root in both bundles, seen at the wire", trusted, 60)
        self.assertEqual(self.failures(), before)

    def test_5_who_is_not_of_the_mesh_is_refused_by_consul(self):
        (self.home / "stranger").mkdir()
        vault_fixture.make_certificate(self.home / "stranger")
        stranger = [self.home / "stranger" / name for name in ("server.pem", "server.key")]
        old = {"minimum_version": ssl.TLSVersion.TLSv1, "maximum_version": ssl.TLSVersion.TLSv1_1}
        for who, files, versions, reason in (
            ("nobody", None, {}, "CERTIFICATE_REQUIRED"),
            ("a stranger", stranger, {}, "UNKNOWN_CA|BAD_CERTIFICATE"),
            ("TLS 1.1", "own", old, "PROTOCOL_VERSION"),
        ):
            with self.subTest(who):
                folder = self.files("bevmesh").resolve()
                own = [folder / name for name in ("cert.pem", "key.pem")]
                shown = own if files == "own" else files
                with (
                    Agent(folder / "ca.pem", shown, self.token, **versions) as agent,
                    self.assertRaises(OSError) as refused,
                ):
                    # Nothing is sent: what the server did not read would end in a reset.
                    agent.connection.connect()
                    agent.connection.sock.recv(1)
                self.assertRegex(str(refused.exception), reason)

    def test_6_an_agent_with_another_name_is_refused_by_the_daemon(self):
        role = f"pki_bev/roles/service-{NAME}"
        settings = self.vault("GET", role)[1]["data"]
        status, answer = self.vault("POST", role, {**settings, "max_ttl": "1h"})
        self.assertLess(status, 300, answer)
        status, answer = self.sign(
            self.log_in()["client_token"],
            common_name="web.service.consul",
            uri_sans=f"spiffe://test/node/{NAME}/service/web",
        )
        self.assertEqual(status, 200, answer)
        wrong = self.home / "wrong"
        wrong.mkdir()
        chain = [answer["data"]["certificate"], *answer["data"]["ca_chain"]]
        (wrong / "cert.pem").write_text("\n".join(chain) + "\n")
        shutil.copy(self.home / "k.pem", wrong / "key.pem")
        shutil.copy(self.files("consul") / "ca.pem", wrong / "ca.pem")
        self.node.stop("consul")
        self.start_consul(wrong)
        reason = "TLS: certificate not accepted: IP address mismatch"
        poll("the reason", lambda: reason in self.not_ready(), 60)
        asked = f"GET /v1/agent/services at https://{AGENT[0]}:{AGENT[1]}"
        self.assertIn(f"Consul does not answer: {asked}", self.not_ready())
        # And taken again as soon as it is the right one.
        self.node.stop("consul")
        self.start_consul()
        poll("readiness", lambda: self.not_ready() == "ok\n", 60)


if __name__ == "__main__":
    onenode.inside()
    ConsulByVault.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
