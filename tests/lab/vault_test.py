#!/usr/bin/python3
"""The login and the client against three servers of OpenBao, some of which are gone:
vault_test.py BEVMESH PROBE.

A lab of its own. The probe runs on ORACLE1; the servers that fail are the other nodes', and, for
the last case, its own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = Path(tempfile.mkdtemp(prefix="bevmesh-lab-vault.", dir="/var/tmp"))
os.environ["BEVMESH_LAB_DIR"] = str(PLACE / "lab")
sys.path.insert(0, str(HERE))

from bevlab import vault  # noqa: E402
from bevlab.layout import NODES  # noqa: E402
from bevlab.state import State  # noqa: E402

NODE = "oracle1"
CSR = PLACE / "csr.pem"


def lab(*words, timeout=150):
    done = subprocess.run(
        [HERE / "lab", *words], text=True, capture_output=True, timeout=timeout, check=False
    )
    if done.returncode:
        raise AssertionError(f"lab {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return value


class OnNode:
    """The probe on the node, one question at a time."""

    def __init__(self):
        argv = [HERE / "lab", "exec", NODE, "--", PROBE, "/etc/bevmesh/bevmesh.yaml", NODE]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.told = []

    def ask(self, words):
        self.process.stdin.write(words + "\n")
        while (line := self.process.stdout.readline().strip()).startswith("tell "):
            self.told.append(line)
        if not line:
            raise RuntimeError(f"the probe ended: {self.told}")
        return line

    def logged_in(self):
        return self.ask("state").startswith("ok in")

    def sign(self):
        uri = f"spiffe://bev/node/{NODE}/service/bevmesh"
        return self.ask(f"sign {CSR} {NODE} {uri}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def setUpModule():
    unittest.addModuleCleanup(take_down)
    lab("up", "--no-daemon", "--vault", "--binary", BINARY)
    (PLACE / "lab" / NODE / "lib/bevmesh").mkdir(mode=0o700, exist_ok=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    subprocess.run(
        ["openssl", "req", "-new", *curve, "-keyout", PLACE / "k.pem", "-subj", "/CN=x"]
        + ["-out", CSR],
        check=True,
        capture_output=True,
    )


def take_down():
    subprocess.run([HERE / "lab", "down"], capture_output=True, check=False)
    shutil.rmtree(PLACE, ignore_errors=True)


class ThreeServers(unittest.TestCase):
    def setUp(self):
        self.probe = OnNode()
        self.addCleanup(self.probe.close)
        until("the login", self.probe.logged_in)

    def kill(self, *nodes):
        for node in nodes:
            lab("kill", f"{node}:vault")
        self.addCleanup(self.bring_back, nodes)

    @staticmethod
    def bring_back(nodes):
        for node in nodes:
            lab("start", f"{node}:vault")
        vault.wait_complete(State.running())

    @staticmethod
    def unseal():
        vault.unseal(State.running(), NODE)
        vault.wait_complete(State.running())

    @staticmethod
    def elsewhere():
        """A leader that is not on the probe's node. One that steps down may be elected again, and
        again; one that is not there cannot."""
        state = State.running()
        leader = until("a leader", lambda: vault.leader(state))
        if leader != NODE:
            return leader
        lab("kill", f"{NODE}:vault")
        others = until("another leader", lambda: vault.leader(state))
        lab("start", f"{NODE}:vault")
        vault.wait_complete(State.running())
        return others

    @staticmethod
    def database():
        """What it says; nothing while the mount is being made versioned, which takes a moment."""
        try:
            words = ("bao", "kv", "get", "-mount=bev", "-format=json", "database")
            return lab("exec", NODE, "--", *words)
        except AssertionError as error:
            if "to versioned data" in str(error):
                return None
            raise

    def test_1_the_lab_exec_knows_vault(self):
        self.assertIn('"data"', until("a secret of the mount that is new", self.database))
        self.assertEqual(self.probe.ask("secret database"), "ok 0 values")
        wanted = ["active", "standby", "standby"]
        until("all are well", lambda: sorted(self.probe.ask("health").split()[1:]) == wanted)

    def test_2_with_the_leader_killed_signing_goes_on_without_one_failure(self):
        self.kill(self.elsewhere())
        end = time.monotonic() + 6
        signed = 0
        while time.monotonic() < end:
            answer = self.probe.sign()
            self.assertRegex(answer, "^ok ")
            signed += 1
        self.assertGreater(signed, 20)
        until("another leader", lambda: vault.leader(State.running()))
        # What is written finds the new leader: a token that went is replaced by a login.
        state = State.running()
        leader = vault.leader(state)
        kept = (PLACE / "lab" / NODE / "lib/bevmesh/vault.json").read_text()
        token = kept.partition('"token":"')[2].partition('"')[0]
        vault.ask(
            *(state, leader, "POST", "auth/token/revoke", {"token": token}),
            state.secret(vault.TOKEN),
        )
        until("a certificate", lambda: self.probe.sign().startswith("ok"), 30)

    def test_3_with_the_nearest_server_sealed_the_others_sign(self):
        self.elsewhere()
        lab("kill", f"{NODE}:vault")
        lab("start", "--no-wait", f"{NODE}:vault")  # nobody unseals it
        self.addCleanup(self.unseal)
        until("sealed", lambda: "sealed" in self.probe.ask("health"))
        for _ in range(20):
            self.assertRegex(self.probe.sign(), "^ok ")

    def test_4_with_the_quorum_lost_signing_goes_on(self):
        # The leader last: where it goes first, another may lead for a while and then lose.
        leader = vault.leader(State.running())
        others = [node for node in NODES if node != NODE]
        self.kill(*sorted(others, key=lambda node: node == leader))
        for _ in range(20):
            self.assertRegex(self.probe.sign(), "^ok ")
        self.assertTrue(self.probe.logged_in())


if __name__ == "__main__":
    PROBE = sys.argv.pop(2)
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
