"""Shows certificates at ports, one a service: shower.py ADDRESS FIRST_PORT FOLDER SERVICE ...

What is in FOLDER/SERVICE/current is read for every connection, as some programs do.
"""

import selectors
import socket
import ssl
import sys
from pathlib import Path


def show(connection, current):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(current / "cert.pem", current / "key.pem")
    context.load_verify_locations(current / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    connection.settimeout(5)
    with context.wrap_socket(connection, server_side=True) as secure:
        secure.recv(1)


def main():
    address, first, folder, *services = sys.argv[1:]
    waiting = selectors.DefaultSelector()
    for number, name in enumerate(services):
        listener = socket.create_server((address, int(first) + number))
        waiting.register(listener, selectors.EVENT_READ, Path(folder) / name / "current")
    while True:
        for key, _ in waiting.select():
            connection, _ = key.fileobj.accept()
            try:
                show(connection, key.data)
            except OSError:
                connection.close()


main()
