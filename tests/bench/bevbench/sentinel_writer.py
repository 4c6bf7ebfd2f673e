"""The writer of the failover tests, with the peer's way to find the primary: at each new connection
the node's own Sentinel is asked.  sentinel_writer.py NAME MASTER PORT FILE KIND"""

import socket
import sys

import writer
from resp import Connection

SENTINEL = ("127.0.0.1", 27379)


def primary_of(master):
    with socket.create_connection(SENTINEL, writer.CONNECT) as sock:
        sock.settimeout(writer.CONNECT)
        found = Connection(sock).ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
    if not found:
        raise OSError(f"Sentinel knows no {master}")
    return found[0]


writer.address_of = primary_of
writer.main(*sys.argv[1:])
