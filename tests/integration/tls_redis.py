"""A Redis of the lab's image that speaks TLS alone, with the certificates of the tests' Vault."""

import socket
import ssl
import subprocess

import vault_fixture
from onenode import ADDRESS, ROOT

PORT = 6380


def connect(generation, certificate="cert.pem"):
    """PING over a new connection; the serial that Redis shows."""
    context = ssl.create_default_context(cafile=str(generation / "ca.pem"))
    if certificate:
        context.load_cert_chain(generation / certificate, generation / "key.pem")
    with (
        socket.create_connection((ADDRESS, PORT), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="redis.service.consul") as secure,
    ):
        secure.sendall(b"PING\r\n")
        if secure.recv(64) != b"+PONG\r\n":
            raise OSError("no PONG")
        return secure.getpeercert()["serialNumber"].lower()


class TlsRedisTest(vault_fixture.VaultTest):
    image = None

    @classmethod
    def in_image(cls, *words):
        """The command that runs these in the image, which sees the node's directory as /tmp."""
        if cls.image is None:
            root = [ROOT / "tests/failover/databases/root", "base"]
            done = subprocess.run(root, check=True, capture_output=True, text=True)
            cls.image = done.stdout.strip()
            for source, target in ((cls.home, "tmp"), ("/dev", "dev")):
                subprocess.run(["mount", "--rbind", source, f"{cls.image}/{target}"], check=True)
        return ["chroot", cls.image, *words]

    @classmethod
    def start_redis(cls):
        files = "/tmp/redis/current"
        cls.node.start(
            "redis",
            cls.in_image(
                *("/usr/bin/redis-server", "--bind", ADDRESS, "--port", 0),
                *("--tls-port", PORT, "--save", "", "--tls-auth-clients", "yes"),
                *("--protected-mode", "no"),
                *("--tls-cert-file", f"{files}/cert.pem", "--tls-key-file", f"{files}/key.pem"),
                *("--tls-ca-cert-file", f"{files}/ca.pem"),
            ),
        )
