"""Clients of a failover row: one that finds the primary as the system wants it found, and one
pinned to each member; 5 ms intervals, for the length of a with-block."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import promises
from bevlab.layout import STATE
from harness import until
from writer import now

from . import ROOT

FAULTS = ROOT / "tests/failover/faults"
PATH = f"{FAULTS}:{ROOT / 'tests/faults'}"
NAMED = "named"


class Clients:
    """`program` and `target` are the writer that finds the primary of `system`."""

    def __init__(self, system, program, target):
        self.system, self.members = system, system.members
        self.program, self.target = program, target
        self.names = (NAMED, *(node.name for node in self.members))
        self.children = []

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="bench-", dir=STATE))
        self.system.forget(self.names)
        self._start(NAMED, self.system.lab.starlord, self.program, self.target)
        for node in self.members:
            self._start(node.name, node, FAULTS / "writer.py", node.address)
        return self

    def _start(self, name, node, program, target):
        command = (sys.executable, "-B", str(program), name, target, str(self.system.port))
        self.children.append(
            node.popen(
                *command,
                str(self.directory / name),
                self.system.kind,
                env={"PYTHONPATH": PATH, **self.system.environment()},
                stdin=subprocess.DEVNULL,
            )
        )

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()
        self.children = []

    def writes(self, name=NAMED):
        path = self.directory / name
        return promises.read_writes(name, path) if path.exists() else []

    def acked(self, since, name=NAMED):
        return [w for w in self.writes(name) if w.kind == "acked" and w.sent >= since]

    def steady(self, seconds=30):
        """Twenty more writes by name are acknowledged; the instant of that."""
        start = now()
        until("writes go through", lambda: len(self.acked(start)) > 20, seconds)
        return now()

    def served_by(self, node, seconds=30):
        """The first acknowledged write there that is sent from now on: when it was."""
        start = now()

        def first():
            found = [w.ended for w in self.acked(start) if w.where == node.address]
            return found[0] if len(found) > 20 else None

        return until(f"{node} takes the writes", first, seconds)

    def goes_on(self, seconds):
        """Writes whatever happens, for so long: a window to look for gaps in."""
        end = time.monotonic() + seconds
        until("the window is over", lambda: time.monotonic() >= end, seconds + 5)

    def gap(self, since):
        """The longest between two acknowledged writes by name, from the last before `since` on;
        one that has not ended counts until now: the writer may hang in it."""
        end = now()
        acked = sorted(w.ended for w in self.writes() if w.kind == "acked")
        before = max((at for at in acked if at <= since), default=since)
        instants = [before, *(at for at in acked if at > since), end]
        return max(b - a for a, b in zip(instants, instants[1:])) / 1e9

    def lost(self, primary):
        """(acknowledged, of them not on `primary`), of all the clients."""
        acked = missing = 0
        for name in self.names:
            kept = set(self.system.written(primary, name))
            mine = [w.number for w in self.writes(name) if w.kind == "acked"]
            acked += len(mine)
            missing += sum(number not in kept for number in mine)
        return acked, missing
