"""Writers pinned to every node and one through DNS, and what they saw: the gap, what was lost."""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

WRITER = Path(__file__).with_name("writer.py")


class Writes:
    """The lines of one writer."""

    def __init__(self, name, text):
        self.name = name
        self.all = [line.split() for line in text.splitlines() if line.count(" ") == 2]

    def keys(self, what):
        return [key for _, key, seen in self.all if seen == what]

    def gap(self, since=0.0):
        """The longest time between two acknowledged writes that ends after `since`."""
        times = [float(at) for at, _, what in self.all if what == "ok"]
        pairs = [(b - a, a) for a, b in zip(times, times[1:]) if b >= since]
        return max(pairs, default=(float("inf"), 0.0))[0]

    def acknowledged_after(self, when):
        return [key for at, key, what in self.all if what == "ok" and float(at) > when]


class Clients:
    def __init__(self, targets):
        """`targets`: name → (node the client runs on, host, port)"""
        self.running = {}
        for name, (node, host, port) in targets.items():
            out = tempfile.TemporaryFile("w+")
            child = node.popen(
                sys.executable, str(WRITER), name, host, str(port), stdout=out,
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            self.running[name] = (child, out)

    def so_far(self, name):
        # By a descriptor of its own: the child writes at the offset that both would share.
        _, out = self.running[name]
        with open(f"/proc/self/fd/{out.fileno()}") as again:
            return Writes(name, again.read())

    def stop(self):
        seen = {}
        for name, (child, _) in self.running.items():
            child.kill()
            child.wait()
            seen[name] = self.so_far(name)
        for _, out in self.running.values():
            out.close()
        self.running = {}
        return seen


@contextlib.contextmanager
def writing(targets):
    clients = Clients(targets)
    try:
        yield clients
    finally:
        clients.stop()
