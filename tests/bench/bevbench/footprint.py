"""What the daemon costs a node with 100 services when nothing happens: memory, CPU, size on disk.

Beside it, in the same run: an empty program with the same libraries (nothing that we write could be
smaller), and the Consul agent that the node runs anyway.
"""

import argparse
import os
import re
import subprocess
import time

from . import figures, process
import onenode


def empty_program(home, binary):
    """A program that only waits, linked with every library that the daemon is linked with."""
    needed = re.findall(
        r"\(NEEDED\).*\[(.*)\]",
        subprocess.run(
            ["readelf", "-d", binary], check=True, capture_output=True, text=True
        ).stdout,
    )
    found = dict(
        re.findall(
            r"(\S+) => (\S+)",
            subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout,
        )
    )
    program = home / "empty"
    subprocess.run(
        [
            "g++",
            "-O2",
            "-x",
            "c++",
            "-",
            "-x",
            "none",  # what follows are libraries, not sources
            "-o",
            program,
            "-Wl,--no-as-needed",
            *(found[name] for name in needed if name in found and "ld-linux" not in name),
        ],
        input="#include <unistd.h>\nint main() { pause(); }\n",
        text=True,
        check=True,
    )
    return program


def sizes(binary, home):
    stripped = home / "stripped"
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    return os.path.getsize(binary) / 2**20, os.path.getsize(stripped) / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument(
        "--window", type=float, default=90, help="seconds; a full comparison comes every 30"
    )
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    onenode.inside()
    report = figures.Report(
        "footprint", f"{options.services} services with a TCP check each, nothing happening"
    )
    with onenode.Node(options.binary) as node:
        node.start_consul()
        node.start_engine(options.services)
        daemon = node.start_daemon()
        node.settle(options.services, 60)
        empty = node.start("empty", [empty_program(node.home, options.binary)])
        consul = node.processes["consul"]
        begun = process.memory(daemon.pid)
        shares = {"bevmesh": [], "Consul": []}
        for _ in range(options.windows):
            pids = {"bevmesh": daemon.pid, "Consul": consul.pid}
            before, began = {
                name: process.cpu_seconds(pid) for name, pid in pids.items()
            }, time.monotonic()
            time.sleep(options.window)
            span = time.monotonic() - began
            for name, pid in pids.items():
                shares[name].append(100 * (process.cpu_seconds(pid) - before[name]) / span)
        at_rest, floor, agent = (process.memory(p.pid) for p in (daemon, empty, consul))
        report.line("MB          anonymous  resident   at most")
        for name, m in (
            ("after sync", begun),
            ("at rest", at_rest),
            ("empty", floor),
            ("Consul", agent),
        ):
            report.line(
                f"{name:10} {m['RssAnon']:10.1f} {m['VmRSS']:9.1f} {m['VmHWM']:9.1f}", **{name: m}
            )
        report.line(f"resident is {at_rest['VmRSS'] / floor['VmRSS']:.2f} x the empty program's")
        report.table("% of a core", shares)
        plain, stripped = sizes(options.binary, node.home)
        report.line(
            f"binary {plain:.1f} MB, stripped {stripped:.1f} MB", binary=plain, stripped=stripped
        )
        report.target("anonymous memory, MB", at_rest["RssAnon"], 8)
        report.target("resident memory, MB", at_rest["VmRSS"], 22)
        report.target("idle CPU, % of a core", figures.percentile(shares["bevmesh"], 50), 0.5)
    report.save(options.json)


if __name__ == "__main__":
    main()
