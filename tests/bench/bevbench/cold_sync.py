"""1,000 containers that Consul knows nothing of: how long, and how many writes, until it knows them
all.

Each round has a Consul with empty data. The floor: the same registrations, bare, sent by a plain
client over as many connections as do best. Writes are counted by Consul itself. Then nothing may be
written: not when the daemon is started again, not by its periodic full comparison, not when it is
told to reload.
"""

import argparse
import signal
import threading
import time

from . import figures
import onenode


def definitions(services):
    """What the daemon registered, as it would be sent again, under other IDs."""
    return [
        {
            "ID": "bare-" + id,
            "Name": s["Service"],
            "Address": s["Address"],
            "Port": s["Port"],
            "Tags": s["Tags"],
            "Meta": s["Meta"],
            "Check": {
                "TCP": f"{s['Address']}:{s['Port']}",
                "Interval": "10s",
                "Timeout": "2s",
                "Status": "passing",
            },
        }
        for id, s in services.items()
    ]


def bare_sync(node, wanted, connections):
    """Seconds for plain PUTs of all of them."""
    failed = []

    def send(part):
        consul = onenode.Http("127.0.0.1:8500", {"X-Consul-Token": node.token})
        try:
            for definition in part:
                consul("PUT", "/v1/agent/service/register", definition)
        except OSError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=send, args=(wanted[n::connections],)) for n in range(connections)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.monotonic() - began


def daemon_sync(node, count):
    """Seconds from the daemon's start until Consul's agent lists all of them, all passing."""
    began = time.monotonic()
    node.start_daemon()
    node.settle(count, 120)
    settled = time.monotonic() - began
    services = node.services()
    critical = [id for id, s in services.items() if "critical" in s["Checks"].values()]
    if len(services) != count or critical:
        raise RuntimeError(
            f"the daemon says that it is done; Consul has {len(services)} of {count}, "
            f"{len(critical)} of them critical"
        )
    return settled, services


def second_syncs(node, count, report):
    """PUTs of a restart, of periodic comparisons and of a reload: (what, PUTs by path)."""
    for what, act in (
        ("a restart of the daemon", lambda: restart(node)),
        ("three periodic comparisons", lambda: None),
        ("a reload (SIGHUP)", lambda: node.processes["bevmesh"].send_signal(signal.SIGHUP)),
    ):
        before, lists = node.puts(), node.requests("/containers/json")
        act()
        onenode.poll("three full lists", lambda: node.requests("/containers/json") >= lists + 3, 60)
        node.settle(count, 60)
        report.line(
            f"PUTs of {what}: {told(node.puts() - before)}",
            **{what: sum((node.puts() - before).values())},
        )


def restart(node):
    node.stop("bevmesh")
    node.start_daemon()


def told(puts):
    words = [f"{count} {path.removeprefix('v1_agent_')}" for path, count in sorted(puts.items())]
    return ", ".join(words) or "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--containers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    onenode.inside()
    count = options.containers
    report = figures.Report(
        "cold_sync", f"{count} containers, {options.rounds} rounds, each on an empty Consul"
    )
    floors, syncs, connections = [], [], (1, 4, 16)
    for number in range(options.rounds):
        with onenode.Node(options.binary, "registrar: {resync: 3s}") as node:
            node.start_consul()
            node.start_engine(count)
            before = node.puts()
            seconds, services = daemon_sync(node, count)
            puts = node.puts() - before
            syncs.append(seconds)
            report.line(
                f"round {number + 1}: PUTs: {told(puts)} "
                f"({count} services, and the daemon's own entry)",
                puts=dict(puts),
            )
            if number == 0:
                second_syncs(node, count, report)
        wanted = definitions(services)
        for n in (
            connections[number % len(connections) :] + connections[: number % len(connections)]
        ):
            with onenode.Node(options.binary) as node:
                node.start_consul()
                node.start_engine(count)
                floors.append((bare_sync(node, wanted, n), n))
    report.table(
        "s",
        {
            "daemon start -> all registered": syncs,
            **{
                f"bare PUTs, {n} connections": [s for s, m in floors if m == n] for n in connections
            },
        },
    )
    floor = min(figures.percentile([s for s, m in floors if m == n], 50) for n in connections)
    report.line(
        f"the daemon's median is {figures.percentile(syncs, 50) / floor:.2f} x the best bare one"
    )
    report.target("cold sync, s", figures.percentile(syncs, 50), 10)
    report.save(options.json)


if __name__ == "__main__":
    main()
