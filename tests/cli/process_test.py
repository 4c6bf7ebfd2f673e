#!/usr/bin/env python3
"""The binary as a process: pipes that close, full disks, terminals, signals, permissions.

usage: process_test.py PATH-OF-BEVMESH

What only a real process has; the rest of the command line is tested in cli_tests. The daemon is a
socket that answers what is written here.
"""

import json
import os
import pty
import select
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = sys.argv.pop(1)
SERVICES = {"services": [{"name": f"service-{n:05}", "instances": [
    {"id": f"s-{n}", "node": "thanos", "address": "10.0.0.1", "port": 80, "status": "passing"}]}
    for n in range(5000)], "local": [{"id": "s-0", "name": "service-00000", "phase": "announced"}]}
ANSWERS = {"/v1/status": {"node": "thanos", "state": "ok"}, "/v1/services": SERVICES,
           "/v1/maintenance": {"affected": ["s-0"]}}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            length = 0
            while (header := self.rfile.readline().strip()):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            self.rfile.read(length)
            path = line.split()[1].decode().split("?")[0]
            self.server.seen.append(line.split()[0].decode() + " " + path)
            body = json.dumps(ANSWERS[path]).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Daemon(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, Handler)
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Process(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.socket = os.path.join(directory.name, "api.sock")
        self.daemon = Daemon(self.socket)
        self.addCleanup(self.daemon.server_close)
        self.addCleanup(self.daemon.shutdown)
        os.chmod(directory.name, 0o755)

    def command(self, *words):
        return [BINARY, *words, "--socket", self.socket]

    def run_it(self, *words, **options):
        return subprocess.run(self.command(*words), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False, **options)

    def on_terminal(self, words, typed=b"", environment=None, until=b"[y/N] "):
        """Runs on a pseudo terminal; types once `until` shows. Exit status and what was shown."""
        pid, terminal = pty.fork()
        if pid == 0:
            clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
            os.execve(BINARY, self.command(*words),
                      {**clean, "TERM": "xterm", **(environment or {})})
        shown = b""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                part = os.read(terminal, 65536)
            except OSError:  # EIO: the other side has ended
                break
            if not part:
                break
            shown += part
            if typed and shown.endswith(until):
                os.write(terminal, typed)
                typed = b""
        status = os.waitpid(pid, 0)[1]
        os.close(terminal)
        return status, shown.decode()

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        for ignored in (False, True):  # as a shell starts it, and as systemd does
            with self.subTest(sigpipe_ignored=ignored):
                run = subprocess.Popen(self.command("services"), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, restore_signals=not ignored)
                self.assertTrue(run.stdout.readline().startswith(b"NAME"))
                run.stdout.close()
                self.assertEqual(run.stderr.read(), b"")
                run.stderr.close()
                self.assertEqual(run.wait(60), 0)

    def test_data_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.run(self.command("services"), stdout=full, stderr=subprocess.PIPE,
                                 text=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("No space left on device", run.stderr)

    def test_pipes_get_whole_lines_without_colour(self):
        run = self.run_it("services")
        self.assertEqual(run.returncode, 0)
        self.assertEqual(len(run.stdout.splitlines()), 5001)
        self.assertNotIn("\x1b", run.stdout)

    def test_a_terminal_gets_colour_unless_told_otherwise(self):
        self.assertIn("\x1b[32mok", self.on_terminal(["status"])[1])
        for refusal in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.on_terminal(["status"], environment=refusal)[1])
        self.assertNotIn("\x1b", self.on_terminal(["status", "--no-color"])[1])

    def test_maintenance_asks_on_a_terminal(self):
        words = ["services", "maint", "service-00000", "on"]
        status, shown = self.on_terminal(words, b"n\r")
        self.assertEqual(os.waitstatus_to_exitcode(status), 1)
        self.assertIn("nothing was done", shown)
        self.assertNotIn("POST /v1/maintenance", self.daemon.seen)
        status, shown = self.on_terminal(words, b"y\r")
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertIn("s-0 is in maintenance", shown)
        self.assertIn("POST /v1/maintenance", self.daemon.seen)

    def test_maintenance_is_refused_where_nobody_can_be_asked(self):
        run = self.run_it("services", "maint", "service-00000", "on")
        self.assertEqual(run.returncode, 1)
        self.assertIn("--yes", run.stderr)
        self.assertNotIn("POST /v1/maintenance", self.daemon.seen)

    def test_an_interrupt_ends_it_as_shells_expect(self):
        """Of SIGINT itself: a shell reports 130, and a script that runs it stops."""
        words = ["services", "maint", "service-00000", "on"]
        status, _ = self.on_terminal(words, b"\x03")
        self.assertTrue(os.WIFSIGNALED(status), status)
        self.assertEqual(os.WTERMSIG(status), signal.SIGINT)
        self.assertNotIn("POST /v1/maintenance", self.daemon.seen)

    def test_a_user_outside_the_group_is_told_what_to_do(self):
        os.chmod(self.socket, 0o660)
        run = self.run_it("status", user=65534, group=65534, extra_groups=[])
        self.assertEqual(run.returncode, 2)
        self.assertIn("adduser $USER bevmesh", run.stderr)


if __name__ == "__main__":
    unittest.main()
