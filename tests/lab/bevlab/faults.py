"""What can go wrong, on purpose: links cut in one direction or both, nodes and services frozen.

A cut drops what arrives from a node, in the raw table: before address translation, so that
containers and published ports are cut as well. `unplug` takes the cable out at the switch: the node
sees no carrier.
"""

import signal
import subprocess

from . import kernel, services
from .layout import NODES, ON_WISH, SERVICES, LabError

CHAIN = "LAB-CUT"


def _in_node(state, node, *command, check=True):
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{state.holder(node)}/ns/net", *command],
        text=True,
        capture_output=True,
    )
    if check and done.returncode:
        raise LabError(f"{' '.join(command)} on {node}: {done.stderr.strip()}")
    return done.returncode == 0


def _iptables(state, node, *args, check=True):
    return _in_node(state, node, "iptables", "--wait", "--table", "raw", *args, check=check)


def _drop_arriving(state, at, source):
    if not _iptables(state, at, "--list-rules", CHAIN, check=False):
        _iptables(state, at, "--new-chain", CHAIN)
        _iptables(state, at, "--insert", "PREROUTING", "--jump", CHAIN)
    rule = ["--source", NODES[source], "--jump", "DROP"]
    if not _iptables(state, at, "--check", CHAIN, *rule, check=False):
        _iptables(state, at, "--append", CHAIN, *rule)


def cut(state, a, b, one_way):
    """From now on nothing from `a` reaches `b`, nor, unless one_way, from `b` reaches `a`."""
    if a == b:
        raise LabError("a node cannot be cut from itself; `unplug` takes its cable out")
    _drop_arriving(state, b, a)
    if not one_way:
        _drop_arriving(state, a, b)


def unplug(state, node):
    state.holder(node)
    _switch(state, node, "down")


def _switch(state, node, direction):
    done = subprocess.run(
        [
            "nsenter",
            f"--net=/proc/{state['switch'][0]}/ns/net",
            "ip",
            "link",
            "set",
            node,
            direction,
        ],
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise LabError(f"ip link set {node} {direction}: {done.stderr.strip()}")


def heal(state):
    """All links are whole again."""
    for node in state.booted():
        _switch(state, node, "up")
        if _iptables(state, node, "--list-rules", CHAIN, check=False):
            _iptables(state, node, "--flush", CHAIN)


def cuts(state, node):
    """What does not arrive at `node`: names of nodes."""
    done = subprocess.run(
        [
            "nsenter",
            f"--net=/proc/{state.holder(node)}/ns/net",
            "iptables",
            "--wait",
            "-t",
            "raw",
            "--list-rules",
            CHAIN,
        ],
        text=True,
        capture_output=True,
    )
    return [other for other, address in NODES.items() if f"-s {address}/32 " in done.stdout]


def freeze(state, node, service):
    """A node stops as a whole, containers too; a service alone, an engine's containers go on."""
    if service is None:
        state.holder(node)
        kernel.freeze(True, node)
        return
    for pid in services.own_processes(state, node, service):
        kernel.send(pid, signal.SIGSTOP)


def thaw(state, node, service):
    if service is None:
        kernel.freeze(False, node)
    wanted = [service] if service else SERVICES + ON_WISH
    for name in wanted:
        if services.is_running(state, node, name):
            for pid in services.own_processes(state, node, name):
                kernel.send(pid, signal.SIGCONT)
