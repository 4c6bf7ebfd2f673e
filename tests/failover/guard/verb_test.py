#!/usr/bin/python3
"""`bevmesh guard` as its unit runs it: serve, status, stop, take over, and fence after a death.

verb_test.py BINARY
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = sys.argv.pop()
HELLO, ARM, EXTEND = range(3)
SLEEPER = ["sleep", "600"]


def start_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


def request(verb, pid=0, seconds=0.0, shorten=0):
    ticks = start_ticks(pid) if pid else 0
    deadline = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(seconds * 1e9)
    return struct.pack("<IHHQiIQ256sqqII", 0x62766764, 1, verb, 1, pid, 1, ticks, b"",
                       deadline, 0, shorten, 0xFFFFFFFF)


def verdict(daemon, message):
    daemon.send(message)
    return struct.unpack_from("<H", daemon.recv(8192), 6)[0]


class Guard(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bevmesh-verb-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.database = self.run_until_end(SLEEPER)

    def run_until_end(self, argv):
        process = subprocess.Popen(argv, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def verb(self, *arguments):
        return subprocess.run([BINARY, "guard", "--directory", self.folder, *arguments],
                              text=True, capture_output=True)

    def start(self):
        guard = self.run_until_end([BINARY, "guard", "--group", "redis", "--directory",
                                    self.folder])
        limit = time.monotonic() + 10
        while self.verb("--group", "redis", "--status").returncode != 0:
            self.assertIsNone(guard.poll(), "the guard ended")
            self.assertLess(time.monotonic(), limit)
        return guard

    def arm(self, seconds):
        """As a daemon that then stays: the connection."""
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(daemon.close)
        daemon.connect(f"{self.folder}/redis.sock")
        for message in (request(HELLO), request(ARM, self.database.pid, seconds)):
            self.assertEqual(verdict(daemon, message), 0)
        return daemon

    def status(self):
        return self.verb("--group", "redis", "--status").stdout

    def test_serves_and_stops_in_order(self):
        guard = self.start()
        self.assertIn(": idle;", self.status())
        self.assertIn("KiB in memory", self.status())
        print(f"\n    {self.status().strip()}", file=sys.stderr)
        guard.terminate()
        self.assertEqual(guard.wait(10), 0)

    def test_kills_at_the_deadline(self):
        self.start()
        daemon = self.arm(60)
        # A deadline that is past by then is obeyed, where an arming would be refused.
        verdict(daemon, request(EXTEND, seconds=0.2, shorten=1))
        self.assertEqual(self.database.wait(10), -signal.SIGKILL)
        self.assertIn("dead (deadline)", self.status())

    def test_a_stopped_guard_is_taken_over_from(self):
        guard = self.start()
        self.arm(60)
        guard.terminate()
        self.assertEqual(guard.wait(10), 0)
        self.assertIsNone(self.database.poll())
        self.start()
        self.assertIn(f"armed on pid {self.database.pid}", self.status())

    def test_fence_spares_what_a_guard_or_a_daemon_looks_after(self):
        guard = self.start()
        self.arm(60)
        self.assertEqual(self.verb("--fence").returncode, 0)
        self.assertIsNone(self.database.poll())
        guard.kill()
        guard.wait()
        self.assertEqual(self.verb("--fence", "--group", "redis").returncode, 0)
        self.assertIsNone(self.database.poll(), "the daemon, this test, lives")

    def test_fence_kills_what_nobody_looks_after(self):
        guard = self.start()
        daemon = os.fork()
        if daemon == 0:
            self.arm(60)
            os._exit(0)
        os.waitpid(daemon, 0)
        guard.kill()
        guard.wait()
        fenced = self.verb("--fence")
        self.assertEqual(fenced.returncode, 0, fenced.stderr)
        self.assertIn("guard redis: fenced", fenced.stderr)
        self.assertEqual(self.database.wait(10), -signal.SIGKILL)
        again = self.verb("--fence")
        self.assertEqual((again.returncode, again.stderr), (0, ""))

    def test_what_it_cannot_do_is_said(self):
        for arguments in (("--group", "../x"), (), ("--group", "redis", "--user", "nobody-here")):
            done = self.verb(*arguments)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertTrue(done.stderr.startswith("bevmesh: "), done.stderr)
        self.start()
        self.assertIn("another guard of this group runs", self.verb("--group", "redis").stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
