"""The containers of the double: what state each is in, and the events that a change of it makes.

A change is told by the same events, in the same order, as the recorded engine told it.
"""

import hashlib
import random
import time

from .templates import EventSamples, Kind, compact, fill

RUNNING = ("running", "starting", "healthy", "unhealthy")
KINDS = ("created", "running", "paused", "restarting", "exited", "starting", "healthy", "unhealthy")


class Refused(Exception):
    """The engine would not do that; its sentence."""


class Container:
    def __init__(self, k, options):
        self.k = k
        self.generation = 0
        self.name = options.container_name.format(k=k)
        self.port = options.port + k
        self.ip = f"172.30.{(k + 2) // 256}.{(k + 2) % 256}"
        self.labels = dict(label.format(k=k).split("=", 1) for label in options.label)
        self.env = [value.format(k=k) for value in options.env]
        self.seed = options.seed
        self.kind = "created"
        self.born()

    def born(self):
        self.id = hashlib.sha256(f"{self.seed}/{self.k}/{self.generation}".encode()).hexdigest()
        self.created = time.time()
        self.started = self.created


def age(seconds):
    """As Docker words it (go-units HumanDuration)."""
    seconds = int(seconds)
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    if seconds < 120:
        return "About a minute"
    if seconds < 3600:
        return f"{seconds // 60} minutes"
    return "About an hour" if seconds < 5400 else f"{(seconds + 1800) // 3600} hours"


def rfc3339(seconds):
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e9):09d}Z"
    )


class Containers:
    def __init__(self, options, hub, ports):
        self.hub, self.ports = hub, ports
        self.kinds = {name: Kind(name) for name in KINDS}
        self.samples = EventSamples()
        self.up_kind = "healthy" if options.healthcheck else "running"
        self.all = [Container(k, options) for k in range(options.containers)]
        self.by_id = {}
        for container in self.all:
            self._become(container, self.up_kind)
            self.by_id[container.id] = container

    def find(self, key):
        """By id, by name, or by the only id that begins so."""
        if key in self.by_id:
            return self.by_id[key]
        for container in self.by_id.values():
            if container.name == key.lstrip("/"):
                return container
        begins = [
            container
            for id, container in self.by_id.items()
            if len(key) >= 4 and id.startswith(key)
        ]
        return begins[0] if len(begins) == 1 else None

    def entries(self, everything, statuses):
        now = time.time()
        for container in self.by_id.values():
            kind = self.kinds[container.kind]
            status = container.kind if container.kind not in RUNNING else "running"
            if (status in statuses) if statuses else (everything or kind.listed_by_default):
                yield self._fill(kind.entry, container, now)

    def inspect(self, container):
        return self._fill(self.kinds[container.kind].inspect, container, time.time())

    @staticmethod
    def _fill(template, container, now):
        return fill(
            template,
            {
                "ID": container.id,
                "NAME": container.name,
                "PORT": str(container.port),
                "IP": container.ip,
                "LABELS": compact(dict(sorted(container.labels.items()))),
                "ENV": compact(container.env),
                "STARTED": rfc3339(container.started),
                "CREATED": str(int(container.created)),
                "ENDPOINT": container.id[::-1],
                "AGE": age(now - container.started),
            },
        )

    def _become(self, container, kind):
        container.kind = kind
        self.ports.set(container.port, kind in RUNNING or kind == "paused")

    def _tell(self, container, action, kind="container", **extra):
        self.hub.publish(*self.samples.make(container, kind, action, extra))

    # Each as the verb of Docker's command line; Refused when the state does not allow it.

    def start(self, container):
        self._need(container, "created", "exited", "restarting")
        container.started = time.time()
        self._become(container, self.up_kind)
        self._tell(container, "connect", "network")
        self._tell(container, "start")

    def die(self, container, into="exited"):
        self._need(container, *RUNNING, "paused")
        self._become(container, into)
        self._tell(container, "die", exitCode="137")
        self._tell(container, "disconnect", "network")

    def kill(self, container):
        self._need(container, *RUNNING)
        self._tell(container, "kill", signal="9")
        self.die(container)

    def crash(self, container):
        """Ends, and its restart policy waits to start it again."""
        self.die(container, "restarting")

    def pause(self, container):
        self._need(container, *RUNNING)
        self._become(container, "paused")
        self._tell(container, "pause")

    def unpause(self, container):
        self._need(container, "paused")
        self._become(container, self.up_kind)
        self._tell(container, "unpause")

    def health(self, container, status):
        """starting, healthy, unhealthy; `none` is a container without a HEALTHCHECK."""
        self._need(container, *RUNNING)
        kind = {"none": "running"}.get(status, status)
        if kind not in RUNNING:
            raise Refused(f"no health '{status}'")
        changed = kind != container.kind
        self._become(container, kind)
        if changed and kind in ("healthy", "unhealthy"):
            self._tell(container, f"health_status: {kind}")

    def rename(self, container, name):
        attributes = {"oldName": "/" + container.name}
        container.name = name
        self._tell(container, "rename", **attributes)

    def exec(self, container):
        """An exec in the container: three events that change nothing."""
        self._need(container, *RUNNING)
        self._tell(container, "exec_create: /bin/true")
        self._tell(container, "exec_start: /bin/true")
        self._tell(container, "exec_die", exitCode="0")

    def recreate(self, container):
        """Removed and run again under the same name: another id."""
        if container.kind in RUNNING or container.kind == "paused":
            self.die(container)
        self.remove(container)
        container.generation += 1
        container.born()
        container.kind = "created"
        self.by_id[container.id] = container
        self._tell(container, "create")
        self.start(container)

    def remove(self, container):
        if container.id not in self.by_id:
            raise Refused(f"No such container: {container.id}")
        if container.kind in RUNNING or container.kind == "paused":
            self.die(container)
        del self.by_id[container.id]
        self._tell(container, "destroy")

    async def burst(self, count, seed):
        """At least `count` events as fast as the reader takes them; every one of them changes a
        state."""
        chance = random.Random(seed)
        until = self.hub.published + count
        while self.hub.published < until:
            container = chance.choice(self.all)
            if container.id not in self.by_id:
                continue
            if container.kind in ("exited", "restarting", "created"):
                self.start(container)
            elif container.kind == "paused":
                chance.choice((self.unpause, self.die))(container)
            else:
                chance.choice((self.die, self.die, self.crash, self.pause))(container)
            await self.hub.drained()

    @staticmethod
    def _need(container, *kinds):
        if container.kind not in kinds:
            raise Refused(f"container {container.k} is {container.kind}")
