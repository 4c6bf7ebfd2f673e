"""The daemon keeps a service's certificate, and `bevmesh certs` shows and rotates it:
certs_daemon_test.py BINARY.

Vault is set up by `bevmesh vault bootstrap`, the daemon logs in by the AppRole that it made. The
cases share one daemon and go in their order.
"""

import json
import re
import subprocess
import sys
import time
import unittest
import urllib.request
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import ADDRESS, NAME, poll  # noqa: E402
from tls_redis import PORT, TlsRedisTest, connect  # noqa: E402

DONE, LOCAL, DEGRADED = 0, 1, 3  # exit statuses
METRICS = "127.0.0.1:9464"


class CertsOfTheDaemon(TlsRedisTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begin()
        cls.bootstrap(cls("test_1_it_is_issued_and_looked_for_at_the_wire"), "--yes")
        cls.start_daemon()

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle, name, ca)
        redis = (
            f"services: {{redis: {{match: {{container: redis}}, nodes: [{NAME}], port: {PORT},"
            f" tls: {{recipe: redis, folder: {cls.home}/redis, seen_as: /tmp/redis, owner: 0}}}},"
        )
        more = f"\napi: {{socket: {cls.home}/api.sock}}\nmetrics: {{address: {METRICS}}}\n"
        path.write_text(path.read_text().replace("services: {", redis) + more)
        return path

    @classmethod
    def start_daemon(cls):
        words = ("daemon", "--config", cls.home / "bevmesh.yaml", "--node", NAME)
        cls.node.start("bevmesh", [cls.binary, *words])

    def only(self):
        """What the daemon says of the service's certificate; nothing while it does not answer."""
        status, out, _ = self.cli("certs", "list", "--node", NAME, "--format", "json")
        if status not in (DONE, DEGRADED):
            return {}
        own, one = json.loads(out)["certificates"]
        self.assertEqual(own["service"], "bevmesh")
        return one

    def test_1_it_is_issued_and_looked_for_at_the_wire(self):
        poll("the files", lambda: (self.home / "redis/current/key.pem").exists(), 60)
        self.assertFalse(self.only()["verified"])
        self.assertEqual(self.cli("certs", "list", "--node", NAME)[0], DEGRADED)
        self.start_redis()
        poll("the proof", lambda: self.only().get("verified"), 60)
        shown = connect(self.home / "redis/current")
        self.assertEqual(int(self.only()["serial"], 16), int(shown, 16))
        status, out, _ = self.cli("certs", "list", "--node", NAME)
        self.assertEqual(status, DONE, out)
        self.assertIn("verified", out)
        # The mesh has another node, of which nothing is known.
        status, out, _ = self.cli("certs", "list")
        self.assertEqual(status, DEGRADED, out)
        self.assertIn("other does not answer", out)

    def test_2_rotate_ends_when_the_new_one_is_at_the_wire(self):
        before = self.only()["serial"]
        status, out, said = self.cli("certs", "rotate", "redis", "--yes", "--format", "json")
        self.assertEqual(status, DONE, out + said)
        self.assertIn("1/1 redis on alone", said)
        after = json.loads(out)["certificates"][0]["serial"]
        self.assertNotEqual(after, before)
        self.assertEqual(int(connect(self.home / "redis/current"), 16), int(after, 16))

    def test_2b_the_metrics_are_clean_and_true(self):
        with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, text=True, capture_output=True
        )
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        own = {
            name.removeprefix("bevmesh_certs_").replace('{service="redis"', "{").replace("{,", "{"):
            float(value)
            for name, value in lines.items()
            if name.startswith("bevmesh_certs_")
        }
        self.assertEqual(own['state{state="verified"}'], 1)
        self.assertEqual(own['state{state="issued"}'], 0)
        self.assertEqual(own["renewals_total{}"], 2)
        self.assertEqual(own["sign_calls_total{}"], 2)
        calls = [float(v) for k, v in lines.items() if k.startswith("bevmesh_certs_sign_calls")]
        self.assertEqual(sum(calls), self.sign_calls())
        self.assertEqual(own['failures_total{operation="swap"}'], 0)
        self.assertGreater(own["not_after_timestamp_seconds{}"], time.time() + 3000)
        renews = own["renew_timestamp_seconds{}"]
        self.assertTrue(time.time() < renews < own["not_after_timestamp_seconds{}"])

    def test_2c_a_canary_alone_and_then_those_that_are_left(self):
        # Times are whole seconds.
        issued = datetime.fromisoformat(self.only()["issued"].replace("Z", "+00:00")).timestamp()
        poll("another second", lambda: time.time() >= issued + 1, 5)
        rotate = ("certs", "rotate", "--all", "--yes", "--format", "json")
        status, out, said = self.cli(*rotate, "--canary")
        self.assertEqual(status, DONE, said)
        self.assertIn("canary: 1 of 2 that are left", said)
        self.assertEqual([one["service"] for one in json.loads(out)["certificates"]], ["bevmesh"])
        since = re.search(r"--issued-before (\S+)", said)[1]
        status, out, said = self.cli(*rotate, "--issued-before", since)
        self.assertEqual(status, DONE, said)
        self.assertIn("1 of 2 get another certificate", said)
        self.assertEqual([one["service"] for one in json.loads(out)["certificates"]], ["redis"])
        status, _, said = self.cli(*rotate, "--issued-before", "lately")
        self.assertEqual(status, LOCAL)
        self.assertIn("--issued-before", said)

    def test_3_a_dry_run_and_a_no_change_nothing(self):
        before = self.only()["serial"]
        status, _, said = self.cli("certs", "rotate", "--all", "--dry-run")
        self.assertEqual(status, DONE)
        self.assertIn("redis", said)
        self.assertNotEqual(self.cli("certs", "rotate", "--all")[0], DONE)  # nobody says yes
        self.assertEqual(self.only()["serial"], before)

    def test_4_what_is_not_there_is_refused_with_a_sentence(self):
        for words, sentence in (
            (("rotate", "nobody", "--yes"), "certificate of nobody"),
            (("rotate", "--yes"), "name services, or --all"),
            (("rotate", "redis", "--all", "--yes"), "name services, or --all"),
            (("rotate", "redis", "--wait", "soon", "--yes"), "--wait"),
            (("show", "nobody"), "certificate of nobody"),
            (("list", "--node", "nowhere"), "nowhere"),
        ):
            with self.subTest(words):
                status, out, said = self.cli("certs", *words)
                self.assertEqual(status, LOCAL, out + said)
                self.assertIn(sentence, said)

    def test_5_a_service_that_is_gone_ends_a_rotation_with_the_reason(self):
        self.node.stop("redis")
        status, out, said = self.cli("certs", "rotate", "redis", "--yes", "--wait", "20s")
        self.assertNotEqual(status, DONE, out)
        self.assertIn("0 of 1 are rotated", said)
        self.start_redis()
        poll("the proof", lambda: self.cli("certs", "list", "--node", NAME)[0] == DONE, 60)

    def test_6_a_daemon_that_was_killed_goes_on_with_what_it_has(self):
        before = self.only()
        self.node.stop("bevmesh")
        self.start_daemon()
        poll("the daemon's answer", self.only, 30)
        self.assertEqual(self.only()["serial"], before["serial"])
        self.assertTrue(self.only()["verified"])

    def test_7_a_secret_id_that_is_revoked_ends_a_rotation_and_takes_nothing_from_the_service(self):
        role, before = f"auth/approle/role/bevmesh-{NAME}", self.only()["serial"]
        for accessor in self.vault("LIST", f"{role}/secret-id")[1]["data"]["keys"]:
            destroy = f"{role}/secret-id-accessor/destroy"
            self.vault("POST", destroy, {"secret_id_accessor": accessor})
        for accessor in self.vault("LIST", "auth/token/accessors")[1]["data"]["keys"]:
            facts = self.vault("POST", "auth/token/lookup-accessor", {"accessor": accessor})[1]
            if facts["data"]["display_name"] == "approle":
                self.vault("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        status, out, said = self.cli("certs", "rotate", "redis", "--yes", "--wait", "15s")
        self.assertNotEqual(status, DONE, out)
        self.assertIn("0 of 1 are rotated", said)
        self.assertEqual(self.only()["serial"], before)
        self.assertEqual(int(connect(self.home / "redis/current"), 16), int(before, 16))
        self.assertIn("sign: ", self.only()["trouble"])


if __name__ == "__main__":
    onenode.inside()
    CertsOfTheDaemon.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
