"""The command line of the lab. Data on stdout; progress and errors on stderr."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import bev, consul, engine, faults, kernel, lab, node as nodes, services, vault
from .layout import NODES, PATH, ROOT, STATE, LabError, check_node, split_target
from .state import State, locked


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def cmd_up(args):
    options = {
        "binary": str(Path(args.binary).resolve()),
        "config": str(Path(args.config).resolve()),
        "daemon": not args.no_daemon,
        "script_checks": args.script_checks,
        "vault": args.vault,
    }
    with locked():
        lab.up(options, args.replace, say)


def cmd_down(_args):
    with locked():
        nodes.remove_all()


def cmd_status(args):
    state = State.running()
    up = state.booted()
    report = {
        node: {
            "address": NODES[node],
            "up": node in up,
            "leader": (
                consul.leader(state, node) if node in up and not kernel.is_frozen(node) else None
            ),
            "cut_from": faults.cuts(state, node) if node in up else [],
            "services": services.status(state, node),
        }
        for node in NODES
    }
    if args.json:
        print(json.dumps(report, indent=1))
        return
    for node, what in report.items():
        words = [
            f"{name} {word}" + (f" ({pid})" if pid else "")
            for name, (word, pid) in what["services"].items()
        ]
        up = "up" if what["up"] else "down"
        print(f"{node:9} {what['address']:14} {up:5} leader {what['leader'] or 'none'}")
        print(f"          {', '.join(words)}")
        if what["cut_from"]:
            print(f"          hears nothing from {', '.join(what['cut_from'])}")


def cmd_exec(args):
    """Replaces this process: exit code, signals, standard input, terminal are the command's."""
    state = State.running()
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise LabError("exec NODE -- COMMAND...")
    where = os.getcwd()
    environment = {
        **os.environ,
        "PATH": PATH,
        "DOCKER_HOST": "unix:///run/docker.sock",
        "CONSUL_HTTP_ADDR": "http://127.0.0.1:8500",
        "CONSUL_HTTP_TOKEN": state.secret(consul.MANAGEMENT),
        "BEVMESH_LAB_NODE": args.node,
    }
    if state["options"].get("vault"):
        environment["VAULT_ADDR"] = f"https://{NODES[args.node]}:{vault.PORT}"
        environment["VAULT_CACERT"] = vault.CA_FILE
        environment["VAULT_TOKEN"] = state.secret(vault.TOKEN)
    holder = state.holder(args.node)
    kernel.join(args.node + ".exec")
    kernel.enter(holder)
    try:
        os.chdir(where)
    except OSError:
        os.chdir("/")
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        print(f"lab: {command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


def changing(action):
    """A command that changes a lab which is up: one at a time, and remembered."""

    def run(args):
        with locked():
            state = State.running()
            try:
                action(state, args)
            finally:
                state.save()

    return run


def do_cut(state, args):
    faults.cut(state, args.a, args.b, args.one_way)


def do_freeze(state, args):
    faults.freeze(state, *split_target(args.target))


def do_thaw(state, args):
    for target in [args.target] if args.target else state.booted():
        faults.thaw(state, *split_target(target))


def do_kill(state, args):
    node, service = split_target(args.target)
    if not service:
        raise LabError(f"kill NODE:SERVICE; `lab crash {node}` is the whole node")
    services.kill(state, node, service, _signal(args.signal))


def do_start(state, args):
    node, service = split_target(args.target)
    if not service:
        raise LabError("start NODE:SERVICE")
    services.start(state, node, service)
    if not args.no_wait:
        services.wait_ready(state, [(node, service)])
        if service == "vault":
            vault.unseal(state, node)


def _signal(name):
    if name.isdigit():
        return signal.Signals(int(name))
    try:
        return signal.Signals["SIG" + name.upper().removeprefix("SIG")]
    except KeyError:
        raise LabError(f"no signal '{name}'") from None


def cmd_logs(args):
    node, service = split_target(args.target)
    if not service:
        raise LabError("logs NODE:SERVICE")
    path = services.log_path(node, service)
    if not path.exists():
        raise LabError(f"{args.target} has no log: it was never started")
    command = ["tail", "-n", "+1", *(["-F"] if args.follow else []), str(path)]
    sys.exit(subprocess.run(command).returncode)


def cmd_images(args):
    """Imports images: NODE NAME... ; an image is bev/NAME."""
    State.running()
    engine.import_images([(args.node, name) for name in args.names], say)


def parser():
    top = argparse.ArgumentParser(
        prog="lab",
        description="Three nodes of a mesh on this machine.",
        epilog=f"State, logs and sockets are in {STATE} (BEVMESH_LAB_DIR).",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name, run, text):
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    up = verb("up", cmd_up, "start the lab")
    up.add_argument("--no-daemon", action="store_true", help="everything but bevmesh on the nodes")
    up.add_argument(
        "--binary", default=str(ROOT / "build/bevmesh"), help="bevmesh (default: build/bevmesh)"
    )
    up.add_argument(
        "--config", default=str(lab.DAEMON_CONFIG), help="configuration (default: config/bev.yaml)"
    )
    up.add_argument(
        "--script-checks", action="store_true", help="let Consul run script and docker checks"
    )
    up.add_argument(
        "--vault", action="store_true", help="with three servers of OpenBao, unsealed"
    )
    up.add_argument("--replace", action="store_true", help="take a running lab down first")
    verb("down", cmd_down, "stop and remove everything of the lab, also of one that was killed")
    verb("status", cmd_status, "nodes, services, cuts").add_argument("--json", action="store_true")

    run = verb("exec", cmd_exec, "run a command as if on a node")
    run.add_argument("node", type=check_node, metavar="NODE")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND...")

    cut = verb("cut", changing(do_cut), "nothing from A reaches B, nor from B A")
    cut.add_argument("a", type=check_node, metavar="A")
    cut.add_argument("b", type=check_node, metavar="B")
    cut.add_argument("--one-way", action="store_true", help="only from A to B")
    unplug = verb(
        "unplug",
        changing(lambda state, args: faults.unplug(state, args.node)),
        "take a node's cable out",
    )
    unplug.add_argument("node", type=check_node, metavar="NODE")
    verb("heal", changing(lambda state, args: faults.heal(state)), "make all links whole")
    verb("freeze", changing(do_freeze), "stop a node or a service without ending it").add_argument(
        "target"
    )
    verb("thaw", changing(do_thaw), "continue what was frozen").add_argument("target", nargs="?")
    kill = verb("kill", changing(do_kill), "send a signal to a service (default KILL)")
    kill.add_argument("target", metavar="NODE:SERVICE")
    kill.add_argument("signal", nargs="?", default="KILL")
    start = verb("start", changing(do_start), "start a service that ended")
    start.add_argument("target", metavar="NODE:SERVICE")
    start.add_argument("--no-wait", action="store_true", help="do not wait until it answers")
    crash = verb(
        "crash", changing(lambda state, args: nodes.crash(state, args.node)), "cut a node's power"
    )
    crash.add_argument("node", type=check_node, metavar="NODE")
    boot = verb(
        "boot",
        changing(lambda state, args: lab.boot(state, args.node, say)),
        "start a crashed node",
    )
    boot.add_argument("node", type=check_node, metavar="NODE")
    logs = verb("logs", cmd_logs, "the log of a service")
    logs.add_argument("target", metavar="NODE:SERVICE")
    logs.add_argument("-f", "--follow", action="store_true")
    images = verb("import", cmd_images, "import images bev/NAME into a node's engine")
    images.add_argument("node", type=check_node, metavar="NODE")
    images.add_argument("names", nargs="+", metavar="NAME")
    bev.add_commands(verb, say)
    return top


def main():
    try:
        args = parser().parse_args()
        args.run(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
