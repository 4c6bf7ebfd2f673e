"""What the lab looks like: nodes, addresses, networks, and where its files are.

The addresses are those of the BEV mesh. They exist only inside the lab's namespaces.
"""

import hashlib
import os
from pathlib import Path

NODES = {
    "starlord": "100.122.12.35",
    "thanos": "100.122.12.54",
    "oracle1": "100.96.197.84",
}
PREFIX = 10  # the overlay's range, 100.64.0.0/10

# Docker networks: name → (subnet, node). The mesh's three as in config/bev.yaml; STARLORD has none
# there, and only on a network of its own making does Docker resolve through the node's resolver.
NETWORKS = {
    "bev_network": ("172.30.0.0/16", "thanos"),
    "bev_osint": ("172.25.0.0/16", "thanos"),
    "bev_oracle": ("172.31.0.0/16", "oracle1"),
    "bev_control": ("172.29.0.0/16", "starlord"),
}

DATACENTER = "bev"
SERVICES = ("dns", "consul", "docker", "bevmesh")  # in the order they are started
GUARD = "guard-"  # with a group's name: the guard of that failover group, on its members
ON_WISH = ("vault",)  # `lab up --vault`

ROOT = Path(__file__).resolve().parents[3]  # the checkout
CACHE = Path(os.environ.get("BEVMESH_CACHE", "/var/cache/bevmesh"))
STATE = Path(os.environ.get("BEVMESH_LAB_DIR", "/var/tmp/bevmesh-lab")).resolve()
LOCK = STATE.with_name(STATE.name + ".lock")
# Two labs may run at once, each in its own directory: the cgroup is the only other name they have.
CGROUP = "bevmesh-lab-" + hashlib.sha256(str(STATE).encode()).hexdigest()[:8]

BIN = "/run/lab/bin"  # on a node's PATH: consul, bevmesh
TMP = "/run/lab/tmp"  # of a node's services; /tmp is the machine's, where binaries may lie
PATH = BIN + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """What the user is told, without a traceback."""


def consul_binary():
    """The Consul that go.mod pins, built by tests/setup."""
    for line in (ROOT / "tests/lab/consul/go.mod").read_text().splitlines():
        if line.startswith("require github.com/hashicorp/consul v"):
            return CACHE / ("consul-" + line.rsplit(" v", 1)[1])
    raise LabError("tests/lab/consul/go.mod pins no Consul")


def openbao_binary():
    """OpenBao's `bao`, put there by `tests/setup openbao`."""
    for line in (ROOT / "tests/setup").read_text().splitlines():
        if line.startswith("openbao_version="):
            return CACHE / ("openbao-" + line.partition("=")[2])
    raise LabError("tests/setup pins no OpenBao")


def check_node(name):
    if name not in NODES:
        raise LabError(f"no node '{name}'; there are {', '.join(NODES)}")
    return name


def split_target(target):
    """NODE or NODE:SERVICE → (node, service or None)."""
    node, _, service = target.partition(":")
    check_node(node)
    also = {"daemon": "bevmesh", "dockerd": "docker", "dnsmasq": "dns", "openbao": "vault"}
    service = also.get(service, service)
    known = SERVICES + ON_WISH
    if service and service not in known and not service.startswith(GUARD):
        raise LabError(f"no service '{service}'; there are {', '.join(known)}, {GUARD}GROUP")
    return node, service or None


def node_dir(node):
    return STATE / node


def docker_host(node):
    """The node's engine, as seen from outside: a socket's path needs no namespace."""
    return f"unix://{node_dir(node)}/run/docker.sock"
