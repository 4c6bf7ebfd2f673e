"""Vault loses its leader, its quorum and all of its servers while certificates are renewed:
certs_quorum_test.py BINARY.

Three real servers with Raft. Certificates live for 40 s and are renewed from a tenth of that on, so
that there is always one under way, and clients make new connections all the time. Requests to sign
are counted in the servers' audit log. The cases share the servers and go in their order.
"""

import re
import sys
import time
import unittest
from collections import Counter
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_services import DEGRADED, DONE, ServicesTest  # noqa: E402
from onenode import poll  # noqa: E402
from vault_cluster import ADDRESSES, VaultClusterTest  # noqa: E402

LIFE = 40  # of a certificate, in seconds
DUE = LIFE / 4  # by then each has asked for the next one
LOADED = ("web0", "web1")


def due(certificate):
    return datetime.fromisoformat(certificate["renews"].replace("Z", "+00:00")).timestamp()


class Quorum(VaultClusterTest, ServicesTest):
    ttl = f"{LIFE}s"
    services = {
        f"web{k}": {"port": 9000 + k, "reload": "", "tls": "recipe: none, renew_at: 10"}
        for k in range(6)
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.show_names_in_audit()
        cls.start_daemon()
        cls.start_services()
        cls("setUp").await_all()

    def installed(self):
        """Counts the certificates that were seen at the wire, by their name."""
        counts = self.metrics("bevmesh_certs_renewals_total")
        return Counter({f"{name}.service.consul": int(n) for name, n in counts.items()})

    def signed_in_vain(self):
        """By name, at a moment when every certificate that was signed for is at the wire."""

        def idle():
            found = self.all_settled()
            return found and all(one["doing"] == "none" for one in found.values())

        def at_rest():
            if not idle():
                return None
            before, signs = self.installed(), self.requests_to_sign()
            return before == self.installed() and idle() and (signs - before,)

        return poll("a moment of rest", at_rest, 60)[0]

    def leader(self):
        """There is none for a moment where a busy machine's servers elect another."""
        return poll("the leader", self.vault.active, 30)

    def each_renewed(self, since):
        """Whether each is another than in `since`, and at the wire."""
        return all(self.is_another(name, since) for name in self.services)

    def is_another(self, name, since):
        now = self.settled()
        return name in now and now[name]["serial"] != since[name]["serial"]

    def wait_for_renewals(self):
        since = self.certificates()
        poll("every certificate's renewal", lambda: self.each_renewed(since), 40, 0.1)

    def wait_for_quiet(self):
        """Until none is due before a second has passed: who is killed then has nothing in hand."""

        def is_quiet():
            found = self.all_settled()
            return found and min(map(due, found.values())) >= time.time() + 1

        poll("a quiet moment", is_quiet, 60, 0.1)

    def troubled(self, words):
        """Whether each waits, and for this."""
        found = self.certificates()
        return found and all(words in one["trouble"] for one in found.values())

    def failed_signs(self, service):
        return self.metrics("bevmesh_certs_failures_total")[service]["sign"]

    def test_1_the_leader_is_killed_in_the_middle_of_a_rotation(self):
        self.assertEqual(self.signed_in_vain(), Counter())
        names = list(self.services)
        with self.load(*LOADED):
            self.wait_for_quiet()
            since = self.certificates()
            for name in names[:3]:
                self.order(name)
                poll(name, lambda: self.is_another(name, since), 20)
            self.order(*names[3:])
            self.kill(self.leader())
            poll("every other certificate", lambda: self.each_renewed(since), 40, 0.1)
            poll("the next leader", self.vault.active, 30, 0.1)
            self.wait_for_renewals()
        # An answer that was under way with the leader may have been lost.
        self.assertLessEqual(set(self.signed_in_vain().values()), {1})

    def test_2_the_last_server_signs_on_and_stores_nothing(self):
        before = self.signed_in_vain()
        with self.load(*LOADED):
            self.wait_for_quiet()
            self.kill(self.leader())
            (last,) = self.alive()
            self.assertIsNone(self.vault.active())
            policy = {"policy": 'path "none" { capabilities = ["deny"] }'}
            answer = self.vault.servers[last]("PUT", "sys/policies/acl/x", policy, self.root)
            self.assertGreaterEqual(answer[0], 300)
            status, _, said = self.cli("certs", "rotate", "web0", "--yes")
            self.assertEqual(status, DONE, said)
            self.wait_for_renewals()
        self.assertEqual(self.signed_in_vain(), before)

    def test_3_who_is_not_logged_in_has_nothing_signed_until_there_is_a_quorum(self):
        self.wait_for_quiet()
        self.node.stop("bevmesh")
        (self.home / "state/vault.json").unlink()
        before = self.requests_to_sign()
        with self.load(*LOADED):
            self.start_daemon()
            wait = "not logged in to Vault yet"
            poll("what is waited for", lambda: self.troubled(wait), 2 * DUE, 0.1)
            status, out, _ = self.cli("certs", "list")
            self.assertEqual(status, DEGRADED)
            self.assertIn(wait, out)
            self.assertEqual(self.requests_to_sign(), before)
            for name in self.services:
                self.assertEqual(self.shown(name), self.certificates()[name]["serial"])
            self.revive(*(set(ADDRESSES) - set(self.alive())))
            self.await_all()
        # The daemon counts what it installed from its start.
        self.assertEqual(self.signed_in_vain(), before)
        self.assertGreater(self.requests_to_sign(), before)

    def test_4_a_vault_that_is_away_is_told_and_costs_nobody_a_second_signature(self):
        vain = self.signed_in_vain()
        with self.load(*LOADED):
            self.wait_for_quiet()
            for address in ADDRESSES:
                self.kill(address)
            before = self.requests_to_sign()
            poll("each one's trouble", lambda: self.troubled("sign: "), 2 * DUE, 0.1)
            status, out, _ = self.cli("certs", "list")
            self.assertEqual(status, DEGRADED)
            for address in ADDRESSES:
                self.assertIn(address, out)
            # The pause after a failure is never less than half a second.
            failed, since = self.failed_signs("web0"), time.monotonic()
            self.assertGreater(failed, 0)
            poll("its tries", lambda: self.failed_signs("web0") >= failed + 4, 30)
            self.assertGreater(time.monotonic() - since, 3 * 0.5)
        # It comes when hardly a second is left to those who make connections.
        alarm = re.compile(r" error certs: .*alone/web\d: .* ends in \d+s$", re.M)
        poll("the alarm", lambda: alarm.search(self.log()), LIFE, 0.1)
        self.assertEqual(self.requests_to_sign(), before)
        self.revive(*ADDRESSES)
        self.await_all()
        self.assertEqual(self.signed_in_vain(), vain)


if __name__ == "__main__":
    onenode.inside()
    Quorum.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
