"""Writers on every node and a watcher of the catalog, for the length of a with-block; then the
promises are checked.

    with Load(lab) as load:
        load.steady()
        ... a fault ...
        load.moved_to(node)
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bevlab.consul import MANAGEMENT
from bevlab.layout import STATE

import promises
from harness import Failure, check, until
from writer import now

HERE = Path(__file__).resolve().parent
DNS = "dns"
GAP_MAX = 5  # s without a write, where they go on: a disk or a busy machine takes less


class Load:
    """`allow_lost`: that acknowledged writes may be missing in the end (Redis replicates after it
    has answered). `moves`: how often the primary changes; None: it is not said."""

    def __init__(self, lab, allow_lost=True, moves=None, group=None):
        self.lab = lab
        self.group = group or lab.group
        self.allow_lost = allow_lost
        self.moves = moves
        self.children = []
        self.gap = None

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="writes-", dir=STATE))
        record = until("the group has a record", self.group.record)
        self.first_epoch, self.first_holder = record["epoch"], record["holder"]
        writers = [(node.name, node, node.address) for node in self.group.members]
        service = f"{self.group.name}-primary"
        writers.append((DNS, self.lab.starlord, f"{service}.service.consul"))
        self.files = {name: self.directory / name for name, _, _ in writers}
        until("the primary forgets earlier writes", self._forget)
        for name, node, target in writers:
            where = (target, str(self.group.port), str(self.files[name]), self.group.kind)
            self._start(node, "writer.py", name, *where)
        self.seen = self.directory / "catalog"
        token = str(STATE / MANAGEMENT)
        self._start(self.lab.starlord, "watcher.py", service, token, str(self.seen))
        self.begun = now()
        return self

    def _forget(self):
        self.group.forget_written(self.group.primary(), self.files)
        return True

    def _start(self, node, program, *args):
        path = f"{HERE}:{HERE.parents[1] / 'faults'}"
        self.children.append(
            node.popen(
                sys.executable,
                "-B",
                str(HERE / program),
                *args,
                env={"PYTHONPATH": path, **self.group.environment()},
                stdin=subprocess.DEVNULL,
            )
        )

    def writes(self, name=DNS):
        return promises.read_writes(name, self.files[name])

    def acked_since(self, instant, name=DNS):
        return [w for w in self.writes(name) if w.kind == "acked" and w.sent >= instant]

    def steady(self):
        """The client by name gets its writes acknowledged."""
        start = now()
        until("writes go through", lambda: len(self.acked_since(start)) > 20, 10)
        return now()

    def stays(self, seconds):
        """Nothing moves, and writes go on, for so long after now."""
        self._go_on(DNS, seconds)
        self._check_unmoved()

    def _go_on(self, name, seconds):
        start = now()
        end = start + int(seconds * 1e9)
        until("the time is over", lambda: now() >= end, seconds + 5)
        until(f"the writes of {name} go on", lambda: self.acked_since(end, name), GAP_MAX)
        gap = self.longest_gap(start, name)
        check(gap < GAP_MAX, f"the writes of {name} stood still for {gap:.1f} s")

    def _check_unmoved(self):
        holder = self.group.record_if_any().get("holder", self.first_holder)
        check(holder == self.first_holder, f"the primary has moved to {holder}")

    def goes_on(self, node, seconds):
        """The client of `node` writes on, for so long; Consul is not asked."""
        self._go_on(node.name, seconds)

    def longest_gap(self, since, name=DNS):
        return promises.longest_gap(self.writes(name), since)[0]

    def stays_unmoved(self, seconds):
        """Whether writes go through or not, the holder is the first one."""
        end = now() + int(seconds * 1e9)
        while now() < end:
            self._check_unmoved()
            time.sleep(0.05)

    def anybody_serves(self, seconds):
        """The client by name gets writes acknowledged that it sends from now on, for a while."""
        start = now()
        until("writes go through", lambda: len(self.acked_since(start)) > 20, seconds)

    def leave(self, node):
        """The writer on a node that is about to be lost ends with it."""
        self.children[self.group.members.index(node)].terminate()

    def served_by(self, node, seconds=15):
        """The client by name writes to `node`."""
        start = now()
        until(
            f"{node} takes the writes",
            lambda: [w for w in self.acked_since(start) if w.where == node.address],
            seconds,
        )

    def took_turns(self, old, new):
        """The last write that `old` acknowledged had its answer before the first one was sent that
        `new` acknowledged."""
        acked = [w for name in self.files for w in self.writes(name) if w.kind == "acked"]
        last = max(w.ended for w in acked if w.where == old.address)
        first = min(w.sent for w in acked if w.where == new.address)
        late = (last - first) / 1e9
        check(late < 0, f"{old} acknowledged a write {late:.3f} s after {new} had its first one")

    def __exit__(self, kind, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        try:
            if kind is None:
                self.verify()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def verify(self):
        """The promises; prints what was measured."""
        by_writer = {name: promises.read_writes(name, path) for name, path in self.files.items()}
        writes = [write for each in by_writer.values() for write in each]
        primary = until("somebody serves in the end", self.group.serving, 20)
        rose = until("there is a record", self.group.record)["epoch"] - self.first_epoch
        chain = promises.changes_of_side(writes)
        check(
            len(chain) - 1 <= rose,
            f"two primaries: writes were acknowledged in turns, and the epoch rose by {rose}: "
            + ", ".join(f"{w.where} at {(w.ended - self.begun) / 1e9:.3f}" for w in chain[:8]),
        )
        if self.moves is not None:
            moved = len(chain) - 1
            check(moved == self.moves, f"the primary moved {moved} times, not {self.moves}")
        for line in self.seen.read_text().splitlines():
            if len(line.split()) == 2 and "," in line:
                raise Failure(f"the catalog names two primaries: {line}")
        held = until(
            "the primary says what it holds",
            lambda: {name: self.group.written(primary, name) for name in self.files},
        )
        total = promises.account(writes, held)
        self.gap, at = promises.longest_gap(by_writer[DNS])
        print(
            f"  longest gap by name {self.gap:.3f} s, {(at - self.begun) / 1e9:.1f} s on; {total}",
            flush=True,
        )
        check(total.duplicate == 0, "a write is there twice")
        check(total.refused_yet_there == 0, "a write that was refused is there")
        if not self.allow_lost:
            check(total.lost == 0, f"{total.lost} acknowledged writes are lost")
