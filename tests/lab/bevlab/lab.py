"""The lab as a whole: up, down, boot of one node. The nodes start side by side."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from . import certificates, consul, engine, kernel, node as nodes, services, vault
from .layout import (
    GUARD,
    NODES,
    ROOT,
    SERVICES,
    STATE,
    LabError,
    consul_binary,
    node_dir,
    openbao_binary,
)
from .state import State

DAEMON_CONFIG = ROOT / "config/bev.yaml"


def _check(options):
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes namespaces and runs Docker engines")
    for program in ("unshare", "nsenter", "ip", "iptables", "dockerd", "docker", "dnsmasq"):
        if not shutil.which(
            program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ):
            raise LabError(f"no {program} here: run tests/setup")
    if not consul_binary().exists():
        raise LabError(f"no {consul_binary()}: run tests/setup")
    if options.get("vault") and not openbao_binary().exists():
        raise LabError(f"no {openbao_binary()}: run tests/setup openbao")
    if options["daemon"]:
        for what, path in (("binary", options["binary"]), ("configuration", options["config"])):
            if not Path(path).is_file():
                raise LabError(
                    f"no {what} {path}: build it, name another (--{what[:6]}), or use --no-daemon"
                )


def _guards(options):
    """node → the guards of its failover groups, as the configuration says."""
    if not Path(options["binary"]).is_file():
        return {}
    done = subprocess.run(
        [options["binary"], "config", "show", "--format", "json", options["config"]],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {}  # a daemon that cannot read its configuration says so better
    guards = {}
    for group, how in json.loads(done.stdout).get("failover", {}).items():
        for node in how["members"]:
            guards.setdefault(node, []).append(GUARD + group)
    return guards


def up(options, replace, progress):
    """Everything of the mesh but its containers. What a killed lab left is cleaned first."""
    _check(options)
    old = State.load()
    if old["complete"] and kernel.alive(old["switch"]) and not replace:
        raise LabError("the lab is up: `tests/lab/lab down` first, or `up --replace`")
    nodes.remove_all()
    STATE.mkdir(parents=True, mode=0o711)
    STATE.chmod(0o711)
    state = State.load()
    state["options"] = {**options, "guards": _guards(options)}
    try:
        _bring_up(state, progress)
    except BaseException:
        state.save()  # logs and processes stay for whoever looks; `down` or the next `up` cleans
        raise


def _bring_up(state, progress):
    started = time.monotonic()
    options = state["options"]
    for node in NODES:
        nodes.make_files(node)
        _install_config(node, options)
    certificates.make_all()
    consul.configure(options)
    if options.get("vault"):
        vault.configure()
    state["switch"] = nodes.start_switch()
    for node in NODES:
        nodes.boot(state, node)
    state.save()
    first = [(node, service) for service in ("consul", "dns", "docker") for node in NODES]
    for node, service in first:
        services.start(state, node, service)
    if options.get("vault"):
        for node in NODES:
            services.start(state, node, "vault")
    state.save()
    services.wait_ready(state, [pair for pair in first if pair[1] == "consul"])
    leader = consul.leader(state, next(iter(NODES)))
    progress(f"Consul has a leader: {leader} ({time.monotonic() - started:.1f} s)")
    consul.bootstrap_acl(state)
    services.wait_ready(state, first)
    engine.create_networks(list(NODES))
    _wait_catalog(state)
    progress(f"three engines, three servers, names resolve ({time.monotonic() - started:.1f} s)")
    if options.get("vault"):
        services.wait_ready(state, [(node, "vault") for node in NODES])
        vault.initialize(state)
        vault.bootstrap(state)
        progress(f"three servers of OpenBao, unsealed ({time.monotonic() - started:.1f} s)")
    if options["daemon"]:
        guards = state["options"]["guards"]
        daemons = [(node, guard) for node in NODES for guard in guards.get(node, [])]
        daemons += [(node, "bevmesh") for node in NODES]
        for node, service in daemons:
            services.start(state, node, service)
        services.wait_ready(state, daemons)
        progress(f"bevmesh runs on every node ({time.monotonic() - started:.1f} s)")
    state["complete"] = True
    state.save()


def _install_config(node, options):
    if not Path(options["config"]).is_file():
        return
    text = Path(options["config"]).read_text()
    # Where a Vault signs, a node joins with its AppRole alone.
    if not options.get("vault") or not vault.is_in(text):
        text = certificates.with_section(text)
    (node_dir(node) / "etc/bevmesh/bevmesh.yaml").write_text(text)


def _wait_catalog(state, seconds=30):
    end = time.monotonic() + seconds
    while not all(consul.is_complete(state, node) for node in state.booted()):
        if time.monotonic() > end:
            raise LabError("Consul's catalog has not all three servers; see `lab logs NODE:consul`")
        time.sleep(0.05)


def boot(state, node, progress):
    """A node that was crashed comes back, with what its disk holds."""
    nodes.boot(state, node)
    state.save()
    wanted = [(node, "consul"), (node, "dns"), (node, "docker")]
    if state["options"].get("vault"):
        wanted.append((node, "vault"))
    if state["options"]["daemon"]:
        guards = state["options"]["guards"].get(node, [])
        wanted += [(node, guard) for guard in guards]
        wanted.append((node, "bevmesh"))
    for pair in wanted:
        services.start(state, *pair)
    state.save()
    services.wait_ready(state, wanted)
    if state["options"].get("vault"):
        vault.unseal(state, node)
    progress(f"{node} is back")
