"""What an operator has configured: the wait after an automatic move, and hooks."""

import contextlib
import signal
from datetime import datetime, timezone

from harness import check, equal, fault, holds, until
from load import Load
from redis_group import GROUP


@contextlib.contextmanager
def _configured(lab, old, new):
    """Both members' daemons with another text in the group's configuration, restarted; and back."""
    files = {node: node.files / "etc/bevmesh/bevmesh.yaml" for node in lab.group.members}
    kept = {node: path.read_text() for node, path in files.items()}

    def restart():
        for node in files:
            lab.restart(node)
        until("all is whole", lab.group.healthy, 30)

    try:
        for node, path in files.items():
            path.write_text(kept[node].replace(old, new, 1))
        restart()
        yield
    finally:
        # First of all: nothing else writes it anew, and every later fault would run with it.
        for node, path in files.items():
            path.write_text(kept[node])
        lab.heal_and_join()  # a test that failed may have left a link cut, or a daemon ended
        restart()


@fault
def redis_damping(lab):
    """After an automatic move the next one waits for its time, or for an operator's `ack`."""
    group = lab.group
    with _configured(lab, "block: 0s", "block: 1h"):
        with Load(lab, moves=2) as load:
            load.steady()
            first, second = group.primary(), group.replica()
            group.signal(first, signal.SIGKILL)
            load.served_by(second)
            until("both are whole", group.healthy, 25)
            # A death that is seen is no guess: only a primary that is merely silent is waited for.
            lab.unplug(second)
            until("it says why", lambda: "failover ack" in group.view(first)["told"], 20)
            holds("it waits", lambda: group.view(first)["stage"] != "serving", 4)
            equal(lab.starlord.cli("failover", "ack", GROUP, "--yes")[0], 0, "ack")
            load.served_by(first, 20)
            lab.heal_and_join()
            until("all is whole", group.healthy, 40)


@contextlib.contextmanager
def _removed_after(nodes, path):
    try:
        yield
    finally:
        for node in nodes:
            node.exec("rm", "-f", path)


@fault
def redis_hook_vetoes(lab):
    """A hook before a move forbids it: a switchover is refused with its reason, and a node whose
    hook fails takes nothing over; when the hook allows it, it does."""
    group = lab.group
    flag = "/run/bevmesh-hook-allows"
    hooks = f"block: 0s\n    hooks: {{before: [test, -e, {flag}]}}"
    with _configured(lab, "block: 0s", hooks), _removed_after(group.members, flag):
        with Load(lab) as load:
            load.steady()
            old, new = group.primary(), group.replica()
            ordered = _utc()
            group.move(new)
            until("it says who forbids it", lambda: _told(group, old, "hook", ordered), 10)
            load.steady()
            equal(group.primary(), old, "the primary")
            killed = _utc()
            group.signal(old, signal.SIGKILL)
            until("the taker says who forbids it", lambda: _told(group, new, "hook", killed), 15)
            check(group.serving() is not new, "it took over in spite of its hook")
            for node in group.members:
                node.exec("touch", flag)
            load.anybody_serves(30)
            until("all is whole", group.healthy, 30)


def _utc():
    """As the history writes it, but for the letter at the end."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def _told(group, node, word, since):
    """Whether it was `node` itself, and since then: the history is the members' common one."""
    return any(
        word in line["text"] and line["node"] == node.name and line["at"] >= since
        for line in group.history(node)
    )
