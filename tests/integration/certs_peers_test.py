"""Two daemons that have nothing but their AppRoles speak by certificates of Vault:
certs_peers_test.py BINARY.

The cases share the daemons and go in their order. Both nodes are in one network, so their AppRoles
are not bound to their addresses.
"""

import json
import ssl
import stat
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import NAME, poll  # noqa: E402
from peers_fixture import NODES, OTHER, Connection  # noqa: E402
from vault_fixture import VaultTest, openssl  # noqa: E402

DONE = 0  # exit status


class PeersOverVault(VaultTest):
    cli_socket = f"{NAME}.sock"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(f"ip address replace {NODES[OTHER]}/32 dev lo".split(), check=True)
        cls.begin()
        cls.bootstrap(cls("test_1_they_join_with_their_approles_alone"), "--yes")
        for node in NODES:
            cls.start_daemon(node)

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle + ", bind_address: false", name, ca)
        for node in NODES:
            text = path.read_text().replace(f"{cls.home}/state", f"{cls.home}/state-{node}")
            text = text.replace(f"{cls.out}/{NAME}/", f"{cls.out}/{node}/")
            text += f"api: {{socket: {cls.home}/{node}.sock}}\nmetrics: {{address: \"off\"}}\n"
            (cls.home / f"{node}.yaml").write_text(text)
        return path

    @classmethod
    def start_daemon(cls, node):
        words = ("daemon", "--config", cls.home / f"{node}.yaml", "--node", node)
        cls.node.start(f"daemon-{node}", [cls.binary, *words])

    @classmethod
    def files(cls, node):
        return cls.home / f"state-{node}/certs/bevmesh/current"

    def serials(self):
        """Of both daemons' certificates, by node, as soon as each is verified."""

        def verified():
            status, out, _ = self.cli("certs", "list", "--format", "json")
            if status != DONE:
                return None
            told = json.loads(out)
            self.assertEqual(told["not_answering"], [])
            return {one["node"]: one["serial"] for one in told["certificates"]}

        return poll("both daemons' verified certificates", verified, 60)

    def log(self, node):
        return (self.home / f"daemon-{node}.log").read_text()

    def refusals(self, node):
        """Of callers for what they showed; a busy one's give up in the middle of a handshake."""
        given_up = ("truncated", "handshake within", "reset by peer")
        lines = self.log(node).splitlines()
        found = [line for line in lines if "a connection was refused" in line]
        return [line for line in found if not any(words in line for words in given_up)]

    def downs(self, node):
        """How it lost its peer, but for the time that a busy machine takes."""
        lines = self.log(node).splitlines()
        return [line for line in lines if "peer down" in line and "timed out" not in line]

    def test_1_they_join_with_their_approles_alone(self):
        self.assertEqual(set(self.serials()), set(NODES))
        for node, address in NODES.items():
            key = self.files(node) / "key.pem"
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
            (caller,) = set(NODES) - {node}
            connection = Connection(node, self.files(caller))
            self.assertEqual(connection.ask(), node)
            self.assertEqual(connection.sock.version(), "TLSv1.3")
            names = connection.shown()["subjectAltName"]
            self.assertIn(("URI", f"spiffe://test/node/{node}/service/bevmesh"), names)
            self.assertIn(("IP Address", address), names)
            connection.close()

    def test_2_a_rotation_leaves_open_connections_alone(self):
        before = self.serials()
        # Until both had theirs, one of them met nobody.
        downs = {node: self.downs(node) for node in NODES}
        to_first = Connection(NAME, self.files(OTHER))
        to_other = Connection(OTHER, self.files(NAME))
        self.assertEqual((to_first.ask(), to_other.ask()), (NAME, OTHER))
        sockets = (to_first.sock, to_other.sock)
        status, out, said = self.cli("certs", "rotate", "bevmesh", "--yes")
        self.assertEqual(status, DONE, out + said)
        after = self.serials()
        for node in NODES:
            self.assertNotEqual(after[node], before[node])
            (caller,) = set(NODES) - {node}
            fresh = Connection(node, self.files(caller))
            self.assertEqual(int(fresh.shown()["serialNumber"], 16), int(after[node], 16))
            fresh.close()
            self.assertEqual(self.refusals(node), [])
            self.assertEqual(self.downs(node), downs[node])
        self.assertEqual((to_first.ask(), to_other.ask()), (NAME, OTHER))
        self.assertEqual((to_first.sock, to_other.sock), sockets)
        to_first.close()
        to_other.close()

    def test_3_who_has_no_certificate_of_a_daemon_is_refused(self):
        for name, names in (("service", "web"), ("stranger", "bevmesh"), ("nobody", None)):
            files = self.home / name
            files.mkdir()
            (files / "ca.pem").write_bytes((self.files(NAME) / "ca.pem").read_bytes())
            if names:
                (files / "key.pem").write_bytes((self.home / "k.pem").read_bytes())
        status, answer = self.sign(
            self.log_in()["client_token"],
            common_name="web.service.consul",
            uri_sans=f"spiffe://test/node/{NAME}/service/web",
        )
        self.assertEqual(status, 200, answer)
        chain = [answer["data"]["certificate"], *answer["data"]["ca_chain"]]
        (self.home / "service/cert.pem").write_text("\n".join(chain) + "\n")
        uri = f"spiffe://test/node/{OTHER}/service/bevmesh"
        openssl(
            *("req", "-x509", "-key", self.home / "k.pem", "-subj", "/CN=x", "-days", "2"),
            *("-addext", f"subjectAltName=URI:{uri}", "-CA", self.home / "ca.pem"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-CAkey", self.home / "ca.key", "-out", self.home / "stranger/cert.pem"),
        )
        for name, certificate, reason in (
            ("service", "cert.pem", f"/node/{NAME}/service/web, which is no node of this mesh"),
            ("stranger", "cert.pem", "unable to get local issuer certificate"),
            ("nobody", None, "peer did not return a certificate"),
        ):
            with self.subTest(name):
                with self.assertRaises(OSError):
                    Connection(NAME, self.home / name, certificate).ask()
                poll("the complaint", lambda why=reason: why in self.log(NAME), 10)
        with self.assertRaises(OSError):
            Connection(NAME, self.files(OTHER), newest=ssl.TLSVersion.TLSv1_2).ask()

    def test_4_a_daemon_that_was_restarted_speaks_by_what_it_has(self):
        before = self.serials()
        asked = self.log(OTHER).count("is shown by every address")
        self.node.stop(f"daemon-{OTHER}")
        self.node.stop("bao")
        self.start_daemon(OTHER)
        poll("the peer", lambda: self.cli("certs", "list")[0] == DONE, 60)
        self.assertEqual(self.serials(), before)
        self.assertEqual(self.log(OTHER).count("is shown by every address"), asked)


if __name__ == "__main__":
    onenode.inside()
    PeersOverVault.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
