"""Failover of Redis beside Debian's Sentinel, in one lab and one run, by turns.

A client writes every 5 ms and finds the primary by name, or by asking Sentinel; a row is the
longest time between two of its acknowledged writes around a fault. Profile lan. Acknowledged writes
that the primary does not have in the end are counted, of clients pinned to each member too.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

from . import ROOT, figures

os.environ["BEVMESH_LAB_DIR"] = os.environ.get("BEVMESH_BENCH_LAB", "/var/tmp/bevmesh-bench-lab")
FAULTS = ROOT / "tests/failover/faults"
sys.path[:0] = [str(FAULTS), str(ROOT / "tests/faults"), str(ROOT / "tests/lab")]

import redis_group  # noqa: E402
from group_mesh import GroupMesh  # noqa: E402
from harness import Failure, until  # noqa: E402
from writer import now  # noqa: E402

from . import sentinel  # noqa: E402
from .clients import Clients  # noqa: E402

SETTLE = 5  # seconds in which a fault that moves nothing is watched
OUTAGE = 60


class Ours:
    label = "bevmesh"

    def __init__(self, lab):
        self.lab, self.group = lab, lab.group

    def whole(self):
        self.lab.make_whole()

    def clients(self):
        name = f"{redis_group.GROUP}-primary.service.consul"
        group = self.group
        program = FAULTS / "writer.py"
        return Clients(self.lab, group.members, redis_group.PORT, program, name, group.call)

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
        return self.group.info(node).get("master_link_status") == "up"

    def settled(self):
        until("the group is healthy", self.group.healthy, 40)


class Peer:
    label = "Sentinel"

    def __init__(self, lab):
        self.lab, self.pair = lab, sentinel.Sentinel(lab)
        self.primary, self.replica = self.pair.primary, self.pair.replica
        self.streams, self.kill = self.pair.streams, self.pair.kill

    def whole(self):
        self.pair.make_anew()

    def clients(self):
        program = Path(__file__).with_name("sentinel_writer.py")
        members, call = self.pair.members, self.pair.call
        return Clients(self.lab, members, sentinel.PORT, program, sentinel.MASTER, call)

    def switchover(self, *_):
        self.pair.switchover()

    def settled(self):
        """A server that was killed stays dead; one that is there follows."""
        primary = self.primary()

        def following():
            others = [node for node in self.pair.members if node is not primary]
            return all(not self._runs(node) or self.streams(node) for node in others)

        until("the peer's old primary follows", following, 40)

    @staticmethod
    def _runs(node):
        state = ("inspect", "--format", "{{.State.Running}}", sentinel.SERVER)
        return node.docker(*state) == "true"


class Row:
    """What one fault did to one system, over all runs."""

    def __init__(self):
        self.gaps, self.acked, self.lost, self.isolated, self.streaming = [], 0, 0, 0, []


class Bench:
    def __init__(self, lab, runs, history):
        self.lab, self.runs, self.history = lab, runs, history
        self.systems = [Ours(lab), Peer(lab)]
        self.rows, self.failed = {}, []

    def measure(self, name, fault, systems=None):
        """The fault, on each system by turns; `fault(system, clients, row)` returns the gap."""
        for number in range(self.runs):
            for system in systems or self.systems:
                row = self.rows.setdefault((name, system.label), Row())
                try:
                    self._once(system, fault, row)
                except (Failure, OSError, StopIteration) as error:
                    self.failed.append(f"{name}, {system.label}, run {number + 1}: {error}")
                    self.lab.heal()

    def _once(self, system, fault, row):
        system.whole()
        with system.clients() as clients:
            clients.steady()
            gap = fault(system, clients, row)
            self.lab.heal()
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
        for node in group.members:
            for line in group.history(node)[-14:]:
                print(f"   | {node} {line['at']} {line['text']}", flush=True)


def primary_killed(system, clients, _):
    old, new, at = system.primary(), system.replica(), now()
    system.kill(old)
    clients.served_by(new)
    return clients.gap(at)


def primary_unplugged(system, clients, row):
    """The isolated side is watched for as long as the longer of the two needs to stop."""
    old, new, at = system.primary(), system.replica(), now()
    system.lab.unplug(old)
    first = clients.served_by(new)
    clients.goes_on(SETTLE)
    row.isolated += len(clients.acked(first, old.name))
    return clients.gap(at)


def switchover(system, clients, row):
    old, new, at = system.primary(), system.replica(), now()
    system.switchover(old, new)
    first = clients.served_by(new)
    until("the old primary streams", lambda: system.streams(old), 40)
    row.streaming.append((now() - first) / 1e9)
    return clients.gap(at)


def replica_killed(system, clients, _):
    at = now()
    system.kill(system.replica())
    clients.goes_on(SETTLE)
    return clients.gap(at)


def replica_unplugged(system, clients, _):
    at = now()
    system.lab.unplug(system.replica())
    clients.goes_on(SETTLE)
    return clients.gap(at)


def consul_frozen(system, clients, _):
    """The client has its connection; no name is asked for."""
    lab, primary, at = system.lab, system.primary(), now()
    with contextlib.ExitStack() as frozen:
        for node in lab.nodes:
            frozen.callback(node.thaw, "consul")
            node.freeze("consul")
        clients.goes_on(OUTAGE)
        gap = clients.gap(at)
    clients.served_by(primary)
    return gap


# name → (fault, has a row beside the peer, seconds to reach, times faster than the peer or None)
ROWS = {
    "primary kill -9": (primary_killed, True, 0.25, 8),
    "primary's node, link down": (primary_unplugged, True, 1.8, None),
    "planned switchover": (switchover, True, 0.2, None),
    "replica kill -9, gap on the primary": (replica_killed, True, 0.25, None),
    "replica's node, link down, same": (replica_unplugged, True, 2.5, None),
}
LONG = {"all Consul servers frozen for 60 s": (consul_frozen, False, 0.25, None)}


def show(report, bench, name, limit, times):
    medians = {}
    for system in bench.systems:
        row = bench.rows.get((name, system.label))
        if not row or not row.gaps:
            continue
        label = f"{name}: {system.label}"
        medians[system.label] = median = statistics.median(row.gaps)
        report.line(
            f"{label}: {median:.3f} s ({min(row.gaps):.3f} to {max(row.gaps):.3f}, "
            f"{len(row.gaps)} runs); {row.acked} acknowledged, {row.lost} of them lost",
            **{label: {"gaps": row.gaps, "acked": row.acked, "lost": row.lost}},
        )
        if name == "primary's node, link down":
            report.line(f"  acknowledged there after the other served: {row.isolated}")
        if name == "planned switchover":
            report.line(f"  replica streams after {statistics.median(row.streaming):.3f} s")
            if system.label == "bevmesh":
                report.target("  streams again, s", statistics.median(row.streaming), 1)
    if "bevmesh" not in medians:
        return
    report.target(f"{name}, s", medians["bevmesh"], limit)
    if "Sentinel" in medians:
        ratio = medians["Sentinel"] / medians["bevmesh"]
        text = f"  {ratio:.1f} times faster than Sentinel"
        if times:
            text += f" (at least {times}: {'reached' if ratio >= times else 'MISSED'})"
        report.line(text)


def _wanted(only, name):
    return not only or any(part in name for part in only)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="with the row of a minute a run")
    parser.add_argument("--only", action="append", help="rows whose name contains this")
    parser.add_argument("--history", action="store_true", help="print each takeover's steps")
    parser.add_argument("--json")
    options = parser.parse_args()
    chosen = {**ROWS, **(LONG if options.long else {})}
    chosen = {name: how for name, how in chosen.items() if _wanted(options.only, name)}
    if not chosen:
        parser.error(f"no row has {options.only!r} in its name")
    report = figures.Report("failover_redis", f"{options.runs} runs each, by turns, profile lan")
    lab = [sys.executable, "-B", str(FAULTS / "run")]
    try:
        subprocess.run([*lab, "--up", options.binary, "lan"], check=True, stdout=sys.stderr)
        mesh = GroupMesh()
        sentinel.import_image()
        bench = Bench(mesh, options.runs, options.history)
        for name, (fault, beside, limit, times) in chosen.items():
            bench.measure(name, fault, None if beside else bench.systems[:1])
            show(report, bench, name, limit, times)
        for text in bench.failed:
            report.line("FAILED " + text)
        report.line(f"load {os.getloadavg()[0]:.1f} at the end")
    finally:
        subprocess.run([*lab, "--down"], check=False, stdout=sys.stderr)
    report.save(options.json)


if __name__ == "__main__":
    main()
