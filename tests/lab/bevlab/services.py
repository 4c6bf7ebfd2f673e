"""The services of a node: what is started, with which arguments, and when each one is ready.

Every service has a cgroup NODE/SERVICE and a log STATE/NODE/log/lab/SERVICE.log. Nothing restarts a
service that ends: the lab's user decides that (`lab start`).
"""

import http.client
import json
import os
import signal
import socket
import struct
import time

from . import keeper, kernel, vault
from .layout import CGROUP, GUARD, ON_WISH, PATH, SERVICES, TMP, LabError, node_dir

READY_SECONDS = 60


def of_node(state, node):
    """What the node runs, in the order it is started: a guard comes before the daemon."""
    guards = state["options"].get("guards", {}).get(node, [])
    wished = [service for service in ON_WISH if state["options"].get(service)]
    return [*SERVICES[:-1], *wished, *guards, *SERVICES[-1:]]


# What the unit and its drop-in for failover leave the daemon: no root, and the rights to the files
# of databases.
_RIGHTS = "-all,+chown,+dac_override,+fowner"
_AS_THE_UNIT_DOES = [
    "setpriv",
    *("--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
    *(f"--{kind}={_RIGHTS}" for kind in ("bounding-set", "inh-caps", "ambient-caps")),
]


def _rights(state, node, service):
    moves_databases = state["options"].get("guards", {}).get(node)
    return _AS_THE_UNIT_DOES if service == "bevmesh" and moves_databases else []


def argv(node, service):
    if service.startswith(GUARD):
        return ["bevmesh", "guard", "--group", service.removeprefix(GUARD), "--user", "nobody"]
    return {
        "dns": [
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/etc/dnsmasq.conf",
            "--pid-file=/run/dnsmasq.pid",
        ],
        "consul": ["consul", "agent", "-config-dir=/etc/consul.d", "-data-dir=/var/lib/consul"],
        "docker": [
            "dockerd",
            "--host=unix:///run/docker.sock",
            "--data-root=/var/lib/docker",
            "--exec-root=/run/docker",
            "--pidfile=/run/docker.pid",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent=/{CGROUP}/{node}/containers",
        ],
        "vault": ["bao", "server", "-config=/etc/openbao/openbao.hcl"],
        "bevmesh": ["bevmesh", "daemon", "--node", node, "--config", "/etc/bevmesh/bevmesh.yaml"],
    }[service]


def _is_for_daemons(name):
    return name.endswith("SAN_OPTIONS") or name == "BEVMESH_CRASH_AFTER"


def environment():
    """A service's: nothing of the caller's but what steers sanitizers, and a daemon's crash."""
    kept = {name: value for name, value in os.environ.items() if _is_for_daemons(name)}
    return {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TMPDIR": TMP, **kept}


def log_path(node, service):
    return node_dir(node) / "log/lab" / f"{service}.log"


def is_running(state, node, service):
    return kernel.alive(state["services"].get(f"{node}:{service}"))


def start(state, node, service):
    """Starts without waiting; see wait_ready."""
    if is_running(state, node, service):
        raise LabError(f"{node}:{service} is running")
    holder = state.holder(node)

    def enter():
        kernel.enter(holder)
        os.chdir("/")

    path = log_path(node, service)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(node, service)
    state["services"][f"{node}:{service}"] = keeper.start(
        (node, service),
        [*_rights(state, node, service), *argv(node, service)],
        path,
        environment(),
        enter,
        _ending_path(node, service),
    )


def _ending_path(node, service):
    return node_dir(node) / "log/lab" / f"{service}.ended"


def ending(node, service):
    """Exit code of the service that ended last; negative: the signal. None: not known."""
    try:
        return int(_ending_path(node, service).read_text())
    except (FileNotFoundError, ValueError):
        return None


def _clear_leftovers(node, service):
    """dockerd does not start when its pid file names a living process, and any may have that id."""
    if service == "docker":
        (node_dir(node) / "run/docker.pid").unlink(missing_ok=True)


def wait_ready(state, wanted, seconds=READY_SECONDS):
    """Waits until each (node, service) answers; one that ended is an error with its last words."""
    end = time.monotonic() + seconds
    waiting = list(wanted)
    while waiting:
        waiting = [(node, service) for node, service in waiting if not _ready(state, node, service)]
        for node, service in waiting:
            late = time.monotonic() > end
            if late or not is_running(state, node, service):
                what = f"did not answer in {seconds} s" if late else "ended"
                raise LabError(
                    f"{node}:{service} {what}; the end of {log_path(node, service)}:\n"
                    + _tail(log_path(node, service))
                )
        time.sleep(0.02 if waiting else 0)


def _ready(state, node, service):
    try:
        if service.startswith(GUARD):
            path = f"bevmesh-guard/{service.removeprefix(GUARD)}.sock"
            return _accepts(node, path, socket.SOCK_SEQPACKET)
        return {
            "dns": _dns_answers,
            "consul": _consul_has_leader,
            "docker": _docker_answers,
            "vault": vault.answers,
            "bevmesh": _daemon_listens,
        }[service](state, node)
    except OSError:
        return False


def _dns_answers(state, node):
    """Any answer to a question about a name that dnsmasq forwards nowhere."""
    query = (
        struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)
        + b"\x03lab\x07invalid\x00"
        + struct.pack(">2H", 1, 1)
    )
    with kernel.in_network(state.holder(node)):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(0.2)
        sock.sendto(query, ("127.0.0.1", 53))
        return len(sock.recv(512)) >= 12


def _consul_has_leader(state, node):
    status, body = http_on_node(state, node, "GET", "/v1/status/leader")
    return status == 200 and bool(body)


def _docker_answers(_state, node):
    connection = UnixConnection(node_dir(node) / "run/docker.sock")
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def _daemon_listens(_state, node):
    return _accepts(node, "bevmesh/api.sock")


def _accepts(node, path, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as sock:
        sock.connect(str(node_dir(node) / "run" / path))
        return True


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def http_on_node(state, node, method, path, body=None, token=None, port=8500):
    """A request to the node's loopback: (status, decoded JSON or text)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        with kernel.in_network(state.holder(node)):
            connection.connect()
        connection.request(
            method,
            path,
            json.dumps(body) if body is not None else None,
            {"X-Consul-Token": token} if token else {},
        )
        answer = connection.getresponse()
        text = answer.read().decode()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except json.JSONDecodeError:
        return answer.status, text


def kill(state, node, service, number):
    """Sends a signal; after one that ends a process, waits until it is gone. A Consul that hangs in
    its own shutdown, as it sometimes does, is killed, as a service manager would."""
    who = state["services"].get(f"{node}:{service}")
    if not kernel.alive(who):
        raise LabError(f"{node}:{service} is not running")
    kernel.send(who[0], number)
    if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT):
        gone = kernel.wait_gone(who, 15 if service == "consul" else 60)
        if not gone and service == "consul":
            kernel.send(who[0], signal.SIGKILL)
            gone = kernel.wait_gone(who, 15)
        if not gone:
            raise LabError(f"{node}:{service} still runs 60 s after signal {int(number)}")


def own_processes(state, node, service):
    """The service's processes, without the containers and shims that live below the engine."""
    who = state["services"].get(f"{node}:{service}")
    if not kernel.alive(who):
        raise LabError(f"{node}:{service} is not running")
    if service != "docker":
        return kernel.members(node, service) or [who[0]]
    return [
        pid for pid in kernel.members(node, service) if _command(pid) in ("dockerd", "containerd")
    ]


def _command(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def _tail(path, lines=15):
    try:
        return "\n".join(
            "    " + line for line in path.read_text(errors="replace").splitlines()[-lines:]
        )
    except FileNotFoundError:
        return "    (no log)"


def _how(code):
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def status(state, node):
    """service → (state word, pid)"""
    result = {}
    for service in of_node(state, node):
        who = state["services"].get(f"{node}:{service}")
        if not who:
            result[service] = ("not started", None)
        elif not kernel.alive(who):
            code = ending(node, service)
            result[service] = ("ended" if code is None else f"ended with {_how(code)}", None)
        elif kernel.stopped(who) or kernel.is_frozen(node):
            result[service] = ("frozen", who[0])
        else:
            result[service] = ("running", who[0])
    return result
