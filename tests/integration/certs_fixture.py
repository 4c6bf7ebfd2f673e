"""A Redis and a PostgreSQL whose certificates, of 20 s, certs_probe keeps from a real OpenBao.

The servers ask for their clients' and run in a chroot of the lab's image, where they see the files
at another path. Redis' files are on a small file system of their own.
"""

import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
import vault_fixture  # noqa: E402
from onenode import ADDRESS, NAME, poll  # noqa: E402
from tls_redis import PORT, TlsRedisTest, connect  # noqa: E402

POSTGRES_PORT = 5433
TTL = 20  # of a certificate
SERVICES = ("redis", "postgres")


class Probe(vault_fixture.Probe):
    def __init__(self, home, token, service="redis", port=PORT, owner=0, through=()):
        words = [*through, CertsTest.probe, home]
        words += [ADDRESS, vault_fixture.PORT, service, port, owner]
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "VAULT_TOKEN": token},
        )
        self.told = []
        self.unread = b""

    def state(self):
        """(the last generation given out, the one that is proven, its serial, what is coming)"""
        word, generation, proven, serial, stage = self.ask("state").split()
        assert word == "ok"
        return int(generation), int(proven), serial, stage

    def __exit__(self, kind, *rest):
        if kind:
            print(*self.told[-20:], sep="\n", file=sys.stderr)
        super().__exit__(kind, *rest)

    def tries(self):
        return sum("reload" in line for line in self.told)

    def proven(self):
        return self.state()[1]

    def settled(self):
        """Whether what was given out last is what is proven."""
        generation, proven, _, stage = self.state()
        return proven == generation and stage == "none"


def connect_postgres(generation):
    """A session of PostgreSQL's over a new connection; the serial that it shows."""
    context = ssl.create_default_context(cafile=str(generation / "ca.pem"))
    context.load_cert_chain(generation / "cert.pem", generation / "key.pem")
    with socket.create_connection((ADDRESS, POSTGRES_PORT), timeout=5) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        if plain.recv(1) != b"S":
            raise OSError("no TLS")
        with context.wrap_socket(plain, server_hostname="postgres.service.consul") as secure:
            words = b"user\0postgres\0database\0postgres\0\0"
            secure.sendall(struct.pack("!ii", 8 + len(words), 196608) + words)
            if not secure.recv(9).startswith(b"R\0\0\0\x08\0\0\0\0"):
                raise OSError("no session")
            secure.sendall(b"X\0\0\0\x04")
            return secure.getpeercert()["serialNumber"].lower()


class Load:
    """New connections all the time, each with the node's certificate; counts them."""

    def __init__(self, folder, connect=connect):
        self.folder, self.connect = folder, connect
        self.good, self.bad, self.serials = 0, [], set()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def run(self):
        while not self.ending.wait(0.005):
            try:
                self.serials.add(self.connect(self.folder / os.readlink(self.folder / "current")))
                self.good += 1
            except OSError as error:
                self.bad.append(repr(error))


class CertsTest(TlsRedisTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begin()
        cls.make_authority()
        folder = cls.home / "redis"
        folder.mkdir()
        small = ("-o", "size=512k,mode=755", "tmpfs", folder)
        subprocess.run(["mount", "-t", "tmpfs", *small], check=True)

    @classmethod
    def put(cls, path, **body):
        status, answer = cls.vault("POST", path, body)
        if status >= 300:
            raise RuntimeError(f"{path}: {status} {answer}")
        return answer["data"] if isinstance(answer, dict) else None

    @classmethod
    def make_authority(cls):
        curve = {"key_type": "ec", "key_bits": 256}
        for mount in ("pki_bev_root", "pki_bev"):
            cls.put(f"sys/mounts/{mount}", type="pki", config={"max_lease_ttl": "48h"})
        cls.put("pki_bev_root/root/generate/internal", common_name="root", ttl="48h", **curve)
        cls.make_intermediate("24h")
        cls.make_role()

    @classmethod
    def make_intermediate(cls, ttl):
        """Gives its issuer's ID; the first is the one that signs."""
        made = cls.put(
            "pki_bev/intermediate/generate/internal", common_name="ca", key_type="ec", key_bits=256
        )
        signed = cls.put(
            "pki_bev_root/root/sign-intermediate", csr=made["csr"], common_name="ca", ttl=ttl
        )
        kept = cls.put("pki_bev/intermediate/set-signed", certificate=signed["certificate"])
        return kept["imported_issuers"][0]

    @classmethod
    def make_role(cls, **more):
        settings = dict(
            allowed_domains=[
                *(f"{name}.service.{of}" for name in SERVICES for of in ("consul", "bev.consul")),
                NAME,
            ],
            allowed_ip_sans_cidr=[f"{ADDRESS}/32"],
            allowed_uri_sans=[f"spiffe://test/node/{NAME}/service/{name}" for name in SERVICES],
            allow_bare_domains=True,
            allow_subdomains=False,
            no_store=True,
            max_ttl="1h",
            require_cn=False,
            use_csr_common_name=False,
            use_csr_sans=False,
            key_type="ec",
            key_bits=256,
        )
        cls.put(f"pki_bev/roles/service-{NAME}", **{**settings, **more})

    @classmethod
    def prepare_postgres(cls):
        """A cluster and a directory for its socket; gives the server's user."""
        ids = cls.in_image("/usr/bin/id", "-u", "postgres")
        user = int(subprocess.run(ids, check=True, capture_output=True, text=True).stdout)
        for name in ("data", "socket"):
            (cls.home / name).mkdir(mode=0o700)
            os.chown(cls.home / name, user, user)
        cls.home.chmod(0o755)
        initdb = "/usr/lib/postgresql/15/bin/initdb"
        made = cls.as_postgres(initdb, "-D", "/tmp/data", "-A", "trust", "-U", "postgres")
        subprocess.run(made, check=True, capture_output=True)
        with (cls.home / "data/pg_hba.conf").open("a") as rules:
            rules.write("hostssl all all 0.0.0.0/0 trust clientcert=verify-ca\n")
        return user

    @classmethod
    def as_postgres(cls, *words):
        return cls.in_image("/usr/sbin/runuser", "-u", "postgres", "--", *words)

    @classmethod
    def start_postgres(cls, **more):
        files = "/tmp/postgres/current"
        settings = {
            **{"listen_addresses": ADDRESS, "port": POSTGRES_PORT, "ssl": "on"},
            **{"unix_socket_directories": "/tmp/socket", "ssl_cert_file": f"{files}/cert.pem"},
            **{"ssl_key_file": f"{files}/key.pem", "ssl_ca_file": f"{files}/ca.pem"},
            **more,
        }
        words = [f"--{key}={value}" for key, value in settings.items()]
        server = "/usr/lib/postgresql/15/bin/postgres"
        cls.node.start("postgres", cls.as_postgres(server, "-D", "/tmp/data", *words))

    def current(self):
        return os.readlink(self.home / "redis/current")

    def kept(self):
        return json.loads((self.home / "state/redis.json").read_text())
