"""A client that makes a new connection every few milliseconds, run as a program on a node:
client.py FOLDER ADDRESS:PORT...

To each Redis in turn, by mutual TLS with the files that FOLDER/current has at that moment. Ends
when its standard input does, but not before it has made enough to have seen what came of it, and
prints how many connections were good, and why others were not.
"""

import os
import select
import socket
import ssl
import sys
from collections import Counter
from pathlib import Path

INTERVAL = 0.005
PATIENCE = 5
LEAST = 100


def ping(generation, address, port):
    context = ssl.create_default_context(cafile=str(generation / "ca.pem"))
    context.load_cert_chain(generation / "cert.pem", generation / "key.pem")
    with (
        socket.create_connection((address, port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="redis.service.consul") as secure,
    ):
        secure.sendall(b"PING\r\n")
        if secure.recv(64) != b"+PONG\r\n":
            raise OSError("no PONG")
        return secure.getpeercert()["serialNumber"]


def main(folder, *targets):
    good, bad, serials = 0, Counter(), set()
    while good + bad.total() < LEAST or not select.select([sys.stdin], [], [], INTERVAL)[0]:
        for target in targets:
            address, _, port = target.partition(":")
            try:
                serials.add(ping(folder / os.readlink(folder / "current"), address, int(port)))
                good += 1
            except OSError as error:
                bad[f"{target}: {error}"] += 1
    print(f"{good} new connections, {len(serials)} certificates seen, {bad.total()} failed")
    for why, times in bad.items():
        print(f"{times} times {why}")


main(Path(sys.argv[1]), *sys.argv[2:])
