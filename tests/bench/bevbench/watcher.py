"""Runs on a node of the lab and takes times there; commands on stdin, one JSON answer a line.

  dns NAME present|absent SECONDS   the first answer that has the name (has it not), asked once a
                                    millisecond: "watching" after the first question, then its time
  port ADDRESS PORT SECONDS         the same for a TCP port: when the first connect that succeeds
                                    was begun, and how many it took
  put PATH BODY                     to the node's Consul: when it was sent, and when answered
Times are CLOCK_REALTIME in ns, as the engine's timeNano.
"""

import http.client
import json
import os
import socket
import struct
import sys
import time

PACE = 0.001


def say(value):
    print(json.dumps(value), flush=True)


def question(number, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return (
        struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    )


def until(condition, seconds):
    """Calls `condition`, once a PACE, until it returns a time; the first call comes before
    "watching"."""
    end = time.monotonic() + float(seconds)
    tries = 0
    while True:
        began = time.monotonic()
        found = condition()
        tries += 1
        if tries == 1:
            say({"watching": True})
        if found or began > end:
            say({"at": found or None, "tries": tries})
            return
        time.sleep(max(0.0, PACE - (time.monotonic() - began)))


def dns(name, wanted, seconds):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.settimeout(0.2)
        resolver.connect(("127.0.0.1", 53))
        number = 0

        def answered():
            nonlocal number
            number = (number + 1) & 0xFFFF
            resolver.send(question(number, name))
            try:
                while (answer := resolver.recv(2048))[:2] != number.to_bytes(2, "big"):
                    pass
            except OSError:
                return 0
            at = time.time_ns()
            code, answers = answer[3] & 15, int.from_bytes(answer[6:8], "big")
            if code not in (0, 3):
                return 0
            return at if (answers > 0) == (wanted == "present") else 0

        until(answered, seconds)


def port(address, number, seconds):
    def connected():
        with socket.socket() as probe:
            at = time.time_ns()
            return at if probe.connect_ex((address, int(number))) == 0 else 0

    until(connected, seconds)


class Consul:
    connection = None

    def put(self, path, body):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", 8500)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = time.time_ns()
        self.connection.request(
            "PUT", path, body or None, {"X-Consul-Token": os.environ["CONSUL_HTTP_TOKEN"]}
        )
        answer = self.connection.getresponse()
        answer.read()
        say({"at": sent, "answered": time.time_ns(), "status": answer.status})


def main():
    consul = Consul()
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        if verb == "put":
            path, _, body = rest.partition(" ")
            consul.put(path, body)
        else:
            {"dns": dns, "port": port}[verb](*rest.split())


main()
