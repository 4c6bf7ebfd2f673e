"""One node of a mesh in namespaces of its own: a real Consul, the Docker double, the daemon.

`inside()` re-executes the program in new network, mount, host name and process namespaces: whatever
is started there dies with it, also by SIGKILL, and no packet leaves it. The directory for data and
logs is on disk (Consul's fsync is part of what is measured) and removed at the end, or by the next
run.
"""

import contextlib
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

from engine.control import EngineControl

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("BEVMESH_CACHE", "/var/cache/bevmesh"))
ADDRESS = "10.77.0.1"
NAME = "alone"
_MARK = "BEVMESH_ONENODE"
_PREFIX = "bevmesh-onenode-"


def inside():
    """Returns in the namespaces; outside them this process becomes `unshare`."""
    if os.environ.get(_MARK) != "1":
        if os.geteuid() != 0:
            sys.exit("must be run as root: it makes namespaces")
        os.environ[_MARK] = "1"
        os.execvp(
            "unshare",
            [
                "unshare",
                "--net",
                "--mount",
                "--uts",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "--propagation",
                "private",
                sys.executable,
                *sys.orig_argv[1:],
            ],
        )
    for command in (
        f"hostname {NAME}",
        "ip link set lo up",
        f"ip address replace {ADDRESS}/32 dev lo",
    ):
        subprocess.run(command.split(), check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def consul_binary():
    text = (ROOT / "tests/lab/consul/go.mod").read_text()
    return CACHE / ("consul-" + re.search(r"require github\.com/hashicorp/consul v(\S+)", text)[1])


def poll(what, condition, seconds, every=0.02):
    """Waits until `condition()` is true and returns what it returned."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(every)
    return value


class Http:
    """Keep-alive JSON over TCP or a unix socket."""

    def __init__(self, address, headers=None):
        self.address, self.headers, self.connection = address, headers or {}, None

    def __call__(self, method, path, body=None):
        """The decoded answer; an HTTP error is an OSError."""
        try:
            return self._once(method, path, body)
        except http.client.HTTPException as error:
            self.close()
            raise OSError(f"{method} {path}: {error!r}") from None
        except ConnectionError:
            self.close()
            raise

    def _once(self, method, path, body):
        if self.connection is None:
            self.connection = self._connect()
        data = json.dumps(body) if body is not None else None
        self.connection.request(method, path, data, self.headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {text.strip()}")
        return (
            json.loads(text) if text.startswith(("{", "[", '"', "null", "true", "false")) else text
        )

    def _connect(self):
        if not str(self.address).startswith("/"):
            host, _, port = self.address.rpartition(":")
            connection = http.client.HTTPConnection(host, int(port), timeout=30)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(30)
        connection.sock.connect(str(self.address))
        return connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Node:
    """Use as a context; everything is stopped at its end. `binary` is the bevmesh under test."""

    def __init__(self, binary, config_extra=""):
        self.binary, self.config_extra = Path(binary), config_extra
        self.processes = {}
        self.consul = self.engine = None

    def __enter__(self):
        self.home, self.lock = _own_directory()
        self.engine_socket = str(self.home / "docker.sock")
        self.api = Http(self.home / "api.sock")
        return self

    def __exit__(self, kind, error, _):
        if kind and kind is not SystemExit:
            self.show_logs()
        for name in reversed(list(self.processes)):
            self.stop(name, signal.SIGKILL)
        for client in (self.api, self.consul, self.engine):
            if client:
                client.close()
        self._detach_mounts()
        shutil.rmtree(self.home, ignore_errors=True)
        self.lock.close()

    def _detach_mounts(self):
        """What a test mounted below its directory, and where it mounted that: neither could be
        removed with it."""
        mounts = [line.split()[3:5] for line in open("/proc/self/mountinfo")]
        for root, place in reversed(mounts):
            if self._has(root, place):
                command = ["umount", "--lazy", "--recursive", place]
                subprocess.run(command, stderr=subprocess.DEVNULL, check=False)

    def _has(self, *paths):
        return any(f"{path}/".startswith(f"{self.home}/") for path in paths)

    def show_logs(self):
        for log in sorted(self.home.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-25:]
            print(f"--- {log.name}", *lines, sep="\n", file=sys.stderr)

    def start(self, name, argv, **more):
        with open(self.home / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                **{"stdout": log, "stderr": log, **more},
            )
        return self.processes[name]

    def stop(self, name, number=signal.SIGTERM):
        """Exit code; a process that does not end within 30 s is an error."""
        process = self.processes.pop(name)
        process.send_signal(number)
        if process.stdout:
            process.stdout.close()
        return process.wait(30)

    # Consul: as in the mesh (config/consul), alone; counters of HTTP requests are kept for an hour.

    def start_consul(self):
        self.token = str(uuid.uuid4())
        own = {
            "bootstrap_expect": 1,
            "node_name": NAME,
            "bind_addr": ADDRESS,
            "data_dir": str(self.home / "consul"),
            "log_level": "warn",
            "telemetry": {"prometheus_retention_time": "1h", "disable_hostname": True},
            "acl": {"tokens": {"initial_management": self.token}},
        }
        (self.home / "consul.json").write_text(json.dumps(own))
        self.start(
            "consul",
            [
                consul_binary(),
                "agent",
                "-config-file",
                ROOT / "config/consul/server.hcl",
                "-config-file",
                self.home / "consul.json",
            ],
        )
        self.consul = Http("127.0.0.1:8500", {"X-Consul-Token": self.token})
        poll("Consul's leader", self._has_leader, 60)
        policies = ROOT / "config/consul"
        for name in ("agent", "daemon"):
            rules = (policies / f"{name}-policy.hcl").read_text().replace("NODE", NAME)
            self.consul("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
            token = self.consul("PUT", "/v1/acl/token", {"Policies": [{"Name": name}]})["SecretID"]
            if name == "agent":
                self.consul("PUT", "/v1/agent/token/agent", {"Token": token})
            else:
                (self.home / "token").write_text(token)
        poll("the catalog", lambda: self.consul("GET", f"/v1/catalog/node/{NAME}"), 30)

    def _has_leader(self):
        try:
            return bool(self.consul("GET", "/v1/status/leader")) and bool(
                self.consul("GET", "/v1/acl/token/self")
            )
        except OSError:
            return False

    def puts(self):
        """PUT requests to Consul so far, by path, as Consul itself counted them."""
        text = self.consul("GET", "/v1/agent/metrics?format=prometheus")
        found = re.findall(
            r'^consul_api_http_count\{method="PUT",path="([^"]*)"\} (\d+)', text, re.M
        )
        return Counter({path: int(count) for path, count in found})

    def services(self):
        """What the agent holds, by ID, with check statuses, without the daemon's own entry."""
        services = self.consul("GET", "/v1/agent/services")
        for service in services.values():
            service["Checks"] = {}
        for id, check in self.consul("GET", "/v1/agent/checks").items():
            if check["ServiceID"] in services:
                services[check["ServiceID"]]["Checks"][id] = check["Status"]
        return {
            id: service
            for id, service in services.items()
            if service["Service"] not in ("bevmesh", "consul")
        }

    # The engine double.

    def start_engine(self, containers, *options):
        engine = self.start(
            "engine",
            [
                ROOT / "tests/doubles/docker_engine",
                "--socket",
                self.engine_socket,
                "--containers",
                containers,
                "--listen",
                ADDRESS,
                "--label",
                "bevmesh.name=app-{k}",
                *options,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        if engine.stdout.readline().strip() != "ready":
            raise RuntimeError("the engine double did not start")
        self.engine = EngineControl(self.engine_socket)

    def requests(self, path):
        return self.engine("stats")["requests"].get("GET " + path, 0)

    # The daemon.

    def configuration(self):
        # `group`: the usual one need not exist on this machine.
        return f"""
mesh: {{name: bench, datacenter: bev}}
consul: {{address: 127.0.0.1:8500, token_file: {self.home}/token}}
docker: {{address: "unix://{self.engine_socket}"}}
api: {{socket: {self.home}/api.sock, group: root}}
state_dir: {self.home}/state
nodes:
  {NAME}: {{address: {ADDRESS}}}
{self.config_extra}"""

    def start_daemon(self):
        """Starts it and returns at once: what follows is what is measured."""
        config = self.home / "bevmesh.yaml"
        config.write_text(self.configuration())
        return self.start("bevmesh", [self.binary, "daemon", "--node", NAME, "--config", config])

    def registrar(self):
        """The daemon's own account, {} while it does not answer yet."""
        with contextlib.suppress(OSError):
            return self.api("GET", "/v1/status")["registrar"]
        if (code := self.processes["bevmesh"].poll()) is not None:
            raise RuntimeError(f"the daemon ended with {code}")
        return {}

    def settle(self, announced, seconds):
        """Waits until the daemon says that it holds `announced` services and has nothing left to
        do."""

        def settled():
            state = self.registrar()
            return state.get("settled") and state.get("announced", 0) >= announced

        poll(
            f"a settled registrar with {announced} services ({self.registrar()})", settled, seconds
        )


def _own_directory():
    """A directory that is locked while its owner lives; those of dead owners are removed."""
    base = Path(os.environ.get("TMPDIR", "/var/tmp"))
    with open(base / (_PREFIX + "lock"), "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for old in base.glob(_PREFIX + "*/.lock"):
            with contextlib.suppress(OSError), open(old) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old.parent, ignore_errors=True)
        home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        lock = open(home / ".lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return home, lock
