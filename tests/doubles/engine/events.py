"""The event stream: filters, the last 256 events, and a reader that is too slow, as in moby.

moby (daemon/events, pubsub) keeps 256 events for `since`, and drops an event for a reader whose
buffer stays full for 100 ms. Here the reader's buffer is the connection's.
"""

import asyncio
import collections
import json
import time


class Filter:
    """The `filters` parameter of /events, in both of its notations."""

    FUZZY = {"health_status", "exec_create", "exec_start"}
    KNOWN = {"type", "event", "container", "scope"}

    def __init__(self, text):
        self.wanted = json.loads(text) if text else {}
        for key, values in self.wanted.items():
            if key not in self.KNOWN:
                raise ValueError(f"Invalid filter '{key}'")
            self.wanted[key] = set(values)
        # One such word and every word of the filter is a prefix (moby daemon/events/filter.go).
        self.prefixes = bool(self.wanted.get("event", set()) & self.FUZZY)

    def __call__(self, event):
        actor = event["Actor"]
        return (
            self._has("type", event["Type"])
            and self._has("scope", "local")
            and self._action(event["Action"])
            and (
                self._has("container", actor["ID"])
                or self._has("container", actor["Attributes"]["name"])
            )
        )

    def _has(self, key, value):
        return key not in self.wanted or value in self.wanted[key]

    def _action(self, action):
        wanted = self.wanted.get("event")
        if not wanted or action in wanted:
            return True
        return self.prefixes and any(action.startswith(word) for word in wanted)


class Hub:
    KEPT = 256
    PATIENCE = 0.1

    def __init__(self):
        self.readers = {}  # stream → filter
        self.kept = collections.deque(maxlen=self.KEPT)
        self.to_lose = 0
        self.published = self.lost = self.dropped = self.sent = 0
        self.last_nano = 0

    def publish(self, text, event):
        nano = max(time.time_ns(), self.last_nano + 1)
        self.last_nano = nano
        self.published += 1
        line = f'{text},"time":{nano // 10**9},"timeNano":{nano}}}\n'.encode()
        self.kept.append((nano, line, event))
        if self.to_lose:
            self.to_lose -= 1
            self.lost += 1
            return
        for stream, wanted in self.readers.items():
            if wanted(event):
                self._send(stream, line)

    def _send(self, stream, line):
        if stream.write_chunk(line):
            self.sent += 1
        else:
            self.dropped += 1

    def subscribe(self, stream, wanted, since_nano):
        for nano, line, event in list(self.kept):
            if since_nano and nano >= since_nano and wanted(event):
                self._send(stream, line)
        self.readers[stream] = wanted

    def unsubscribe(self, stream):
        self.readers.pop(stream, None)

    async def drained(self):
        """Lets readers read; waits for a slow one as long as moby does."""
        end = time.monotonic() + self.PATIENCE
        await asyncio.sleep(0)
        while any(stream.full() for stream in self.readers) and time.monotonic() < end:
            await asyncio.sleep(0.001)

    def close_streams(self, abrupt):
        for stream in list(self.readers):
            stream.finish(abrupt)

    def forget(self):
        """A restarted engine knows no event of its former life."""
        self.kept.clear()
