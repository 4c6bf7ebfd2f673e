"""A client that writes every 5 ms, run as a program on a node:
writer.py NAME TARGET PORT FILE [redis|postgres]

TARGET is an address, or a name that the node's resolver is asked for at each new connection. One
line a write goes to FILE, `NUMBER SENT ENDED KIND WHERE ERROR`, with instants of CLOCK_BOOTTIME in
nanoseconds: all nodes of the lab share that clock. KIND: acked; refused, so certainly without
effect; unknown, when a sent write has no answer; nobody, when there was no connection to send on.
ERROR: the server's word for it, such as NOREPLICAS or 25006; - where it said none. Ends at SIGTERM.
By TLS where WRITER_TLS is there, with the files in that directory.
"""

import ipaddress
import os
import random
import signal
import socket
import struct
import sys
import time
from pathlib import Path

import client_tls
import libpq
from dns import A, answers, question
from resp import Connection, ReplyError

INTERVAL = 0.005
NO_ERROR = "-"
CONNECT = 0.25  # patience for a connection, and for an answer
ANSWER = 0.5
FILES = Path(os.environ["WRITER_TLS"]) if "WRITER_TLS" in os.environ else None
PATIENCE = 100  # refusals in a row on one connection


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def address_of(target):
    try:
        return str(ipaddress.ip_address(target))
    except ValueError:
        pass
    number, query = question(target, A)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(CONNECT)
        sock.sendto(query, ("127.0.0.1", 53))
        found = answers(sock.recv(4096), number, A)
    if not found:
        raise OSError(f"{target} has no address")
    return random.choice(found)


def connect(where, port):
    sock = socket.create_connection((where, port), CONNECT)
    # A lab makes many; none may be left to wait for its end.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if FILES:
        sock = client_tls.wrap(sock, where, FILES)
    sock.settimeout(ANSWER)
    return Connection(sock)


class Redis:
    def __init__(self, where, port, name):
        self.key = f"written:{name}"
        self.talk = connect(where, port)
        self.refusals = 0

    def add(self, number):
        """(what became of it, the server's word, whether the connection is still good)"""
        try:
            self.talk.ask("RPUSH", self.key, number)
            self.refusals = 0
            return "acked", NO_ERROR, True
        except ReplyError as error:
            # READONLY for ever on this connection; a loading or gated server may yet take writes,
            # and if it does not, the name may mean another by now.
            self.refusals += 1
            word = str(error).partition(" ")[0]
            waits = word in ("NOREPLICAS", "LOADING")
            return "refused", word or NO_ERROR, waits and self.refusals <= PATIENCE
        except (OSError, ValueError):
            return "unknown", NO_ERROR, False

    def close(self):
        self.talk.sock.close()


class Postgres:
    # Classes of SQLSTATE of what was not written for sure: read-only, and what is wrong with it.
    REFUSED = ("25", "42", "23")

    def __init__(self, where, port, name):
        self.name = name
        self.connection = libpq.Connection(where, port, files=FILES)

    def add(self, number):
        try:
            self.connection.query(f"insert into written values ('{self.name}', {number})")
            return "acked", NO_ERROR, True
        except libpq.QueryError as error:
            refused = error.state.startswith(self.REFUSED)
            return ("refused" if refused else "unknown"), error.state, False
        except OSError:
            return "unknown", NO_ERROR, False

    def close(self):
        self.connection.close()


KINDS = {"redis": Redis, "postgres": Postgres}


class Writer:
    def __init__(self, name, target, port, out, kind):
        self.name = name
        self.target = target
        self.port = port
        self.out = out
        self.kind = KINDS[kind]
        self.client = None
        self.where = "-"

    def write(self, number):
        sent = now()
        try:
            if not self.client:
                self.where = address_of(self.target)
                self.client = self.kind(self.where, self.port, self.name)
        except (OSError, ValueError, struct.error):
            return sent, "nobody", NO_ERROR
        became, error, good = self.client.add(number)
        if not good:
            self.client.close()
            self.client = None
        return sent, became, error

    def run(self):
        number = 0
        due = time.monotonic()
        while not stopped:
            number += 1
            sent, kind, error = self.write(number)
            self.out.write(f"{number} {sent} {now()} {kind} {self.where} {error}\n")
            due = max(due + INTERVAL, time.monotonic() - INTERVAL)
            time.sleep(max(0, due - time.monotonic()))
        self.out.close()


stopped = []


def main(name, target, port, path, kind="redis"):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    with open(path, "w", buffering=1) as out:
        Writer(name, target, int(port), out, kind).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
