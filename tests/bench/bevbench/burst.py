"""10,000 events as fast as the daemon takes them: memory, time to converge, writes.

Every event changes a container's state (start, die, pause, unpause, restart loops). Converged means
that Consul's agent has the entries that the containers ask for, looked at every quarter of a
second; the time until all that run are also passing depends on Consul's own checks (one that Consul
ran while its container was down is run again 10 s later) and stands beside it. The floor: the time
Consul needs for the writes that were made, one after another, in the same run. Bursts follow each
other on one daemon: memory that still grows from the one half-way to the last would be a leak.
"""

import argparse
import time

from . import figures, process
from .cold_sync import told
import onenode
import truth


def one_burst(node, events, seed):
    before = node.puts()
    began = time.monotonic()
    node.engine(f"burst {events} {seed}")
    ended = time.monotonic()
    reached = {}

    def converged():
        entries, health = truth.differences(node)
        if not entries:
            reached.setdefault("entries", time.monotonic() - ended)
        return not entries and not health

    onenode.poll("convergence", converged, 120, every=0.25)
    return {
        "burst": ended - began,
        "entries": reached["entries"],
        "passing": time.monotonic() - ended,
        "puts": node.puts() - before,
    }


def put_seconds(node, rounds=200):
    """The median PUT on this Consul, now."""
    times = []
    for number in range(rounds):
        began = time.monotonic()
        node.consul(
            "PUT",
            "/v1/agent/service/register",
            {"ID": "bare", "Name": "bare", "Port": 1 + number % 2},
        )
        times.append(time.monotonic() - began)
    node.consul("PUT", "/v1/agent/service/deregister/bare")
    return figures.percentile(times, 50)


def measure(options, containers):
    report = figures.Report(
        "burst", f"{options.events} events over {containers} containers, {options.rounds} times"
    )
    with onenode.Node(options.binary) as node:
        node.start_consul()
        node.start_engine(containers)
        daemon = node.start_daemon()
        node.settle(containers, 120)
        rest = process.memory(daemon.pid)
        report.line(f"at rest {rest['VmRSS']:.1f} MB resident, {rest['RssAnon']:.1f} anonymous")
        rounds, after = [], []
        for number in range(options.rounds):
            rounds.append(one_burst(node, options.events, number))
            after.append(process.memory(daemon.pid))
            r = rounds[-1]
            report.line(
                f"burst {number + 1}: {r['burst']:.2f} s; converged {r['entries']:.2f} s after "
                f"the last event, all passing {r['passing']:.2f} s; "
                f"{after[-1]['VmRSS']:.1f} MB resident ({after[-1]['RssAnon']:.1f} anonymous), "
                f"at most {after[-1]['VmHWM']:.1f}; PUTs: {told(r['puts'])}"
            )
        put = put_seconds(node)
        stats = node.engine("stats")
        writes = figures.percentile([sum(r["puts"].values()) for r in rounds], 50)
        report.line(
            f"{stats['sent']} events sent, {stats['dropped']} dropped because the daemon was slow; "
            f"inspects {stats['requests'].get('GET /containers/ID/json', 0)}"
        )
        report.line(
            f"a bare PUT takes {1000 * put:.1f} ms (p50): {writes} of them, one after another, "
            f"{writes * put:.2f} s"
        )
        report.table(
            "s",
            {
                "last event -> converged": [r["entries"] for r in rounds],
                "last event -> all passing": [r["passing"] for r in rounds],
            },
        )
        report.target(
            "converged after the last event, worst, s", max(r["entries"] for r in rounds), 5
        )
        growth = [a["VmRSS"] / rest["VmRSS"] for a in after]
        report.line(f"resident after the last burst is {growth[-1]:.2f} x what it was at rest")
        report.target(
            "resident after the last burst / after the one half-way",
            growth[-1] / growth[len(growth) // 2 - 1],
            1.05,
        )
        report.save(options.json)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--events", type=int, default=10000)
    parser.add_argument("--containers", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json")
    options = parser.parse_args()
    onenode.inside()
    for containers in options.containers:
        measure(options, containers)


if __name__ == "__main__":
    main()
