#!/usr/bin/python3
"""`bevmesh dns` for real: lab_test.py BEVMESH [TEST...], as root.

On a node of a lab with real Consul servers and a real engine, with each kind of resolver that a
host can have: containers of every network kind resolve a service of another node with glibc and
with musl, and after `remove` every file in /etc is what it was. systemd-resolved is tried in
tests/systemd.
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import host  # noqa: E402

NAME = "cache.service.consul"
NOBODY = "nobody-has-this.service.consul"


def setUpModule():
    folder = tempfile.TemporaryDirectory(prefix="bevmesh-dns-")
    unittest.addModuleCleanup(folder.cleanup)
    unittest.addModuleCleanup(host.down)
    host.up(BINARY)
    global ASK
    ASK = host.build_musl(folder.name)


class Case(unittest.TestCase):
    maxDiff = None

    def given(self, arrange):
        """The host as it is before bevmesh; compared with at the end."""
        pid = arrange()
        if pid:
            self.addCleanup(host.stop, pid)
        before = host.snapshot()
        self.addCleanup(self.check_host_is, before)
        self.addCleanup(lambda: host.dns("remove", "--yes", "--restart-docker"))
        return before

    def check_host_is(self, before):
        now = host.snapshot()
        different = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        self.assertEqual({path: (before.get(path), now.get(path)) for path in different}, {})
        self.assertFalse((host.STATE / host.NODE / "lib/bevmesh/dns").exists())
        self.assertFalse((host.STATE / host.NODE / "run/bevmesh-dns.pid").exists())

    def check_changed(self, before, now, files):
        """In /etc the files that apply named are other ones, and nothing else but their folders
        and what is kept of them."""
        named = {file.removeprefix("/etc/") for file in files if file.startswith("/etc/")}
        changed = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        kept = {f"{path}.before-bevmesh" for path in named} & changed
        folders = {str(folder) for path in named for folder in Path(path).parents}
        self.assertEqual(changed - kept - (folders - set(before)), named)

    def check_names(self, other=""):
        for network in host.NETWORKS:
            said = host.ask_in(network, ASK, NAME, NOBODY, *([other] if other else []))
            wanted = {NAME: host.CACHE, NOBODY: "NONAME"}
            if other:
                wanted[other] = "192.0.2.7"
            with self.subTest(network):
                self.assertEqual(said, {"musl": wanted, "glibc": wanted})
        self.assertIn(host.CACHE, host.on("getent", "ahosts", NAME).stdout)

    def codes(self, answer):
        return {(f["code"], f["where"]) for f in answer["findings"]}

    def check_whole(self, wrong_before, other):
        before, engine = host.snapshot(), host.in_engine()
        code, seen, said = host.dns("doctor")
        self.assertEqual((code, self.codes(seen)), (3, wrong_before), said)
        self.assertEqual((host.snapshot(), host.in_engine()), (before, engine), "a doctor looks")
        code, done, said = host.dns("apply", "--yes", "--restart-docker")
        self.assertEqual((code, done.get("changed"), done.get("findings")), (0, True, []), said)
        self.check_names(other)
        self.assertEqual(host.in_engine(), engine)
        with_us = host.snapshot()
        self.check_changed(before, with_us, done["files"])
        restarts = {name: host.restarts(name) for name in ("docker", "dnsmasq", "unbound")}
        code, again, said = host.dns("apply", "--yes")
        self.assertEqual((code, again.get("changed")), (0, False), said)
        self.assertEqual(host.snapshot(), with_us)
        self.assertEqual({name: host.restarts(name) for name in restarts}, restarts)
        code, seen, said = host.dns("doctor")
        self.assertEqual((code, seen.get("findings")), (0, []), said)
        code, gone, said = host.dns("remove", "--yes", "--restart-docker")
        self.assertEqual((code, gone.get("problems")), (0, []), said)
        self.assertEqual(set(gone["paths"]), set(done["files"]))


ALL = {("DNS201", "host"), ("DNS301", "host"), ("DNS301", "bridge"), ("DNS301", "bev_network"),
       ("DNS301", "shut")}


class Resolvers(Case):
    def test_dnsmasq(self):
        self.given(host.with_dnsmasq)
        self.check_whole(ALL, "elsewhere.test")

    def test_unbound(self):
        self.given(host.with_unbound)
        self.check_whole(ALL, "elsewhere.test")

    def test_plain_resolv_conf(self):
        self.given(host.with_plain)
        before = host.restarts("docker")
        self.check_whole(ALL, "elsewhere.test")
        self.assertEqual(host.restarts("docker"), before)

    def test_none(self):
        self.given(host.with_none)
        self.check_whole(ALL | {("DNS206", "host")}, "")


class Refusals(Case):
    """What cannot be done is said, and nothing is half done."""

    def check_refused(self, wanted, exit_code=1):
        before = host.snapshot()
        code, done, said = host.dns("apply", "--yes")
        self.assertEqual((code, done), (exit_code, {}), said)
        self.assertIn(wanted, said)
        self.assertEqual(host.snapshot(), before)

    def test_a_foreign_file_a_stranger_no_root_and_no_answer(self):
        self.given(host.with_dnsmasq)
        host.write("/etc/dnsmasq.d/bevmesh.conf", "# somebody's own\n")
        self.check_refused("/etc/dnsmasq.d/bevmesh.conf is there and is not bevmesh's")
        (host.STATE / host.NODE / "etc/dnsmasq.d/bevmesh.conf").unlink()
        # Nobody is there to be asked.
        code, _, said = host.dns("apply")
        self.assertEqual(code, 1, said)
        self.assertIn("--yes", said)
        done = host.on("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bevmesh",
                       "dns", "apply", "--yes", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("run it as root", done.stderr)

    def test_a_crash_in_the_middle_is_taken_back(self):
        self.given(host.with_dnsmasq)
        before = host.snapshot()
        # The resolver is just restarted, with the drop-in, when bevmesh dies.
        host.write("/run/dnsmasq.hook", "kill -9 $PPID; rm /run/dnsmasq.hook\n")
        code, _, _ = host.dns("apply", "--yes")
        self.assertNotEqual(code, 0)
        self.assertNotEqual(host.snapshot(), before)
        code, seen, said = host.dns("doctor")
        self.assertIn(("DNS402", "host"), self.codes(seen), said)
        code, gone, said = host.dns("remove", "--yes")
        self.assertEqual((code, gone.get("problems")), (0, []), said)
        self.assertEqual(host.snapshot(), before)

    def test_a_remove_that_is_killed_is_finished_by_the_next(self):
        self.given(host.with_dnsmasq)
        before = host.snapshot()
        code, done, said = host.dns("apply", "--yes")
        self.assertEqual((code, bool(done)), (3, True), said)  # the engine is not restarted
        # The drop-in is gone, and bevmesh dies before the resolver is restarted without it.
        host.write("/run/dnsmasq.hook", "rm /run/dnsmasq.hook; kill -9 $PPID; exit 0\n")
        code, _, _ = host.dns("remove", "--yes")
        self.assertNotEqual(code, 0)
        code, seen, said = host.dns("doctor")
        self.assertIn(("DNS402", "host"), self.codes(seen), said)
        restarts = host.restarts("dnsmasq")
        code, gone, said = host.dns("remove", "--yes")
        self.assertEqual((code, gone.get("problems")), (0, []), said)
        self.assertEqual(host.restarts("dnsmasq"), restarts + 1)
        self.assertEqual(host.snapshot(), before)

    def test_what_does_not_help_is_taken_back(self):
        self.given(host.with_plain)
        # Containers may not ask this host: no probe from the default bridge can succeed.
        rule = ["INPUT", "-i", "docker0", "-p", "udp", "--dport", "53", "-j", "DROP"]
        host.on("iptables", "-I", *rule)
        self.addCleanup(lambda: host.on("iptables", "-D", *rule))
        self.check_refused("the host is as it was before", exit_code=2)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("lab_test: must be run as root")
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
