"""The double's second socket: a command a line, a line of JSON back ({"error": ...} if refused).

  start|die|kill|crash|pause|unpause|exec|recreate|remove WHICH     WHICH: 3, 0-99, all
  health WHICH starting|healthy|unhealthy|none · rename WHICH NAME
  burst COUNT [SEED]      answers after the last event
  lose N                  the next N events are published to nobody
  close-events [abrupt] [COMMAND]   ends the event streams; COMMAND on containers comes in the same
                          turn, before anybody can be back
  slow MILLISECONDS       before each answer; 0: at once
  fail N STATUS [PART]    the next N requests whose path contains PART; `fail 0 0` ends it
  engine down|up          containers run on, as with live-restore
  upgrade API             speaks up to this version from now on: 1.41 or 1.52
  state                   id, name, port and state of each container
  stats                   requests by path and in order, events published, sent, lost, dropped
Control (server) runs in the double; EngineControl is what a test holds.
"""

import asyncio
import json
import socket

from .containers import Refused

ON_CONTAINERS = set("start die kill crash pause unpause exec recreate remove health rename".split())


class Control:
    def __init__(self, path, engine, containers, hub):
        self.path, self.engine, self.containers, self.hub = path, engine, containers, hub

    async def serve(self):
        await asyncio.start_unix_server(self._client, self.path)

    async def _client(self, reader, writer):
        while line := await reader.readline():
            try:
                answer = await self._do(line.decode().split()) or {}
            except (Refused, ValueError, IndexError, TypeError, KeyError) as error:
                answer = {"error": f"{line.decode().strip()}: {error}"}
            writer.write((json.dumps(answer) + "\n").encode())
        writer.close()

    async def _do(self, words):
        verb, rest = words[0], words[1:]
        if verb in ON_CONTAINERS:
            return self._on_containers(verb, rest)
        return await getattr(self, "_" + verb.replace("-", "_"))(*rest)

    def _on_containers(self, verb, rest):
        chosen = self._which(rest[0])
        for container in chosen:
            getattr(self.containers, verb)(container, *rest[1:])
        return {"containers": len(chosen), "last_event": self.hub.last_nano}

    def _which(self, text):
        if text == "all":
            return list(self.containers.all)
        first, _, last = text.partition("-")
        return self.containers.all[int(first) : int(last or first) + 1] or _refuse(
            f"no container {text}"
        )

    async def _burst(self, count, seed="0"):
        before = self.hub.published
        await self.containers.burst(int(count), int(seed))
        return {"events": self.hub.published - before, "last_event": self.hub.last_nano}

    async def _lose(self, count):
        self.hub.to_lose = int(count)

    async def _close_events(self, *words):
        abrupt = words[:1] == ("abrupt",)
        self.hub.close_streams(abrupt)
        command = words[abrupt:]
        return self._on_containers(command[0], command[1:]) if command else None

    async def _slow(self, milliseconds):
        self.engine.slow = float(milliseconds) / 1000

    async def _fail(self, count, status, part=""):
        self.engine.failing = [[int(count), int(status), part]]

    async def _engine(self, what):
        if what == "down" and self.engine.server:
            self.engine.down()
        elif what == "up" and not self.engine.server:
            await self.engine.up()

    async def _upgrade(self, api):
        self.engine.upgrade(api)

    async def _state(self):
        alive = self.containers.by_id
        return {
            "containers": [
                {
                    "k": c.k,
                    "id": c.id,
                    "name": c.name,
                    "port": c.port,
                    "state": c.kind if c.id in alive else "removed",
                }
                for c in self.containers.all
            ]
        }

    async def _stats(self):
        hub = self.hub
        return {
            "requests": dict(self.engine.requests),
            "order": list(self.engine.order),
            "published": hub.published,
            "sent": hub.sent,
            "lost": hub.lost,
            "dropped": hub.dropped,
            "readers": len(hub.readers),
        }


def _refuse(why):
    raise Refused(why)


class EngineControl:
    """The test's end: control("die 3") returns the answer; a refusal is a RuntimeError."""

    def __init__(self, engine_socket):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(engine_socket + ".control")
        self.file = self.socket.makefile("rw")

    def __call__(self, command):
        self.file.write(command + "\n")
        self.file.flush()
        line = self.file.readline()
        answer = json.loads(line) if line else {"error": "the engine double is gone"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        self.file.close()
        self.socket.close()
