"""A client that writes: one SET after the other, each with a key of its own, 5 ms apart.

  writer.py NAME HOST PORT      HOST: an address, or a name that is looked up for each connection

A line for each write on stdout, "TIME KEY WHAT": ok, no (an error reply), lost (no answer: it may
or may not have been carried out) or down (nothing was sent). A new connection after everything but
ok.
"""

import socket
import sys
import time

PAUSE = 0.005
LIMIT = 0.25


def connect(host, port):
    address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    sock = socket.create_connection(address, LIMIT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def write(sock, key):
    command = f"*3\r\n$3\r\nSET\r\n${len(key)}\r\n{key}\r\n$1\r\n1\r\n"
    sock.sendall(command.encode())
    answer = sock.recv(512)
    if not answer:
        raise ConnectionResetError
    return "ok" if answer.startswith(b"+OK") else "no"


def main(name, host, port):
    sock = None
    number = 0
    while True:
        number += 1
        key = f"w:{name}:{number}"
        what = "down"
        try:
            if sock is None:
                sock = connect(host, int(port))
            what = "lost"
            what = write(sock, key)
        except OSError:
            pass
        print(f"{time.monotonic():.6f} {key} {what}", flush=True)
        if what != "ok" and sock is not None:
            sock.close()
            sock = None
        time.sleep(PAUSE)


main(*sys.argv[1:])
