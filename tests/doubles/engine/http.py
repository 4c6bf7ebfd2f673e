"""The engine's HTTP side: a unix socket, versions, routes, recorded heads and errors."""

import asyncio
import collections
import email.utils
import json
import os
import re
import urllib.parse

from .events import Filter
from .templates import compact, load

_MESSAGES = {
    400: "Bad Request",
    404: "Not Found",
    409: "Conflict",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
# What an engine that speaks up to API 1.52 takes (Docker 29), and what it no longer says in
# NetworkSettings (moby api/docs/CHANGELOG.md).
_OLDEST = {"1.41": (1, 12), "1.52": (1, 44)}
_REMOVED_SETTINGS = """Bridge HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen
    SecondaryIPAddresses SecondaryIPv6Addresses EndpointID Gateway GlobalIPv6Address
    GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress""".split()
_PING, _LIST, _BAD_FILTER, _MISSING, _PAGE, _OLD, _NEW = (
    "GET /_ping",
    "GET /v1.41/containers/json",
    "GET /v1.41/containers/json?filters=nosuch",
    "GET /v1.41/containers/nosuch/json",
    "GET /v1.41/nosuch",
    "GET /v1.11/info",
    "GET /v1.99/info",
)


class Engine:
    """The listening side; what misbehaviour is asked for; what was asked of us."""

    def __init__(self, options, containers, hub):
        self.options, self.containers, self.hub = options, containers, hub
        self.answers = load("answers.json")
        self.answers["GET /v1.41/info"]["body"] = self._info(options.name)
        self.event_head = load("events.json")
        self.api = "1.41"
        self.requests = collections.Counter()
        self.order = collections.deque(maxlen=1000)  # the last ones, as they came
        self.connections = set()
        self.slow = 0.0  # seconds before each answer
        self.failing = []  # [how many left, status, part of the path]
        self.server = None

    def _info(self, name):
        info = json.loads(self.answers["GET /v1.41/info"]["body"])
        info["Name"] = name
        return compact(info) + "\n"

    async def up(self):
        loop = asyncio.get_running_loop()
        if os.path.exists(self.options.socket):
            os.unlink(self.options.socket)
        self.server = await loop.create_unix_server(
            lambda: Connection(self), self.options.socket, backlog=512
        )

    def down(self):
        """As a killed engine: every connection is gone, the socket's file stays and refuses."""
        self.server.close()
        self.server = None
        for connection in list(self.connections):
            connection.transport.abort()
        self.hub.forget()

    def upgrade(self, api):
        """Another engine over the same containers, which speaks up to this version."""
        if api not in _OLDEST:
            raise ValueError(f"no API {api} here; there are {', '.join(_OLDEST)}")
        self.api = api
        self.containers.samples.tell_legacy_fields(api == "1.41")

    def misbehaves(self, path):
        """The status to answer instead, or None."""
        for failing in self.failing:
            if failing[0] > 0 and failing[2] in path:
                failing[0] -= 1
                return failing[1]
        return None

    def answer(self, method, target):
        """(recorded head, status, reason, body) of anything but /events."""
        path, _, query = target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        if path == "/_ping":
            return self._recorded(f"{method} /_ping" if method == "HEAD" else _PING)
        if method != "GET":
            return self._recorded(_PAGE)
        if path in ("/version", "/info", "/networks"):
            return self._recorded(f"GET /v1.41{path}")
        if path == "/containers/json":
            return self._list(query)
        if match := re.fullmatch(r"/containers/([^/]+)/json", path):
            return self._inspect(urllib.parse.unquote(match[1]))
        return self._recorded(_PAGE)

    def _recorded(self, line, body=None):
        recorded = self.answers[line]
        if self.api != "1.41":
            headers = [
                re.sub("^(Api-Version: ).*", rf"\g<1>{self.api}", header, flags=re.I)
                for header in recorded["headers"]
            ]
            recorded = {**recorded, "headers": headers}
        return (
            recorded,
            recorded["status"],
            recorded["reason"],
            recorded["body"] if body is None else body,
        )

    def error(self, status, message):
        return self.answers[_LIST], status, _MESSAGES[status], compact({"message": message}) + "\n"

    def _list(self, query):
        try:
            filters = {
                key: set(values) for key, values in json.loads(query.get("filters") or "{}").items()
            }
        except ValueError:
            return self._recorded(_BAD_FILTER)
        unknown = sorted(set(filters) - {"status"})
        if unknown:
            return self.error(400, f"Invalid filter '{unknown[0]}'")
        everything = query.get("all", "").lower() not in ("", "0", "no", "false", "none")
        entries = self.containers.entries(everything, filters.get("status"))
        return self._recorded(_LIST, "[" + ",".join(entries) + "]\n")

    def _inspect(self, key):
        container = self.containers.find(key)
        if container is None:
            return self._recorded(
                _MISSING, compact({"message": f"No such container: {key}"}) + "\n"
            )
        answer = self.containers.inspect(container)
        if self.api != "1.41":
            told = json.loads(answer)
            for key in _REMOVED_SETTINGS:
                del told["NetworkSettings"][key]
            answer = compact(told)
        return self._recorded(_LIST, answer + "\n")

    def version_problem(self, version):
        """The recorded refusal of a version that the engine does not speak, or None."""
        number = tuple(int(part) for part in version.split("."))
        oldest, newest = _OLDEST[self.api], tuple(int(part) for part in self.api.split("."))
        for line, wrong in ((_OLD, number < oldest), (_NEW, number > newest)):
            if wrong:
                recorded_version = re.match(r"GET /v([\d.]+)/", line)[1]
                text = self.answers[line]["body"].replace(recorded_version, version)
                text = text.replace("is 1.12", "is {}.{}".format(*oldest))
                return self._recorded(line, text.replace("is 1.41", f"is {self.api}"))
        return None


class Connection(asyncio.Protocol):
    """One client's connection: requests one after another; after /events nothing but the stream."""

    def __init__(self, engine):
        self.engine = engine
        self.buffer = b""
        self.busy = False
        self.streaming = False
        self.paused = False

    def connection_made(self, transport):
        self.transport = transport
        self.engine.connections.add(self)

    def connection_lost(self, _error):
        self.engine.connections.discard(self)
        self.engine.hub.unsubscribe(self)

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False

    def data_received(self, data):
        self.buffer += data
        self._next()

    def _next(self):
        while not self.busy and not self.streaming and b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:])
            }
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, target, _ = lines[0].split(" ", 2)
            close = headers.get("connection", "").lower() == "close"
            self._take(method, target, close)

    def _take(self, method, target, close):
        if not self.engine.slow:
            self._respond(method, target, close)
            return
        self.busy = True
        asyncio.get_running_loop().call_later(
            self.engine.slow, self._respond_late, method, target, close
        )

    def _respond_late(self, method, target, close):
        self.busy = False
        if not self.transport.is_closing():
            self._respond(method, target, close)
            self._next()

    def _respond(self, method, target, close):
        engine = self.engine
        version = re.match(r"/v(\d+\.\d+)(?=/)", target)
        bare = target[version.end() :] if version else target
        path = bare.partition("?")[0]
        asked = f"{method} " + re.sub(r"(?<=/containers/)[^/]+(?=/json)", "ID", path)
        engine.requests[asked] += 1
        engine.order.append(asked)
        problem = engine.version_problem(version[1]) if version else None
        if status := engine.misbehaves(path):
            self._write(*engine.error(status, "the double was told to fail"), method, close)
        elif problem:
            self._write(*problem, method, close)
        elif (method, path) == ("GET", "/events"):
            self._stream(dict(urllib.parse.parse_qsl(bare.partition("?")[2])))
        else:
            self._write(*engine.answer(method, bare), method, close)

    def _write(self, recorded, status, reason, body, method, close):
        body = body.encode()
        lines = [f"HTTP/1.1 {status} {reason}"]
        for line in recorded["headers"]:
            name = line.partition(":")[0]
            if name == "Date":
                line = "Date: " + email.utils.formatdate(usegmt=True)
            if name not in ("Content-Length", "Transfer-Encoding"):
                lines.append(line)
        # The real one sends bodies over 2 KB in chunks, smaller ones with a length.
        if len(body) <= 2048 or method == "HEAD":
            lines.append(f"Content-Length: {len(body)}")
        else:
            lines.append("Transfer-Encoding: chunked")
            body = (
                b"".join(_chunk(body[at : at + 32768]) for at in range(0, len(body), 32768))
                + b"0\r\n\r\n"
            )
        if close:
            lines.append("Connection: close")
        self.transport.write(
            "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else body)
        )
        if close:
            self.transport.close()

    def _stream(self, query):
        try:
            wanted = Filter(query.get("filters"))
            seconds, _, nano = query.get("since", "0").partition(".")
            since = int(seconds or 0) * 10**9 + int((nano + "0" * 9)[:9])
        except ValueError as error:
            self._write(*self.engine.error(400, str(error)), "GET", False)
            return
        recorded = self.engine.event_head
        lines = [f"HTTP/1.1 {recorded['status']} {recorded['reason']}", *recorded["headers"]]
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.transport.set_write_buffer_limits(high=65536)
        self.streaming = True
        self.engine.hub.subscribe(self, wanted, since)

    # What the hub asks of a stream.

    def full(self):
        return self.paused and not self.transport.is_closing()

    def write_chunk(self, line):
        """False when the reader does not take it."""
        if self.paused or self.transport.is_closing():
            return False
        self.transport.write(_chunk(line))
        return True

    def finish(self, abrupt):
        self.engine.hub.unsubscribe(self)
        if abrupt:
            self.transport.abort()
        else:
            self.transport.write(b"0\r\n\r\n")
            self.transport.close()


def _chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)
