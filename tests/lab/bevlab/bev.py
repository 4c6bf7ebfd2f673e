"""`lab bev`: starts and removes the containers of the BEV mesh on the lab's engines."""

import json
from concurrent.futures import ThreadPoolExecutor

from . import engine
from .containers import CONTAINERS
from .layout import NODES, LabError
from .state import State


def _chosen(names):
    known = {container.name for container in CONTAINERS}
    if unknown := sorted(set(names) - known):
        raise LabError(f"no container {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [container for container in CONTAINERS if not names or container.name in names]


def up(names, progress):
    """Starts them, those that exist already too; each node in order, the nodes side by side."""
    booted = State.running().booted()
    chosen = [container for container in _chosen(names) if container.node in booted]
    images = dict.fromkeys((container.node, container.image) for container in chosen)
    engine.import_images(images, progress)
    _on_each_node(chosen, _start)
    progress(f"{len(chosen)} containers started")


def down(names, progress):
    booted = State.running().booted()
    chosen = [container for container in _chosen(names) if container.node in booted]
    _on_each_node(
        chosen,
        lambda container: engine.docker(
            container.node, "rm", "--force", "--volumes", container.name, check=False
        ),
    )
    progress(f"{len(chosen)} containers removed")


def _start(container):
    state = engine.docker(
        container.node, "inspect", "--format", "{{.State.Running}}", container.name, check=False
    )
    if state.returncode:
        engine.docker(container.node, "run", *container.run_arguments())
    elif state.stdout.strip() != "true":
        engine.docker(container.node, "start", container.name)


def _on_each_node(containers, action):
    def work(node):
        for container in containers:
            if container.node == node:
                action(container)

    with ThreadPoolExecutor(len(NODES)) as pool:
        list(pool.map(work, NODES))


def show(as_json):
    rows = [
        {
            "node": container.node,
            "name": container.name,
            "image": "bev/" + container.image,
            "network": container.network,
            "ports": container.ports,
            "stand_in": container.is_stand_in,
        }
        for container in CONTAINERS
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        ports = " ".join(f"{outer}:{inner}" for outer, inner in row["ports"].items())
        print(f"{row['node']:9} {row['name']:24} {row['image']:13} {ports}")


def add_commands(verb, say):
    def run(args):
        if args.action == "list":
            show(args.json)
        else:
            (up if args.action == "up" else down)(args.names, say)

    bev = verb("bev", run, "the containers of the BEV mesh: start, remove, list")
    bev.add_argument("action", choices=["up", "down", "list"])
    bev.add_argument("names", nargs="*", metavar="NAME")
    bev.add_argument("--json", action="store_true", help="for list")
