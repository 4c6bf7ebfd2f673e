"""What goes wrong between signing a certificate and seeing it at the wire, and what each costs:
certs_faults_test.py PROBE.

Requests to sign are counted in the server's audit log. A Redis shows the certificates all the time.
"""

import ssl
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_fixture import TTL, CertsTest, Load, Probe  # noqa: E402
from onenode import poll  # noqa: E402
from tls_redis import connect  # noqa: E402

STAGES = ("granted", "issued", "installed", "reloaded", "verified")
SOMEBODY = 4711  # a user that owns nothing


class CertsFaults(CertsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Probe(cls.home, cls.root) as probe:
            poll("the files", lambda: (cls.home / "redis/current/key.pem").exists(), 30)
            cls.start_redis()
            poll("the proof", probe.settled, 20)

    def rotated(self):
        """A fresh certificate, so that none is due by itself for the next ten seconds."""
        with Probe(self.home, self.root) as probe:
            poll("the last one", probe.settled, 20)
            before = probe.proven()
            probe.ask("rotate")
            poll("a fresh one", lambda: probe.proven() > before and probe.settled(), 20)
            return probe.proven()

    def load(self):
        return Load(self.home / "redis")

    def test_1_a_daemon_that_is_killed_between_any_two_states_signs_at_most_once_more(self):
        for stage in STAGES:
            for moment in ("before", "after"):
                # What is in memory alone is lost with it, and has to be signed again.
                lost = stage == "granted" or (stage, moment) == ("issued", "before")
                with self.subTest(f"{moment} {stage}"), self.load() as load:
                    before = self.rotated()
                    calls = self.sign_calls()
                    with Probe(self.home, self.root) as probe:
                        probe.ask(f"die {moment} {stage}")
                        probe.last_words("rotate")
                        self.assertEqual(probe.process.wait(20), -9)
                    with Probe(self.home, self.root) as probe:
                        poll("the proof", lambda: probe.proven() > before, 20)
                        self.assertTrue(probe.settled())
                    self.assertEqual(self.sign_calls() - calls, 2 if lost else 1)
                self.assertEqual(load.bad, [])

    def test_2_a_full_disk_is_found_before_anything_is_signed(self):
        self.rotated()
        filler = self.home / "redis/filler"
        with Probe(self.home, self.root) as probe, self.load() as load:
            calls, before = self.sign_calls(), probe.proven()
            with self.assertRaises(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            probe.ask("rotate")
            poll("the reason", lambda: probe.said("No space left on device"), 10)
            self.assertEqual(self.sign_calls(), calls)
            filler.unlink()
            poll("the proof", lambda: probe.proven() > before, 20)
            self.assertEqual(self.sign_calls(), calls + 1)
        self.assertEqual(load.bad, [])

    def test_3_an_owner_that_cannot_be_given_is_found_before_anything_is_signed(self):
        before = self.rotated()
        calls = self.sign_calls()
        without = ("setpriv", "--bounding-set=-chown", "--inh-caps=-chown")
        with self.load() as load:
            with Probe(self.home, self.root, owner=SOMEBODY, through=without) as probe:
                probe.ask("rotate")
                poll("the reason", lambda: probe.said("its owner and mode"), 10)
                self.assertEqual(self.sign_calls(), calls)
            with Probe(self.home, self.root) as probe:
                poll("the proof", lambda: probe.proven() > before, 20)
                self.assertEqual(self.sign_calls(), calls + 1)
        self.assertEqual(load.bad, [])

    def test_4_hooks_that_hang_fail_or_lie_are_rolled_back_and_cost_one_signature(self):
        for hook in ("hangs", "fails", "lies"):
            with self.subTest(hook):
                before = self.rotated()
                with Probe(self.home, self.root) as probe, self.load() as load:
                    calls = self.sign_calls()
                    probe.ask(f"hook {hook}")
                    probe.ask("rotate")
                    back = f"going back to generation {before} "
                    poll("the way back", lambda: probe.said(back), 15)
                    poll("the old pair", lambda: self.current() == f".gen-{before}", 15)
                    probe.ask("hook good")
                    poll("the proof", lambda: probe.proven() > before, 20)
                    self.assertEqual(self.sign_calls(), calls + 1)
                self.assertEqual(load.bad, [])

    def test_5_a_life_that_the_role_cuts_is_told_and_one_that_is_too_short_is_refused_once(self):
        before = self.rotated()
        with self.load() as load:
            self.make_role(max_ttl="14s")
            with Probe(self.home, self.root) as probe:
                probe.ask("rotate")
                poll("the proof", lambda: probe.proven() > before, 20)
                self.assertTrue(probe.said("is longer than permitted maxTTL"), probe.told)
                self.make_role(max_ttl="5s")
                calls = self.sign_calls()
                probe.ask("rotate")
                poll("the alarm", lambda: probe.said("no other is asked for in 21600s"), 10)
                self.assertTrue(probe.said("less than half of the 20s"), probe.told)
            self.assertEqual(self.sign_calls(), calls + 1)
            with Probe(self.home, self.root) as probe:
                # It remembers: a restart signs nothing, and who asks is not kept waiting.
                self.assertIn("hold", self.kept())
                before = probe.proven()
                self.make_role()
                self.assertEqual(self.sign_calls(), calls + 1)
                probe.ask("rotate")
                poll("the proof", lambda: probe.proven() > before, 20)
            self.assertEqual(self.sign_calls(), calls + 2)
        self.assertEqual(load.bad, [])

    def test_6_a_token_that_is_revoked_costs_no_signature_and_no_client(self):
        token = self.vault("POST", "auth/token/create", {"ttl": "1h"})[1]["auth"]["client_token"]
        before = self.rotated()
        with self.load() as load:
            with Probe(self.home, token) as probe:
                self.put("auth/token/revoke", token=token)
                probe.ask("rotate")
                poll("the alarm", lambda: probe.said("alarm alone/redis: sign: "), 15)
                self.assertEqual(probe.proven(), before)
            with Probe(self.home, self.root) as probe:
                poll("the proof", lambda: probe.proven() > before, 20)
        self.assertEqual(load.bad, [])

    def test_7_a_service_whose_certificate_has_ended_is_told_of_the_next(self):
        before = self.rotated()

        def ended():
            try:
                connect(self.home / "redis" / self.current())
            except ssl.SSLCertVerificationError as error:
                return "expired" in str(error)
            except OSError:
                pass  # the second turned between the two sides' looks: Redis refused ours
            return False

        poll("its end", ended, TTL + 10, 0.2)
        with Probe(self.home, self.root) as probe:
            poll("the proof", lambda: probe.proven() > before, 20)
        connect(self.home / "redis" / self.current())

    def test_8_an_issuer_that_ends_before_a_certificate_would_is_an_alarm_and_grants_nothing(self):
        before = self.rotated()
        default = self.vault("GET", "pki_bev/config/issuers")[1]["data"]["default"]
        self.put("pki_bev/config/issuers", default=self.make_intermediate(f"{TTL - 5}s"))
        with Probe(self.home, self.root) as probe, self.load() as load:
            probe.ask("rotate")
            poll("the alarm", lambda: probe.said("alarm alone/redis: sign: "), 15)
            self.assertTrue(probe.said("beyond the expiration of the CA certificate"), probe.told)
            self.assertEqual(probe.state()[0], before)
            self.put("pki_bev/config/issuers", default=default)
            poll("the proof", lambda: probe.proven() > before, 20)
        self.assertEqual(load.bad, [])


if __name__ == "__main__":
    onenode.inside()
    CertsTest.probe = CertsTest.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
