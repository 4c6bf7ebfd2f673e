"""Who refuses a revoked certificate, and who says that it does not: certs_crl_test.py BINARY.

A real OpenBao, two daemons, a PostgreSQL that reads the CRLs and a Redis that cannot. The cases
share them and go in their order.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_fixture import POSTGRES_PORT, CertsTest, Load, connect_postgres  # noqa: E402
from onenode import NAME, poll  # noqa: E402
from peers_fixture import NODES, OTHER, Connection  # noqa: E402
from tls_redis import PORT, connect  # noqa: E402

DONE, LOCAL, DEGRADED = 0, 1, 3  # exit statuses
CRL = "/tmp/postgres/current/crl.pem"


class Revocation(CertsTest):
    cli_socket = f"{NAME}.sock"
    cli_limit = 200
    user = 0  # PostgreSQL's

    @classmethod
    def setUpClass(cls):
        super(CertsTest, cls).setUpClass()
        subprocess.run(f"ip address replace {NODES[OTHER]}/32 dev lo".split(), check=True)
        cls.begin()
        cls.user = cls.prepare_postgres()
        cls.write_config()
        cls.bootstrap(cls("test_1_the_crls_of_the_whole_chain_are_beside_the_bundle"), "--yes")
        for node in NODES:
            cls.start_daemon(node)
        for folder in ("redis", "postgres"):
            files = cls.home / folder / "current"
            poll("the files", lambda at=files: (at / "key.pem").exists(), 60)
        poll("the CRLs", (cls.home / "postgres/current/crl.pem").exists, 60)
        cls.start_redis()
        cls.start_postgres(ssl_crl_file=CRL)

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle + ", bind_address: false", name, ca)
        services = "services: {"
        # In no container that could be signaled: PostgreSQL is told by SQL alone.
        for service, port, owner in (("redis", PORT, 0), ("postgres", POSTGRES_PORT, cls.user)):
            services += (
                f"{service}: {{match: {{compose: {service}}}, nodes: [{NAME}], port: {port},"
                f" tls: {{recipe: {service}, folder: {cls.home}/{service},"
                f" seen_as: /tmp/{service}, owner: {owner}}}}}, "
            )
        whole = path.read_text().replace("services: {", services)
        path.write_text(whole)
        for node in NODES:
            text = whole.replace(f"{cls.home}/state", f"{cls.home}/state-{node}")
            text = text.replace(f"{cls.out}/{NAME}/", f"{cls.out}/{node}/")
            text += f"api: {{socket: {cls.home}/{node}.sock}}\nmetrics: {{address: \"off\"}}\n"
            (cls.home / f"{node}.yaml").write_text(text)
        return path

    @classmethod
    def start_daemon(cls, node):
        words = ("daemon", "--config", cls.home / f"{node}.yaml", "--node", node)
        cls.node.start(f"daemon-{node}", [cls.binary, *words])

    def cli(self, *words):
        return super().cli(*words, token=self.root)

    def settled(self):
        """The serials in use by service and node, as soon as each is at the wire."""

        def verified():
            status, out, _ = self.cli("certs", "list", "--format", "json")
            if status != DONE:
                return None
            all_of_them = json.loads(out)["certificates"]
            return {(one["service"], one["node"]): one["serial"] for one in all_of_them}

        return poll("verified certificates", verified, 60, 0.2)

    def revoke(self, *words, status=DONE):
        """What it tells: the certificates, the peers, the other verifiers by service."""
        words = ("-c", self.home / "bevmesh.yaml", "--yes", "--format", "json", *words)
        done, out, said = self.cli("certs", "revoke", *words)
        self.assertEqual(done, status, out + said)
        told = json.loads(out)
        verifiers = {one["service"]: one for one in told["enforcement"]["verifiers"]}
        return told["revoked"], told["enforcement"]["peers"], verifiers

    def client(self, name):
        """Files of a client whose certificate nobody keeps but itself."""
        folder = self.home / name
        folder.mkdir()
        names = {"common_name": "web.service.consul"}
        status, answer = self.sign(self.log_in()["client_token"], **names)
        self.assertEqual(status, 200, answer)
        chain = [answer["data"]["certificate"], *answer["data"]["ca_chain"]]
        (folder / "cert.pem").write_text("\n".join(chain) + "\n")
        shutil.copy(self.home / "k.pem", folder / "key.pem")
        shutil.copy(self.home / "redis/current/ca.pem", folder / "ca.pem")
        return folder

    def log(self, node):
        return (self.home / f"daemon-{node}.log").read_text()

    def refuses(self, connect_to, files):
        with contextlib.suppress(OSError):
            connect_to(files)
            return False
        return True

    def test_1_the_crls_of_the_whole_chain_are_beside_the_bundle(self):
        self.settled()
        text = (self.home / "postgres/current/crl.pem").read_text()
        self.assertEqual(text.count("BEGIN X509 CRL"), 2)
        self.assertFalse((self.home / "redis/current/crl.pem").exists())
        for node in NODES:
            self.assertTrue((self.home / f"state-{node}/certs/bevmesh/current/crl.pem").exists())
        status, out, _ = self.cli("certs", "trust", "--format", "json")
        self.assertEqual(status, DONE)
        for bundle in json.loads(out)["bundles"]:
            self.assertEqual(len(bundle["crls"]), 2)
            self.assertEqual(bundle["crl_trouble"], "")

    def test_2_a_stolen_certificate_is_refused_by_postgresql_and_a_good_one_is_served(self):
        stolen, good = self.client("stolen"), self.client("good")
        connect_postgres(stolen)
        with Load(self.home / "postgres", connect_postgres) as load:
            revoked, peers, verifiers = self.revoke("--certificate", stolen / "cert.pem")
            # It is said once it is so.
            self.assertTrue(self.refuses(connect_postgres, stolen))
        self.assertEqual(load.bad, [])
        connect_postgres(good)
        self.assertFalse(revoked[0]["replaced"])
        self.assertEqual((peers["nodes"], peers["refuse"]), (2, 2))
        self.assertEqual(verifiers["postgres"]["does"], "enforced")
        # Redis reads no CRL, and that is said as it is.
        self.assertEqual(verifiers["redis"]["does"], "never")
        connect(stolen)

    def test_3_a_node_whose_certificate_was_stolen_gets_another_and_the_thief_is_refused(self):
        before = self.settled()
        thief = self.home / "thief"
        shutil.copytree(self.home / f"state-{OTHER}/certs/bevmesh/current", thief)
        self.assertEqual(Connection(NAME, thief).ask(), NAME)
        words = ("bevmesh", "--node", OTHER)
        status, out, said = self.cli(
            "certs", "revoke", "-c", self.home / "bevmesh.yaml", "--yes", *words
        )
        self.assertEqual(status, DONE, out + said)
        self.assertIn("2 of 2 nodes refuse it", out)
        self.assertIn("redis reads no CRL", out)
        after = self.settled()
        self.assertNotEqual(after["bevmesh", OTHER], before["bevmesh", OTHER])
        self.assertEqual(after["bevmesh", NAME], before["bevmesh", NAME])
        for node in NODES:
            with self.assertRaisesRegex(OSError, "revoked"):
                Connection(node, thief).ask()
            poll("the complaint", lambda at=node: "certificate revoked" in self.log(at), 10)
            (caller,) = set(NODES) - {node}
            files = self.home / f"state-{caller}/certs/bevmesh/current"
            self.assertEqual(Connection(node, files).ask(), node)

    def test_4_a_service_is_never_without_a_certificate_that_is_good(self):
        before = self.settled()
        with (
            Load(self.home / "postgres", connect_postgres) as first,
            Load(self.home / "redis", connect) as second,
        ):
            revoked, _, verifiers = self.revoke("postgres")
        self.assertEqual((first.bad, second.bad), ([], []))
        self.assertTrue(revoked[0]["replaced"])
        self.assertEqual(verifiers["postgres"]["does"], "enforced")
        self.assertNotEqual(self.settled()["postgres", NAME], before["postgres", NAME])

    def test_5_a_serial_that_is_not_in_use_any_more_is_found_where_it_is_kept(self):
        before = self.settled()["redis", NAME]
        self.assertEqual(self.cli("certs", "rotate", "redis", "--yes")[0], DONE)
        (revoked,), _, _ = self.revoke(before)
        self.assertEqual(revoked["serial"], before)
        self.assertFalse(revoked["replaced"])
        words = ("-c", self.home / "bevmesh.yaml", "--yes", "0123456789abcdef")
        status, _, said = self.cli("certs", "revoke", *words)
        self.assertEqual(status, LOCAL)
        self.assertIn("no node keeps a certificate with the serial", said)
        self.assertIn("--certificate FILE", said)
        status, _, said = self.cli("certs", "revoke", *words[:3], "--certificate", "/etc/hostname")
        self.assertEqual(status, LOCAL)
        self.assertIn("/etc/hostname: expected a certificate, PEM", said)

    def test_6_a_certificate_that_somebody_else_revoked_in_vault_is_replaced(self):
        before = self.settled()
        pem = (self.home / "redis/current/cert.pem").read_text().split("-----END")[0]
        pem += "-----END CERTIFICATE-----\n"
        status, answer = self.vault("POST", "pki_bev/revoke", {"certificate": pem})
        self.assertEqual(status, 200, answer)
        self.vault("GET", "pki_bev/crl/rotate")
        where = ("redis", NAME)
        poll("another one", lambda: self.settled()[where] != before[where], 60, 0.2)
        self.assertIn("was revoked: another one is asked for", self.log(NAME))

    def test_7_a_postgresql_that_is_not_told_of_the_file_is_told_of(self):
        self.node.stop("postgres")
        self.start_postgres()
        poll("PostgreSQL", lambda: not self.refuses(connect_postgres, self.home / "good"), 30)
        _, _, verifiers = self.revoke("--certificate", self.client("late") / "cert.pem")
        self.assertEqual(verifiers["postgres"]["does"], "unread")
        self.assertIn(f"is '', expected '{CRL}'", verifiers["postgres"]["why"])

    def test_8_who_was_revoked_stays_out_while_vault_is_away_and_over_restarts(self):
        self.settled()
        self.node.stop("bao")
        self.node.stop("postgres")
        self.start_postgres(ssl_crl_file=CRL)
        self.node.stop(f"daemon-{NAME}")
        self.start_daemon(NAME)
        self.settled()
        with self.assertRaisesRegex(OSError, "revoked"):
            Connection(NAME, self.home / "thief").ask()
        poll("PostgreSQL", lambda: not self.refuses(connect_postgres, self.home / "good"), 30)
        self.assertTrue(self.refuses(connect_postgres, self.home / "stolen"))
        self.assertTrue((self.home / "postgres/current/crl.pem").exists())


if __name__ == "__main__":
    onenode.inside()
    Revocation.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
