"""Certificates of a Redis and a PostgreSQL from a real OpenBao, at the wire:
certs_test.py PROBE."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_fixture import (  # noqa: E402
    POSTGRES_PORT,
    TTL,
    CertsTest,
    Load,
    Probe,
    connect_postgres,
)
from onenode import poll  # noqa: E402
from tls_redis import connect  # noqa: E402


class Certs(CertsTest):
    def test_1_what_the_wire_does_not_show_yet_is_not_asked_for_again(self):
        with Probe(self.home, self.root) as probe:
            poll("the files", lambda: (self.home / "redis/current/key.pem").exists(), 30)
            poll("a second try", lambda: probe.said("reload") and probe.tries() > 1, 20)
            self.assertEqual(probe.state()[:2], (1, 0))
            self.start_redis()
            poll("the proof", lambda: probe.proven() == 1, 15)
            generation, _, serial, stage = probe.state()
            self.assertEqual((generation, stage), (1, "none"))
            self.assertEqual(int(connect(self.home / "redis/.gen-1"), 16), int(serial, 16))
        for file, mode in (("key.pem", 0o600), ("cert.pem", 0o644), ("combined.pem", 0o600)):
            found = (self.home / "redis/current" / file).stat().st_mode & 0o777
            self.assertEqual(found, mode, file)

    def test_2_certificates_of_20_s_are_renewed_under_load_without_a_failed_handshake(self):
        with Probe(self.home, self.root) as probe, Load(self.home / "redis") as load:
            before = probe.proven()
            poll("three renewals", lambda: probe.proven() >= before + 3, 3 * TTL, 0.1)
            probe.process.kill()  # with the last one just proven
            probe.process.wait()
        self.assertEqual(load.bad, [])
        self.assertGreater(load.good, 0)
        self.assertGreaterEqual(len(load.serials), 3)
        kept = self.kept()
        with Probe(self.home, self.root) as probe:
            self.assertEqual(probe.state()[0], kept["generation"])
        self.assertLessEqual(len(list((self.home / "redis").glob(".gen-*"))), 3)

    def test_3_a_hook_that_fails_or_lies_brings_the_old_pair_back(self):
        with Probe(self.home, self.root) as probe:
            before = probe.proven()
            probe.ask("rotate")
            poll("another", lambda: probe.proven() > before and probe.settled(), 20)
            for hook in ("fails", "lies"):
                with self.subTest(hook), Load(self.home / "redis") as load:
                    given, proven, serial, _ = probe.state()
                    probe.ask(f"hook {hook}")
                    probe.ask("rotate")
                    poll("the way back", lambda: probe.said(
                        f"going back to generation {proven} ") and probe.state()[3] == "issued", 15)
                    self.assertEqual(probe.state()[:3], (given + 1, proven, serial))
                    probe.ask("hook good")
                    poll("the proof", lambda: probe.proven() == given + 1, 20)
                    # The hooks failed, and nothing more was signed for it.
                    self.assertEqual(probe.state()[0], given + 1)
                self.assertEqual(load.bad, [])

    def test_4_a_client_without_a_certificate_is_refused(self):
        with Probe(self.home, self.root) as probe:
            poll("a proven one", lambda: probe.state()[3] == "none", 15)
            generation = self.home / "redis" / self.current()
            connect(generation)
            with self.assertRaises(OSError):
                connect(generation, certificate=None)

    def test_4b_a_state_that_is_lost_takes_nothing_from_the_service(self):
        before = self.kept()["generation"]
        (self.home / "state/redis.json").unlink()
        with Probe(self.home, self.root) as probe:
            poll("the proof", lambda: probe.proven() > before, 20)
            connect(self.home / "redis" / self.current())

    def test_4c_a_read_only_disk_and_a_sealed_vault_are_waited_for(self):
        folder = self.home / "redis"
        with Probe(self.home, self.root) as probe, Load(self.home / "redis") as load:
            poll("a proven one", lambda: probe.state()[3] == "none", 15)
            given = probe.state()[0]
            subprocess.run(["mount", "--bind", folder, folder], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            probe.ask("rotate")
            poll("the reason", lambda: probe.said("Read-only file system"), 10)
            # Nothing was signed for a disk that takes nothing.
            self.assertEqual(probe.state()[0], given)
            self.vault("PUT", "sys/seal")
            # Whoever reads a file there at the moment keeps it busy.
            given_back = ["umount", folder]
            poll("the disk", lambda: subprocess.run(given_back).returncode == 0, 10)
            poll("the reason", lambda: probe.said("sign: "), 15)
            self.assertEqual(probe.state()[0], given)
            self.unseal()
            poll("the proof", lambda: probe.proven() == given + 1, 15)
        self.assertEqual(load.bad, [])

    def test_5_a_postgresql_that_says_yes_and_keeps_its_old_certificate_is_found(self):
        user = type(self).user = self.prepare_postgres()
        with Probe(self.home, self.root, "postgres", POSTGRES_PORT, user) as probe:
            current = self.home / "postgres/current"
            poll("the files", lambda: (current / "key.pem").exists(), 30)
            self.assertEqual((current / "key.pem").stat().st_uid, user)
            self.start_postgres()
            poll("the proof", lambda: probe.proven() == 1, 20)
            probe.ask("hook opens")
            probe.ask("rotate")
            poll("the way back", lambda: probe.said("going back to generation 1 "), 15)
            self.assertTrue(probe.said("shows serial"), probe.told)
            probe.ask("hook good")
            poll("the proof", lambda: probe.proven() == 2, 20)
            self.assertEqual(probe.state()[0], 2)

    def test_6_a_minute_of_renewals_costs_no_client_of_either_a_handshake(self):
        user = (self.home / "postgres/current/key.pem").stat().st_uid
        with (
            Probe(self.home, self.root) as redis,
            Probe(self.home, self.root, "postgres", POSTGRES_PORT, user) as postgres,
        ):
            # What was proven may have ended since.
            for probe in (redis, postgres):
                before = probe.proven()
                probe.ask("rotate")
                poll("a fresh one", lambda: probe.proven() > before and probe.settled(), 30)
            before = [probe.proven() for probe in (redis, postgres)]
            with (
                Load(self.home / "redis") as first,
                Load(self.home / "postgres", connect_postgres) as second,
            ):
                end = time.monotonic() + 75
                for number, probe in enumerate((redis, postgres)):
                    left = max(end - time.monotonic(), 1)
                    poll("four renewals", lambda: probe.proven() >= before[number] + 4, left, 0.1)
        self.assertEqual((first.bad, second.bad), ([], []))
        self.assertGreater(min(first.good, second.good), 0)
        self.assertGreaterEqual(min(len(first.serials), len(second.serials)), 4)

    def test_7_a_postgresql_that_keeps_its_old_bundle_is_found(self):
        with Probe(self.home, self.root, "postgres", POSTGRES_PORT, self.user) as probe:
            before = probe.proven()
            probe.ask("rotate")
            poll("a young one", lambda: probe.proven() > before, 20)
            given, proven, serial, _ = probe.state()
            curve = {"key_type": "ec", "key_bits": 256}
            self.put("pki_bev_root/root/rotate/internal", common_name="root 2", ttl="48h", **curve)
            # It says yes, and shows the certificate that it should: it is the same.
            probe.ask("hook opens")
            probe.ask("trust")
            poll("the way back", lambda: probe.said(f"going back to generation {proven} "), 15)
            self.assertTrue(probe.said("does not take clients of every CA"), probe.told)
            probe.ask("hook good")
            poll("the proof", lambda: probe.proven() > given, 20)
            self.assertEqual(probe.state()[:3], (given + 1, given + 1, serial))


if __name__ == "__main__":
    onenode.inside()
    CertsTest.probe = CertsTest.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
