"""What the failover benches share: a group of bevmesh and a peer in one lab and one run, by turns.

A client writes every 5 ms and finds the primary as the system wants it found; a row is the longest
time between two of its acknowledged writes around a fault. Profile lan. Acknowledged writes that
the primary does not have in the end are counted, of clients pinned to each member too.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

from . import ROOT, figures

os.environ["BEVMESH_LAB_DIR"] = os.environ.get("BEVMESH_BENCH_LAB", "/var/tmp/bevmesh-bench-lab")
FAULTS = ROOT / "tests/failover/faults"
sys.path[:0] = [str(FAULTS), str(ROOT / "tests/faults"), str(ROOT / "tests/lab")]

from bevlab.layout import LabError  # noqa: E402
from group_mesh import GroupMesh  # noqa: E402
from harness import Failure, until  # noqa: E402
from libpq import QueryError  # noqa: E402
from writer import now  # noqa: E402

from .clients import Clients  # noqa: E402

SETTLE = 5  # seconds in which a fault that moves nothing is watched
OUTAGE = 60
PATIENCE = 90  # until writes go through again: a peer may need longer than SETTLE
SWITCHOVER = "planned switchover"
OURS = "bevmesh"
FAILURES = (Failure, LabError, OSError, QueryError, StopIteration)


class Ours:
    label = OURS
    revives = True  # a server that was killed comes back by itself

    def __init__(self, lab, group):
        self.lab, self.group = lab, group
        self.members = group.members

    def whole(self):
        self.lab.make_whole()

    def clients(self):
        return Clients(self, FAULTS / "writer.py", f"{self.group.name}-primary.service.consul")

    @property
    def kind(self):
        return self.group.kind

    @property
    def port(self):
        return self.group.port

    def environment(self):
        return self.group.environment()

    def forget(self, names):
        self.group.forget_written(self.group.primary(), names)

    def written(self, node, name):
        return self.group.written(node, name)

    def primary(self):
        return self.group.primary()

    def replica(self):
        return self.group.replica()

    def kill(self, node):
        self.group.signal(node, signal.SIGKILL)

    def switchover(self, old, new):
        status, answer = self.group.order(old, "switchover", new.name)
        if status >= 300:
            raise Failure(f"the switchover was refused: {status} {answer}")

    def streams(self, node):
        return self.group.streams(node)

    def settled(self):
        until("the group is healthy", self.group.healthy, 60)


@dataclass
class Row:
    """What one fault did to one system, over all runs."""

    gaps: list = field(default_factory=list)
    acked: int = 0
    lost: int = 0
    isolated: int | None = None
    streaming: list = field(default_factory=list)


class Bench:
    def __init__(self, systems, runs, history):
        self.systems, self.runs, self.history = systems, runs, history
        self.rows, self.failed = {}, []

    def measure(self, name, fault, systems=None):
        """The fault, on each system by turns; `fault(system, clients, row)` returns the gap."""
        for number in range(self.runs):
            for system in systems or self.systems:
                row = self.rows.setdefault((name, system.label), Row())
                try:
                    self._once(system, fault, row)
                except FAILURES as error:
                    self.failed.append(f"{name}, {system.label}, run {number + 1}: {error}")
                    system.lab.heal()
                    if self.history and isinstance(system, Ours):
                        self._show_history(system.group)

    def _once(self, system, fault, row):
        system.whole()
        system.lab.lead_consul(system.lab.starlord)  # a row is one fault, and no election beside it
        with system.clients() as clients:
            clients.steady()
            gap = fault(system, clients, row)
            system.lab.heal()
            system.settled()
            clients.stop()
            acked, lost = clients.lost(system.primary())
            row.gaps.append(gap)
            row.acked += acked
            row.lost += lost
            if self.history and isinstance(system, Ours):
                self._show_history(system.group)

    @staticmethod
    def _show_history(group):
        """The ring that all members share, as the third node has it: no fault here touches it."""
        for line in group.history(group.lab.starlord)[-20:]:
            print(f"   | {line['at']} {line.get('node', '')} {line['text']}", flush=True)


def _streams_again(system, row, node, first):
    until("the old primary streams", lambda: system.streams(node), 60)
    row.streaming.append((now() - first) / 1e9)


def primary_killed(system, clients, row):
    old, new, at = system.primary(), system.replica(), now()
    system.kill(old)
    first = clients.served_by(new, PATIENCE)
    if system.revives:
        _streams_again(system, row, old, first)
    return clients.gap(at)


def primary_unplugged(system, clients, row):
    """The isolated side is watched for as long as the longer of the two needs to stop."""
    old, new, at = system.primary(), system.replica(), now()
    system.lab.unplug(old)
    first = clients.served_by(new, PATIENCE)
    clients.goes_on(SETTLE)
    row.isolated = (row.isolated or 0) + len(clients.acked(first, old.name))
    return clients.gap(at)


def switchover(system, clients, row):
    old, new, at = system.primary(), system.replica(), now()
    system.switchover(old, new)
    first = clients.served_by(new, PATIENCE)
    _streams_again(system, row, old, first)
    return clients.gap(at)


def replica_killed(system, clients, _):
    at = now()
    system.kill(system.replica())
    clients.goes_on(SETTLE)
    clients.steady(PATIENCE)
    return clients.gap(at)


def replica_unplugged(system, clients, _):
    at = now()
    system.lab.unplug(system.replica())
    clients.goes_on(SETTLE)
    clients.steady(PATIENCE)
    return clients.gap(at)


def consul_frozen(system, clients, _):
    """The client has its connection; the gap lasts until writes go through again."""
    lab, at = system.lab, now()
    with contextlib.ExitStack() as frozen:
        for node in lab.nodes:
            frozen.callback(node.thaw, "consul")
            node.freeze("consul")
        clients.goes_on(OUTAGE)
    clients.steady(PATIENCE)
    return clients.gap(at)


def show(report, bench, name, limit, times):
    medians = {}
    for system in bench.systems:
        row = bench.rows.get((name, system.label))
        if not row or not row.gaps:
            continue
        medians[system.label] = statistics.median(row.gaps)
        limit_streaming = 1 if system.label == OURS and name == SWITCHOVER else None
        _show_row(report, f"{name}: {system.label}", row, limit_streaming)
    if OURS not in medians:
        return
    report.target(f"{name}, s", medians[OURS], limit)
    for label, median in medians.items():
        if label != OURS:
            ratio = median / medians[OURS]
            text = f"  {ratio:.1f} times faster than {label}"
            if times:
                text += f" (at least {times}: {'reached' if ratio >= times else 'MISSED'})"
            report.line(text)


def _show_row(report, label, row, limit_streaming):
    report.line(
        f"{label}: {statistics.median(row.gaps):.3f} s ({min(row.gaps):.3f} to "
        f"{max(row.gaps):.3f}, {len(row.gaps)} runs); "
        f"{row.acked} acknowledged, {row.lost} of them lost",
        **{label: {"gaps": row.gaps, "acked": row.acked, "lost": row.lost}},
    )
    if row.isolated is not None:
        report.line(f"  acknowledged there after the other served: {row.isolated}")
    if row.streaming:
        median = statistics.median(row.streaming)
        report.line(
            f"  old primary streams again after {median:.3f} s",
            **{f"{label}, streams again": row.streaming},
        )
        if limit_streaming:
            report.target("  streams again, s", median, limit_streaming)


def _wanted(only, name):
    return not only or any(part in name for part in only)


@contextlib.contextmanager
def lab(binary, profile):
    """A lab with the groups of the fault tests, taken down at the end."""
    command = [sys.executable, "-B", str(FAULTS / "run")]
    try:
        subprocess.run([*command, "--up", binary, profile], check=True, stdout=sys.stderr)
        yield GroupMesh()
    finally:
        subprocess.run([*command, "--down"], check=False, stdout=sys.stderr)


def run(bench_name, text, make_systems, rows, long):
    """`rows`, `long`: name → (fault, has a row beside the peer, seconds to reach, times faster than
    the peer or None). `make_systems(lab)`: ours first, then the peer."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="with the row of a minute a run")
    parser.add_argument("--only", action="append", help="rows whose name contains this")
    parser.add_argument("--history", action="store_true", help="print each takeover's steps")
    parser.add_argument("--json")
    options = parser.parse_args()
    chosen = {**rows, **(long if options.long else {})}
    chosen = {name: how for name, how in chosen.items() if _wanted(options.only, name)}
    if not chosen:
        parser.error(f"no row has {options.only!r} in its name")
    report = figures.Report(bench_name, f"{options.runs} runs each, by turns, profile lan")
    with lab(options.binary, "lan") as mesh:
        bench = Bench(make_systems(mesh), options.runs, options.history)
        for name, (fault, beside, limit, times) in chosen.items():
            bench.measure(name, fault, None if beside else bench.systems[:1])
            show(report, bench, name, limit, times)
        for failure in bench.failed:
            report.line("FAILED " + failure)
        report.line(f"load {os.getloadavg()[0]:.1f} at the end")
    report.save(options.json)
