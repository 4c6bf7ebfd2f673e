"""An OpenBao server in namespaces of its own, and who asks it: for the tests against it."""

import contextlib
import json
import os
import re
import select
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import ADDRESS, CACHE, NAME, ROOT, poll  # noqa: E402

PORT = 8200
REMOTE, LOCAL, REFUSED = 2, 1, 5  # exit statuses
SECRETS = ("database", "services", "encryption", "api_keys")


def openbao_binary():
    text = (ROOT / "tests/setup").read_text()
    return CACHE / ("openbao-" + re.search(r"^openbao_version=(\S+)", text, re.M)[1])


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_certificate(home, name="ca", addresses=(ADDRESS,)):
    """A CA, and a certificate of it for the servers' addresses."""
    names = ",".join(f"IP:{address}" for address in addresses)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2")
    openssl(
        *("req", "-x509", *curve, "-subj", "/CN=test", "-addext", "keyUsage=keyCertSign"),
        *("-keyout", home / f"{name}.key", "-out", home / f"{name}.pem"),
    )
    openssl(
        *("req", "-x509", *curve, "-subj", "/CN=bao", "-addext", f"subjectAltName={names}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", home / f"{name}.pem", "-CAkey", home / f"{name}.key"),
        *("-keyout", home / "server.key", "-out", home / "server.pem"),
    )


def whole_lines(log):
    """But for one that is being written."""
    return log.read_text().rpartition("\n")[0].splitlines()


class Vault:
    def __init__(self, ca_file, address=ADDRESS):
        self.context = ssl.create_default_context(cafile=str(ca_file))
        self.address = address
        self.token = None

    def __call__(self, method, path, body=None, token=None, headers=None):
        """(status, document)"""
        request = urllib.request.Request(
            f"https://{self.address}:{PORT}/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers=headers or {},
        )
        if token or self.token:
            request.add_header("X-Vault-Token", token or self.token)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        return status, json.loads(text) if text.startswith("{") else text

    def answers(self):
        with contextlib.suppress(OSError):
            return self("GET", "sys/health")[0]


class Probe:
    """The daemon's login, alone."""

    def __init__(self, program, config):
        self.process = subprocess.Popen(
            [program, config, NAME],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.told = []
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def _line(self, seconds):
        while b"\n" not in self.unread:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                raise TimeoutError("the probe says nothing")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise RuntimeError(f"the probe ended with {self.process.wait(5)}")
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode().strip()

    def ask(self, words):
        self.process.stdin.write(words.encode() + b"\n")
        self.process.stdin.flush()
        while (line := self._line(40)).startswith("tell "):
            self.told.append(line)
        return line

    def last_words(self, words):
        """Asks what is answered by nobody."""
        self.process.stdin.write(words.encode() + b"\n")
        self.process.stdin.flush()

    def logged_in(self):
        return self.ask("state").startswith("ok in")

    def said(self, words):
        """Whether it has told so by now."""
        self.ask("state")
        return any(words in line for line in self.told)


class VaultTest(unittest.TestCase):
    binary = probe = None  # of the programs under test
    addresses = (ADDRESS,)  # of the servers
    cli_socket = "api.sock"  # in the home, of the daemon that cli() asks
    cli_limit = 120  # seconds

    @classmethod
    def setUpClass(cls):
        cls.node = cls.enterClassContext(onenode.Node(cls.binary))
        cls.home = cls.node.home
        cls.out = cls.home / "credentials"
        make_certificate(cls.home, addresses=cls.addresses)
        cls.write_config()
        cls.start_servers()
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", cls.home / "k.pem")
        openssl(
            *("req", "-new", "-key", cls.home / "k.pem", "-subj", "/CN=x"),
            *("-out", cls.home / "csr.pem"),
        )

    def cli(self, *words, token=None):
        """(exit status, standard output, standard error); `token`: of Vault, in its environment."""
        done = subprocess.run(
            [self.binary, *words, "--socket", self.home / self.cli_socket],
            env={**os.environ, "VAULT_TOKEN": token} if token else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.cli_limit,
        )
        return done.returncode, done.stdout, done.stderr

    @classmethod
    def start_servers(cls):
        cls.start_server("bao", ADDRESS, 'storage "inmem" {}\n')
        cls.vault = Vault(cls.home / "ca.pem")
        poll("OpenBao's answer", cls.vault.answers, 60)

    @classmethod
    def start_server(cls, name, address, how):
        """`how`: its storage, and what else tells it from other servers. All have one audit log."""
        (cls.home / f"{name}.hcl").write_text(
            f'{how}listener "tcp" {{ address = "{address}:{PORT}"\n'
            f'tls_cert_file = "{cls.home}/server.pem"\ntls_key_file = "{cls.home}/server.key" }}\n'
            f'audit "file" "log" {{ options {{ file_path = "{cls.home}/audit.log" }} }}\n'
        )
        cls.node.start(name, [openbao_binary(), "server", f"-config={cls.home}/{name}.hcl"])

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        servers = ", ".join(f'"https://{address}:{PORT}"' for address in cls.addresses)
        paths = ", ".join(f"{path}: [{NAME}]" for path in SECRETS)
        (cls.home / "state").mkdir(mode=0o700, exist_ok=True)
        (cls.home / name).write_text(
            "mesh: {name: test, datacenter: bev}\n"
            f"state_dir: {cls.home}/state\n"
            f"nodes: {{{NAME}: {{address: {ADDRESS}}}, other: {{address: 10.77.0.2}}}}\n"
            f"services: {{web: {{match: {{container: web1}}, nodes: [{NAME}], port: 80}}}}\n"
            "vault:\n"
            f"  addresses: [{servers}]\n"
            f"  ca_file: {cls.home}/{ca}\n"
            f"  kv: {{mount: bev, paths: {{{paths}}}}}\n"
            "  pki: {mount: pki_bev, root_mount: pki_bev_root, ttl: 1h}\n"
            f"  auth: {{approle: {{role_id_file: {cls.out}/{NAME}/vault.role-id, "
            f"secret_id_file: {cls.out}/{NAME}/vault.secret-id{approle}}}}}\n"
        )
        return cls.home / name

    def bootstrap(self, *options, token=None, status=0, config="bevmesh.yaml"):
        """What it says on both streams together. No secret is ever in it."""
        environment = {**os.environ, "VAULT_TOKEN": self.vault.token or ""}
        if token is not None:
            environment["VAULT_TOKEN"] = token
        where = ("-c", self.home / config, "--out", self.out)
        done = subprocess.run(
            [self.binary, "vault", "bootstrap", *where, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for file in self.out.rglob("vault.*"):
            if file.name != "vault.role-id":
                self.assertNotIn(file.read_text().strip(), said)
        if self.vault.token:
            self.assertNotIn(self.vault.token, said)
        return said

    def credentials(self, name, node=NAME):
        return (self.out / node / name).read_text().strip()

    def log_in(self, node=NAME):
        status, answer = self.vault(
            "POST",
            "auth/approle/login",
            {
                "role_id": self.credentials("vault.role-id", node),
                "secret_id": self.credentials("vault.secret-id", node),
            },
        )
        self.assertEqual(status, 200, answer)
        return answer["auth"]

    def everything(self):
        """All that bootstrap makes, with versions where OpenBao has them."""
        found = {}
        for path in (
            *("sys/mounts", "sys/auth", "pki_bev/config/issuers", "pki_bev_root/config/issuers"),
            *("pki_bev/config/crl", f"pki_bev/roles/service-{NAME}"),
            *(f"sys/policies/acl/bevmesh-node-{NAME}", "sys/policies/acl/bevmesh-ca-operator"),
            f"auth/approle/role/bevmesh-{NAME}",
            *(f"bev/metadata/{path}" for path in SECRETS),
        ):
            status, answer = self.vault("GET", path)
            self.assertEqual(status, 200, path)
            found[path] = answer["data"]
        for node in (NAME, "other"):
            found[node] = self.vault("LIST", f"auth/approle/role/bevmesh-{node}/secret-id")[1]
            found[node] = found[node]["data"]
        return found

    @classmethod
    def initialize(cls):
        """One unseal key, and the first token from now on."""
        status, made = cls.vault("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        if status != 200:
            raise RuntimeError(f"init: {status}")
        cls.key, cls.root = made["keys"][0], made["root_token"]

    @classmethod
    def unseal(cls):
        cls.vault("PUT", "sys/unseal", {"key": cls.key})
        poll("an active server", lambda: cls.vault.answers() == 200, 30)

    @classmethod
    def begin(cls):
        """Initialized, unsealed, and asked with the first token."""
        cls.initialize()
        cls.unseal()
        cls.vault.token = cls.root

    def sign_calls(self):
        """How many requests to sign the server has seen, by its audit log."""
        entries = map(json.loads, whole_lines(self.home / "audit.log"))
        return sum(
            entry["type"] == "request" and entry["request"]["path"].startswith("pki_bev/sign/")
            for entry in entries
        )

    def sign(self, token, **more):
        body = {"csr": (self.home / "csr.pem").read_text(), "ttl": "10m", **more}
        return self.vault("POST", f"pki_bev/sign/service-{NAME}", body, token)
