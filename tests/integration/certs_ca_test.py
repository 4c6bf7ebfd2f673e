"""The CA is rolled over under load, by `bevmesh certs ca rotate`: certs_ca_test.py BINARY.

A real OpenBao, a daemon and a Redis to which new connections are made all the time. The cases share
them and go in their order; each leaves one CA behind.
"""

import contextlib
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_fixture import Load  # noqa: E402
from onenode import NAME, poll  # noqa: E402
from tls_redis import PORT, TlsRedisTest, connect  # noqa: E402

DONE, LOCAL, REMOTE, DEGRADED, TIMED_OUT, REFUSED = range(6)  # exit statuses


class Rollover(TlsRedisTest):
    cli_limit = 400

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begin()
        test = cls("test_1_another_ca_is_trusted_without_another_certificate")
        test.bootstrap("--yes")
        words = ("daemon", "--config", cls.home / "bevmesh.yaml", "--node", NAME)
        cls.node.start("bevmesh", [cls.binary, *words])
        cls.current = cls.home / "redis/current"
        poll("the files", lambda: (cls.current / "key.pem").exists(), 60)
        cls.start_redis()
        poll("the proof", lambda: test.cli("certs", "list")[0] == DONE, 60)

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle, name, ca)
        redis = (
            f"services: {{redis: {{match: {{container: redis}}, nodes: [{NAME}], port: {PORT},"
            f" tls: {{recipe: redis, folder: {cls.home}/redis, seen_as: /tmp/redis, owner: 0}}}},"
        )
        text = path.read_text().replace("services: {", redis)
        # A node that never answers would hold every gate up.
        text = text.replace(", other: {address: 10.77.0.2}", "")
        more = f"\napi: {{socket: {cls.home}/api.sock}}\nmetrics: {{address: \"off\"}}\n"
        path.write_text(text + more)
        return path

    def cli(self, *words, token=None):
        done = super().cli(*words, token=token or self.root)
        self.assertNotIn(self.root, done[1] + done[2])
        return done

    def ca_rotate(self, *words, **more):
        return self.cli("certs", "ca", "rotate", "-c", self.home / "bevmesh.yaml", *words, **more)

    def certificate(self):
        (one,) = json.loads(self.cli("certs", "list", "--format", "json")[1])["certificates"]
        return one

    def trusted(self):
        return (self.current / "ca.pem").read_text().count("BEGIN CERTIFICATE")

    def answers(self):
        with contextlib.suppress(OSError):
            return connect(self.current)

    def issuers(self, mount):
        answer = self.vault("LIST", f"{mount}/issuers")[1]["data"]["key_info"]
        return sorted(one["issuer_name"] for one in answer.values() if one["issuer_name"])

    def client_of(self, issuer):
        """A client's files with a certificate that this intermediate signed."""
        folder = self.home / f"client-{issuer}"
        folder.mkdir()
        body = {"csr": (self.home / "csr.pem").read_text(), "common_name": NAME, "ttl": "10m"}
        path = f"pki_bev/issuer/{issuer}/sign/service-{NAME}"
        status, answer = self.vault("POST", path, body)
        self.assertEqual(status, 200, answer)
        chain = [answer["data"]["certificate"], *answer["data"]["ca_chain"][:1]]
        (folder / "cert.pem").write_text("\n".join(chain))
        (folder / "key.pem").write_text((self.home / "k.pem").read_text())
        (folder / "ca.pem").write_text((self.current / "ca.pem").read_text())
        return folder

    def test_1_another_ca_is_trusted_without_another_certificate(self):
        before = self.certificate()
        self.assertEqual(self.trusted(), 2)
        self.assertEqual(self.cli("certs", "trust")[0], DONE)
        with Load(self.home / "redis") as load:
            status, _, said = self.ca_rotate("--until", "prepare", "--yes")
            self.assertEqual(status, DONE, said)
            stranger = self.client_of("services-2")
            poll("the bundle", lambda: self.trusted() == 4, 30)
            poll("the proof", lambda: self.cli("certs", "trust")[0] == DONE, 30)
            after = self.certificate()
            connect(stranger)
        self.assertEqual(load.bad, [])
        self.assertEqual(load.serials, {connect(self.current)})
        self.assertEqual(after["serial"], before["serial"])
        # Two where the daemon looks between the new root and what it signs.
        self.assertIn(after["generation"] - before["generation"], (1, 2))
        self.assertNotEqual(after["trusted"], before["trusted"])
        status, out, _ = self.cli("certs", "trust")
        self.assertIn("test root 2", out)

    def test_2_an_abort_leaves_the_old_ca_alone(self):
        before = self.certificate()["serial"]
        status, _, said = self.ca_rotate("--abort", "--yes")
        self.assertEqual(status, DONE, said)
        self.assertIn("nothing is left to abort", said)
        self.assertEqual(self.trusted(), 2)
        self.assertEqual(self.certificate()["serial"], before)
        self.assertEqual(self.issuers("pki_bev_root"), ["root-1"])
        self.assertEqual(self.issuers("pki_bev"), ["services-1"])
        # Whom Redis took while it had that bundle.
        with self.assertRaises(OSError):
            connect(self.home / "client-services-2")

    def test_3_it_is_rolled_over_and_no_client_notices(self):
        before = self.certificate()
        with Load(self.home / "redis") as load:
            status, out, said = self.ca_rotate("--yes", "--format", "json")
        self.assertEqual(status, DONE, said)
        self.assertEqual(load.bad, [])
        self.assertGreater(load.good, 100)
        self.assertEqual(len(load.serials), 2)
        print(f"{load.good} new connections, {len(load.bad)} failed", file=sys.stderr)
        for phase in ("prepare: ", "activate: 1 of 1", "rotate: 0 of 1", "retire: 1 of 1", "done"):
            self.assertIn(f"\n{phase}", said)
        after = self.certificate()
        self.assertNotEqual(after["issuer"], before["issuer"])
        self.assertEqual(self.trusted(), 2)
        self.assertEqual(self.issuers("pki_bev_root"), ["root-2"])
        self.assertEqual(self.issuers("pki_bev"), ["services-2"])
        told = json.loads(out)
        self.assertEqual(told["next"], "done")
        self.assertEqual([one["issuer"] for one in told["certificates"]], ["services-2"])

    def test_4_it_goes_on_where_it_was_and_back_from_every_certificate(self):
        before = self.certificate()
        with Load(self.home / "redis") as load:
            self.assertEqual(self.ca_rotate("--until", "activate", "--yes")[0], DONE)
            status, out, _ = self.ca_rotate("--dry-run", "--format", "json")
            self.assertEqual((status, json.loads(out)["phase"]), (DONE, "rotate"))
            self.assertEqual(self.ca_rotate("--until", "rotate", "--yes")[0], DONE)
            self.assertNotEqual(self.certificate()["issuer"], before["issuer"])
            status, _, said = self.ca_rotate("--abort", "--yes")
            self.assertEqual(status, DONE, said)
        self.assertEqual(load.bad, [])
        self.assertEqual(self.certificate()["issuer"], before["issuer"])
        self.assertEqual(self.issuers("pki_bev"), ["services-2"])
        self.assertEqual(self.trusted(), 2)

    def test_4b_an_abort_goes_back_from_a_ca_that_signs_already(self):
        before = self.certificate()
        with Load(self.home / "redis") as load:
            self.assertEqual(self.ca_rotate("--until", "activate", "--yes")[0], DONE)
            self.assertEqual(self.issuers("pki_bev"), ["services-2", "services-3"])
            status, _, said = self.ca_rotate("--abort", "--yes")
            self.assertEqual(status, DONE, said)
        self.assertEqual(load.bad, [])
        self.assertEqual(self.certificate()["issuer"], before["issuer"])
        self.assertEqual(self.issuers("pki_bev_root"), ["root-2"])
        self.assertEqual(self.issuers("pki_bev"), ["services-2"])
        self.assertEqual(self.trusted(), 2)

    def test_5_a_service_that_is_gone_holds_the_gate_until_it_is_back(self):
        self.node.stop("redis")
        status, _, said = self.ca_rotate("--yes", "--wait", "15s")
        self.assertEqual(status, TIMED_OUT, said)
        self.assertIn("0 of 1 confirmed, waiting for redis on alone", said)
        self.assertEqual(self.issuers("pki_bev"), ["services-2", "services-3"])
        self.start_redis()
        poll("Redis", self.answers, 30)
        with Load(self.home / "redis") as load:
            status, _, said = self.ca_rotate("--yes")
        self.assertEqual(status, DONE, said)
        self.assertEqual(load.bad, [])
        self.assertEqual(self.issuers("pki_bev"), ["services-3"])

    def test_6_what_is_wrong_is_told_and_nothing_is_begun(self):
        for words, token, expected, sentence in (
            (("--yes",), "s.none", REMOTE, "must be an administrator's"),
            (("--until", "soon"), None, LOCAL, "--until"),
            (("--until", "rotate", "--abort"), None, LOCAL, "no --abort"),
            (("--wait", "soon"), None, LOCAL, "--wait"),
            ((), None, LOCAL, ""),  # nobody says yes
            (("--abort", "--yes"), None, DONE, "nothing is left to abort"),
        ):
            with self.subTest(words):
                status, out, said = self.ca_rotate(*words, token=token)
                self.assertEqual(status, expected, out + said)
                self.assertIn(sentence, said)
        self.assertEqual(self.issuers("pki_bev_root"), ["root-3"])

    def test_7_the_ca_operators_policy_is_enough(self):
        made = self.vault(
            "POST",
            "auth/token/create",
            {"policies": ["bevmesh-ca-operator"], "no_default_policy": True, "ttl": "1h"},
        )[1]
        token = made["auth"]["client_token"]
        status, _, said = self.ca_rotate("--yes", token=token)
        self.assertEqual(status, DONE, said)
        self.assertEqual(self.issuers("pki_bev_root"), ["root-4"])

    def test_8_a_certificate_is_replaced_and_then_revoked(self):
        before = self.certificate()
        words = ("-c", self.home / "bevmesh.yaml", "--yes", "--format", "json")
        with Load(self.home / "redis") as load:
            status, out, said = self.cli("certs", "revoke", "redis", *words)
        self.assertEqual(status, DONE, said)
        self.assertEqual(load.bad, [])
        (told,) = json.loads(out)["revoked"]
        self.assertEqual(told["serial"], before["serial"])
        (redis,) = json.loads(out)["enforcement"]["verifiers"]
        self.assertEqual((redis["service"], redis["does"]), ("redis", "never"))
        self.assertNotEqual(self.certificate()["serial"], before["serial"])
        crl = self.vault("GET", "pki_bev/issuer/default/crl/pem")[1]
        shown = subprocess.run(
            ["openssl", "crl", "-noout", "-text"], input=crl, capture_output=True, text=True
        ).stdout
        self.assertIn(f"{int(before['serial'], 16):X}", shown)
        # It is kept, of no use to anybody.
        status, out, said = self.cli("certs", "revoke", before["serial"], *words)
        self.assertEqual(status, DONE, said)
        self.assertIn("None of these is in use", said)


if __name__ == "__main__":
    onenode.inside()
    Rollover.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
