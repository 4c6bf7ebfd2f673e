"""One node of the lab, as the tests see it: its engine, its Consul agent, its resolver, its daemon.

Docker and the daemon are reached by the path of their sockets, Consul and DNS by sockets made
inside the node's network namespace. Nothing here waits, except for processes that were told to
end.
"""

import http.client
import json
import os
import socket
import subprocess
import urllib.parse

from bevlab import faults, kernel, services
from bevlab.layout import NODES, PATH, node_dir

import dns
from harness import Failure, until

LABEL = "fault-test=1"  # on everything that a test makes in an engine
STAND_IN = "bev/stand-in"
BASE = "bev/base"


class Node:
    def __init__(self, mesh, name):
        self.mesh = mesh
        self.name = name
        self.address = NODES[name]
        self.files = node_dir(name)

    def __repr__(self):
        return self.name

    # ---- the node itself

    def in_network(self):
        return kernel.in_network(self.mesh.state.holder(self.name))

    def popen(self, *argv, **how):
        """A process on the node, child of this one."""
        holder = self.mesh.state.holder(self.name)

        def become():
            kernel.join(self.name + ".exec")
            kernel.enter(holder)
            os.chdir("/")

        env = {**services.environment(), "PATH": PATH, **how.pop("env", {})}
        return subprocess.Popen(argv, preexec_fn=become, env=env, text=True, **how)

    def exec(self, *argv, timeout=30, **how):
        """Runs to its end: (exit code, stdout, stderr)."""
        child = self.popen(
            *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how
        )
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise Failure(f"{' '.join(argv)} on {self} did not end in {timeout} s") from None
        return child.returncode, out, err

    # ---- services of the node: consul, docker, bevmesh

    def is_running(self, service):
        return services.is_running(self.mesh.state, self.name, service)

    def kill(self, service, number):
        """Sends a signal, and waits for the end if it is one that ends."""
        with self.mesh.changing() as state:
            services.kill(state, self.name, service, number)

    def start(self, service, wait=True):
        with self.mesh.changing() as state:
            services.start(state, self.name, service)
        if wait:
            services.wait_ready(self.mesh.state, [(self.name, service)])
        if wait and service == "consul":
            # A server that lost its data knows no token until it has the leader's.
            until(f"Consul on {self} knows its tokens", self.consul_knows_us, 30)

    def consul_knows_us(self):
        return self.http("GET", "/v1/agent/self")[0] == 200

    def rejoin(self, other):
        return self.http("PUT", f"/v1/agent/join/{other.address}")[0] == 200

    def freeze(self, service):
        with self.mesh.changing() as state:
            faults.freeze(state, self.name, service)

    def thaw(self, service):
        with self.mesh.changing() as state:
            faults.thaw(state, self.name, service)

    def ending(self, service):
        """How it ended: the exit status, or minus the signal."""
        return services.ending(self.name, service)

    def log(self, service="bevmesh", since=0):
        with open(services.log_path(self.name, service), errors="replace") as file:
            file.seek(since)
            return file.read()

    def log_size(self, service="bevmesh"):
        path = services.log_path(self.name, service)
        return path.stat().st_size if path.exists() else 0

    # ---- Docker

    def docker(self, *args, check=True, timeout=60):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/root",
            "DOCKER_HOST": f"unix://{self.files}/run/docker.sock",
        }
        done = subprocess.run(
            ["docker", *args], env=env, text=True, capture_output=True, timeout=timeout
        )
        if check and done.returncode:
            raise Failure(f"docker {' '.join(args)} on {self}: {done.stderr.strip()}")
        return done.stdout.strip()

    def run(
        self, name, *options, image=STAND_IN, command=("stand-in", "8080"), labels=None, env=None
    ):
        """A container in the background; its id. `options` are those of `docker run`."""
        words = [f"--label={key}={value}" for key, value in (labels or {}).items()]
        words += [f"--env={key}={value}" for key, value in (env or {}).items()]
        return self.docker(
            "run",
            "-d",
            "--stop-timeout=1",
            f"--name={name}",
            f"--label={LABEL}",
            *words,
            *options,
            image,
            *command,
        )

    def remove(self, *names):
        self.docker("rm", "-f", "-v", *names)

    def inspect(self, name):
        return json.loads(self.docker("inspect", name))[0]

    def network(self, name, *options):
        self.docker("network", "create", f"--label={LABEL}", *options, name)

    def ip_on(self, container, network):
        return (
            self.inspect(container)["NetworkSettings"]["Networks"]
            .get(network, {})
            .get("IPAddress", "")
        )

    # ---- Consul

    def http(self, method, path, body=None, token=None, port=8500, timeout=10):
        """(status, headers, decoded JSON or text) of this node's agent."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            with self.in_network():
                connection.connect()
            headers = {"X-Consul-Token": token if token is not None else self.mesh.management}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from None
        finally:
            connection.close()
        try:
            return answer.status, answer.headers, json.loads(text)
        except json.JSONDecodeError:
            return answer.status, answer.headers, text

    def consul(self, method, path, body=None, token=None):
        """The body of an answer that must be a success."""
        status, _, answer = self.http(method, path, body, token)
        if status != 200:
            raise OSError(f"{method} {path} on {self}: {status} {answer}")
        return answer

    def services(self):
        """What the local agent holds: ID → entry."""
        return self.consul("GET", "/v1/agent/services")

    def service(self, service_id):
        return self.services().get(service_id)

    def named(self, name):
        """The local agent's entries with this service name."""
        return [entry for entry in self.services().values() if entry["Service"] == name]

    def checks(self, service_id):
        """The local agent's checks of a service: CheckID → entry."""
        query = urllib.parse.quote(f'ServiceID == "{service_id}"')
        return self.consul("GET", f"/v1/agent/checks?filter={query}")

    def states(self, service_id):
        return {check: entry["Status"] for check, entry in self.checks(service_id).items()}

    def health(self, name):
        """The mesh's instances as this node's servers know them: ID → {check ID: status}."""
        return {
            entry["Service"]["ID"]: {check["CheckID"]: check["Status"] for check in entry["Checks"]}
            for entry in self.consul("GET", f"/v1/health/service/{name}")
        }

    def index(self, name):
        """Consul's index of a service's health: moves with every write about it."""
        return int(self.http("GET", f"/v1/health/service/{name}")[1]["X-Consul-Index"])

    # ---- DNS, through the node's own resolver

    def _ask(self, name, kind):
        number, query = dns.question(name, kind)
        with self.in_network():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(1)
            for last in (False, False, True):  # as a resolver does: a datagram may be lost
                sock.sendto(query, ("127.0.0.1", 53))
                try:
                    return dns.answers(sock.recv(4096), number, kind)
                except TimeoutError:
                    if last:
                        raise

    def resolve(self, name):
        return self._ask(f"{name}.service.consul", dns.A)

    def resolve6(self, name):
        return self._ask(f"{name}.service.consul", dns.AAAA)

    def locate(self, name):
        """[(address, port)] by SRV."""
        return self._ask(f"{name}.service.consul", dns.SRV)

    # ---- the daemon

    @property
    def socket_path(self):
        return self.files / "run/bevmesh/api.sock"

    def api(self, method, path, body=None):
        """(status, decoded answer) of the daemon on this node."""
        connection = services.UnixConnection(self.socket_path)
        connection.timeout = 10
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (http.client.HTTPException, json.JSONDecodeError) as error:
            raise OSError(f"{method} {path}: {error!r}") from None
        finally:
            connection.close()

    def status(self):
        return self.api("GET", "/v1/status")[1]

    def counters(self):
        """The daemon's writes since it started."""
        registrar = self.status()["registrar"]
        return {
            key: registrar[key]
            for key in (
                "registrations",
                "deregistrations",
                "reports",
                "maintenance_changes",
                "write_errors",
            )
        }

    def settled(self):
        return self.status()["registrar"]["settled"]

    def notes(self, code):
        return [note["text"] for note in self.status()["notes"] if note["code"] == code]

    def kept_maintenance(self):
        """What the daemon would remember of maintenance after a restart: service → reason."""
        path = self.files / "lib/bevmesh/maintenance.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def local(self, service_id):
        """The daemon's own view of one service: {} when it has none."""
        return next(
            (
                view
                for view in self.api("GET", "/v1/services")[1]["local"]
                if view["id"] == service_id
            ),
            {},
        )

    def cli(self, *args, **how):
        """`bevmesh ARGS` on the node: (exit code, stdout, stderr)."""
        return self.exec("bevmesh", *args, **how)
