"""What failover costs while nothing fails: writes to Consul, CPU, throughput of the databases.

Throughput is of the same processes in the same mode, by turns: under daemons and guards, then with
all of those killed, so that synchronous names and min-replicas stay as they were set. Profile lan,
which renews the most often.
"""

import argparse
import os
import re
import signal
import statistics
import time

from . import failover, figures, process
from .failover import Failure

import client_tls
from bevlab import engine, services
from bevlab.state import State
from postgres_group import BIN, TLS, password
from redis_group import IMAGE

REDIS, POSTGRES = "redis-benchmark", "pgbench"
ABSENT = "without"
PGBENCH = f"{BIN}/pgbench"
CLIENTS = 4
SCALE = 5


class Loads:
    """Both tools run on the third node, against the primary's address."""

    def __init__(self, lab, seconds, requests):
        self.lab, self.seconds, self.requests = lab, seconds, requests

    def _tool(self, files, *command, env=()):
        """With the certificate in `files`, which it sees as /tls."""
        where = ("--rm", "--network", "host", *(f"--env={each}" for each in env))
        where += ("--volume", f"{files}:/tls:ro")
        return self.lab.starlord.docker("run", *where, f"bev/{IMAGE}", *command, timeout=180)

    def _pgbench(self, primary, *words):
        server = (PGBENCH, "-h", primary.address, "-p", "5432", "-U", "bevmesh")
        env = ["PGSSLMODE=verify-full", "PGSSLROOTCERT=/tls/ca.pem", "PGSSLCERT=/tls/cert.pem"]
        env += ["PGSSLKEY=/tls/key.pem", f"PGPASSWORD={password()}"]
        files = (primary.files / TLS).resolve()
        return self._tool(files, *server, *words, "postgres", env=env)

    def prepare(self):
        self._pgbench(self.lab.postgres.primary(), "-i", "-q", "-s", str(SCALE))

    def warm(self, redis, postgres):
        self.redis_benchmark(redis, self.requests // 4)
        self.pgbench(postgres, 2)

    def pgbench(self, primary, seconds=None):
        how = ("-c", str(CLIENTS), "-j", "2", "-n", "-T", str(seconds or self.seconds))
        return _number(r"tps = ([0-9.]+)", self._pgbench(primary, *how))

    def redis_benchmark(self, primary, count=None):
        """SETs a second."""
        how = ("-t", "set", "-n", str(count or self.requests), "-c", "20", "-r", "100000", "-q")
        tls = ("--tls", "--cacert", "/tls/ca.pem")
        tls += ("--cert", "/tls/cert.pem", "--key", "/tls/key.pem")
        files = (self.lab.starlord.files / client_tls.OWN).resolve()
        server = ("redis-benchmark", "-h", primary.address, "-p", "6379")
        said = self._tool(files, *server, *tls, *how)
        return _number(r"SET: ([0-9.]+) requests per second", said)


def _number(pattern, text):
    found = re.findall(pattern, text)
    if not found:
        raise Failure(f"no figure in {text[-300:]!r}")
    return float(found[-1])


def supervisors(lab):
    """name → ids of processes: the daemon of each member, the guard of each group on it."""
    found = {}
    for node in lab.group.members:
        for service in services.of_node(lab.state, node.name):
            if service == "bevmesh" or service.startswith("guard-"):
                who = lab.state["services"][f"{node.name}:{service}"]
                found[f"{node}: {service}"] = who[0]
    return found


def leave_alone(lab):
    """Daemons and guards are gone, the guards first and all within a moment: nobody fences."""
    lab.state.update(State.running())
    pids = supervisors(lab)
    for name in sorted(pids, key=lambda name: "guard" not in name):
        os.kill(pids[name], signal.SIGKILL)
    lab.starlord.kill("bevmesh", signal.SIGKILL)


def consul_writes(lab, window):
    """(all log entries a second, by Consul's own index; group → changes of its record a second)"""
    groups = (lab.group, lab.postgres)
    counts = {group.name: 0 for group in groups}
    before, began, seen = _commit_index(lab), time.monotonic(), {}
    while time.monotonic() < began + window:
        for group in groups:
            index = _modified(lab, group)
            if group.name in seen:
                counts[group.name] += index != seen[group.name]
            seen[group.name] = index
        time.sleep(0.01)
    span = time.monotonic() - began
    entries = (_commit_index(lab) - before) / span
    return entries, {name: count / span for name, count in counts.items()}


def _commit_index(lab):
    return int(lab.consul_leader().consul("GET", "/v1/agent/self")["Stats"]["raft"]["commit_index"])


def _modified(lab, group):
    return lab.starlord.consul("GET", f"/v1/kv/{group.key}")[0]["ModifyIndex"]


def cpu(pids, during):
    """name → % of a core while `during()` runs."""
    before, began = {name: process.cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
    during()
    span = time.monotonic() - began
    return {
        name: 100 * (process.cpu_seconds(pid) - before[name]) / span for name, pid in pids.items()
    }


def idle(report, lab, window):
    lab.state.update(State.running())
    found = {}
    shares = cpu(supervisors(lab), lambda: found.update(all=consul_writes(lab, window)))
    entries, records = found["all"]
    report.line(f"over {window:g} s, nothing failing:")
    for name, rate in records.items():
        report.line(f"  group {name}: {rate:.2f} writes to Consul a second", **{name: rate})
    report.line(f"  all entries of Consul's log: {entries:.2f} a second", entries=entries)
    for name, share in shares.items():
        report.line(f"  {name}: {share:.2f} % of a core", **{f"{name}, idle": share})


def mode(lab, redis, postgres):
    """What each database waits for before it acknowledges."""
    words = ("CONFIG", "GET", "min-replicas-to-write")
    names = lab.postgres.sql(postgres, "show synchronous_standby_names")
    return lab.group.call(redis, *words, admin=True)[1], names[0]


def under_load(lab, loads, label):
    """One turn: (tool → its figure, name → % of a core; none of those that are gone)."""
    loads.prepare()
    redis, postgres = lab.group.primary(), lab.postgres.primary()
    before = mode(lab, redis, postgres)
    if label == ABSENT:
        leave_alone(lab)
    pids = {} if label == ABSENT else supervisors(lab)
    figure = {}

    def measure():
        figure[REDIS] = loads.redis_benchmark(redis)
        figure[POSTGRES] = loads.pgbench(postgres)

    loads.warm(redis, postgres)
    spent = cpu(pids, measure)
    after = mode(lab, redis, postgres)
    if after != before or after[0] == "0" or not after[1]:
        raise Failure(f"the databases' mode was {before}, and is {after}")
    return figure, spent


def throughput(report, lab, options):
    loads = Loads(lab, options.seconds, options.requests)
    labels = (failover.OURS, ABSENT)
    rates = {tool: {label: [] for label in labels} for tool in (REDIS, POSTGRES)}
    shares = {}
    for number in range(options.runs):
        for label in labels if number % 2 == 0 else labels[::-1]:
            try:
                lab.make_whole()
                figure, spent = under_load(lab, loads, label)
            except failover.FAILURES as error:
                report.line(f"FAILED {label}, run {number + 1}: {error}")
                continue
            for tool, value in figure.items():
                rates[tool][label].append(value)
            for name, share in spent.items():
                shares.setdefault(name, []).append(share)
    show(report, rates, shares)


def show(report, rates, shares):
    for name, values in shares.items():
        text = f"  {name}, under load: {statistics.median(values):.2f} % of a core"
        report.line(text, **{f"{name}, under load": values})
    for tool, by_label in rates.items():
        if not all(by_label.values()):
            continue
        report.table(f"{tool}, a second", by_label)
        ours, without = (statistics.median(values) for values in by_label.values())
        report.target(f"{tool}: throughput lost, %", 100 * (1 - ours / without), 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--window", type=float, default=30, help="seconds of doing nothing")
    parser.add_argument("--seconds", type=int, default=10, help="of each pgbench")
    parser.add_argument("--requests", type=int, default=200_000, help="of each redis-benchmark")
    parser.add_argument("--json")
    options, _ = parser.parse_known_args()
    report = figures.Report("failover_cost", f"{options.runs} runs each, by turns, profile lan")
    with failover.lab(options.binary, "lan") as lab:
        engine.import_images([("starlord", IMAGE)])
        lab.make_whole()
        idle(report, lab, options.window)
        throughput(report, lab, options)
        report.line(f"load {os.getloadavg()[0]:.1f} at the end")
    report.save(options.json)


if __name__ == "__main__":
    main()
