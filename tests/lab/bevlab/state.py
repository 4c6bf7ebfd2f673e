"""What the lab remembers between two commands: STATE/lab.json, written whole or not at all.

Holds the holder of each node, the services that were started, links that are cut, and the options
of `up`. A lab that was killed has a file that says so: its holders are not alive.
"""

import contextlib
import fcntl
import json
import os

from . import kernel
from .layout import LOCK, NODES, STATE, LabError

FILE = STATE / "lab.json"


@contextlib.contextmanager
def locked():
    """One command changes the lab at a time; others wait."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class State(dict):
    """holders: node → identity; switch: identity; services: "node:service" → identity; options of
    `up`; complete: `up` came to its end.
    """

    @classmethod
    def load(cls):
        try:
            return cls(json.loads(FILE.read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return cls(holders={}, switch=None, services={}, options={}, complete=False)

    @classmethod
    def running(cls):
        """The state of a lab that is up, else an error."""
        state = cls.load()
        if not state["complete"] or not kernel.alive(state["switch"]):
            raise LabError("the lab is not up: run `tests/lab/lab up`")
        return state

    def save(self):
        part = FILE.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self, file, indent=1)
        os.replace(part, FILE)

    def holder(self, node):
        who = self["holders"].get(node)
        if not kernel.alive(who):
            raise LabError(f"{node} is down: `lab boot {node}` starts it")
        return who[0]

    def booted(self):
        return [node for node in NODES if kernel.alive(self["holders"].get(node))]

    def secret(self, name):
        return (STATE / name).read_text().strip()
