"""The lab as the latency bench needs it: up, watchers on its nodes, a container's life through its
engine."""

import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from pathlib import Path

from . import ROOT

LAB = ROOT / "tests/lab/lab"


class Lab:
    """A lab of its own, in its own directory; taken down at the end."""

    def __init__(self, binary):
        self.home = Path(os.environ.get("BEVMESH_BENCH_LAB", "/var/tmp/bevmesh-bench-lab"))
        self.environment = {**os.environ, "BEVMESH_LAB_DIR": str(self.home)}
        self.binary = binary
        self.watchers = []

    def __enter__(self):
        self("up", "--replace", "--binary", str(self.binary))
        return self

    def __exit__(self, *_):
        for watcher in self.watchers:
            watcher.close()
        self("down")

    def __call__(self, *words):
        return subprocess.run(
            [str(LAB), *words], env=self.environment, check=True, text=True, stdout=subprocess.PIPE
        ).stdout

    def status(self):
        return json.loads(self("status", "--json"))

    def leader(self):
        return {node["leader"] for node in self.status().values()}

    def watcher(self, node):
        self.watchers.append(
            Watcher(
                [
                    str(LAB),
                    "exec",
                    node,
                    "--",
                    sys.executable,
                    str(Path(__file__).with_name("watcher.py")),
                ],
                self.environment,
            )
        )
        return self.watchers[-1]

    def engine(self, node):
        return Engine(self.home / node / "run/docker.sock")


class Watcher:
    """watcher.py on a node. begin() returns when it watches; found() waits for the end."""

    def __init__(self, argv, environment):
        self.process = subprocess.Popen(
            argv,
            env=environment,
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _ask(self, command):
        self.process.stdin.write(command + "\n")
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a watcher ended")
        return json.loads(line)

    def begin(self, command):
        self._ask(command)

    def found(self):
        """(when, or None; at which try)"""
        answer = self._answer()
        return answer["at"], answer["tries"]

    def put(self, path, body=None):
        answer = self._ask(f"put {path} {json.dumps(body) if body else ''}")
        if answer["status"] != 200:
            raise RuntimeError(f"PUT {path}: {answer['status']}")
        return answer

    def close(self):
        self.process.kill()
        self.process.wait()


class Engine:
    """Docker's API; events of containers arrive in the background."""

    def __init__(self, path):
        self.path = path
        self.connection = self._connect()
        self.events = queue.Queue()
        threading.Thread(target=self._follow, args=(self._connect(),), daemon=True).start()
        self.events.get(timeout=10)  # the stream is open

    def _connect(self):
        connection = http.client.HTTPConnection("docker")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.path))
        return connection

    def __call__(self, method, path, body=None):
        self.connection.request(
            method,
            path,
            json.dumps(body) if body is not None else None,
            {"Content-Type": "application/json"},
        )
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text.strip() else None

    def _follow(self, connection):
        connection.request("GET", "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D")
        answer = connection.getresponse()
        self.events.put(None)
        try:
            for line in answer:
                self.events.put(json.loads(line))
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the lab went down

    def event_at(self, container, action):
        """timeNano of the container's next event of that kind."""
        while True:
            event = self.events.get(timeout=30)
            if event["Actor"]["ID"] == container and event["Action"] == action:
                return event["timeNano"]
