"""From a container's start to its name in another node's DNS, beside a bare PUT to the same end.

In one run, by turns: a service is registered with one PUT to the node's Consul and waited for in
another node's DNS; a container is started and waited for there. The container's clock starts at the
later of the engine's event (its timeNano) and the first connect to its port that succeeds. The same
for what ends: a bare deregistration, and the die event of a killed container. Neither node is
Consul's leader: a follower learns of a commit with the leader's next heartbeat, and both ways wait
for that.
"""

import argparse
import random
import time

from . import figures
from .mesh import Lab

PORT = 23000
WAIT = 15  # seconds, for one name


class Bench:
    def __init__(self, lab, samples, seed):
        self.samples, self.chance = samples, random.Random(seed)
        status = lab.status()
        self.leader = status["thanos"]["leader"]
        self.node, self.other = [node for node in sorted(status) if node != self.leader]
        self.address = status[self.node]["address"]
        self.engine = lab.engine(self.node)
        self.here, self.port, self.dns = (
            lab.watcher(self.node),
            lab.watcher(self.node),
            lab.watcher(self.other),
        )
        self.rows = {
            "PUT register -> name": [],
            "start event -> name": [],
            "PUT deregister -> no name": [],
            "die event -> no name": [],
        }
        self.put_times, self.lost, self.waited_for_port = [], [], 0

    def run(self):
        for number in range(self.samples):
            turns = [self.bare, self.container]
            self.chance.shuffle(turns)
            for turn in turns:
                turn(number)

    def _watch(self, name, wanted):
        """The watch stands; then a moment of no fixed phase to the leader's heartbeat."""
        self.dns.begin(f"dns {name}.service.consul {wanted} {WAIT}")
        time.sleep(self.chance.uniform(0, 0.1))

    def _note(self, row, name, began):
        at, _ = self.dns.found()
        if at is None:
            self.lost.append(f"{name}: {row} took over {WAIT} s")
        else:
            self.rows[row].append((at - began) / 1e6)

    def bare(self, number):
        name = f"bare-{number}"
        self._watch(name, "present")
        put = self.here.put(
            "/v1/agent/service/register",
            {"Name": name, "ID": name, "Address": self.address, "Port": 1},
        )
        self.put_times.append((put["answered"] - put["at"]) / 1e6)
        self._note("PUT register -> name", name, put["at"])
        self._watch(name, "absent")
        put = self.here.put(f"/v1/agent/service/deregister/{name}")
        self._note("PUT deregister -> no name", name, put["at"])

    def container(self, number):
        name, port = f"app-{number}", PORT + number % 1000
        id = self.engine(
            "POST",
            f"/containers/create?name={name}",
            {
                "Image": "bev/stand-in",
                "Entrypoint": ["/bin/busybox"],
                "Cmd": ["httpd", "-f", "-p", "8000", "-h", "/www"],
                "Labels": {"bevmesh.name": name},
                "ExposedPorts": {"8000/tcp": {}},
                "HostConfig": {"PortBindings": {"8000/tcp": [{"HostPort": str(port)}]}},
            },
        )["Id"]
        self._watch(name, "present")
        self.engine("POST", f"/containers/{id}/start")
        self._note("start event -> name", name, self._ready_at(id, port))
        self._watch(name, "absent")
        self.engine("POST", f"/containers/{id}/kill")
        self._note("die event -> no name", name, self.engine.event_at(id, "die"))
        self.engine("DELETE", f"/containers/{id}?force=1")

    def _ready_at(self, id, port):
        """The later of event and port. The port is not tried before the event: Docker's proxy
        accepts before the container's interface is up, asks for its hardware address in vain, and
        the kernel then lets nobody through for the better part of a second."""
        started = self.engine.event_at(id, "start")
        self.port.begin(f"port {self.address} {port} {WAIT}")
        answers, tries = self.port.found()
        if tries == 1:
            return started
        self.waited_for_port += 1
        return max(started, answers)

    def print(self, report):
        report.line(
            f"containers on {self.node}, DNS asked on {self.other} (its resolver, port 53), "
            f"leader {self.leader}"
        )
        report.table("ms", self.rows)
        report.line(
            f"a bare PUT is answered after {figures.percentile(self.put_times, 50):.1f} ms (p50); "
            f"{self.waited_for_port} of {self.samples} ports did not answer at the start event"
        )
        for text in self.lost:
            report.line("LOST " + text)
        for floor, real in (
            ("PUT register -> name", "start event -> name"),
            ("PUT deregister -> no name", "die event -> no name"),
        ):
            self._compare(report, real, self.rows[floor], self.rows[real])

    @staticmethod
    def _compare(report, what, floor, real):
        def more(a, b):
            return figures.percentile(b, 50) - figures.percentile(a, 50)

        def times(a, b):
            return figures.percentile(b, 99) / figures.percentile(a, 99)

        report.target(f"{what}: p50 over the floor's, ms", more(floor, real), 20)
        report.line(
            "       95 % of resamples: {:.1f} to {:.1f}".format(
                *figures.interval(more, floor, real)
            )
        )
        report.target(f"{what}: p99 / the floor's", times(floor, real), 1.5)
        report.line(
            "       95 % of resamples: {:.2f} to {:.2f}".format(
                *figures.interval(times, floor, real)
            )
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json")
    options = parser.parse_args()
    report = figures.Report("latency", f"{options.samples} samples each, by turns")
    with Lab(options.binary) as lab:
        bench = Bench(lab, options.samples, options.seed)
        lab("import", bench.node, "stand-in")
        bench.run()
        if lab.leader() != {bench.leader}:
            report.line("NOTE the leader changed while we measured")
        bench.print(report)
    report.save(options.json)


if __name__ == "__main__":
    main()
