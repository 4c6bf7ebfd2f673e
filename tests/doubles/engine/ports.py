"""The containers' published ports: accept and close, as much as a TCP check needs."""

import asyncio
import socket


class Ports:
    def __init__(self, address):
        self.address = address
        self.open = {}

    def set(self, port, listening):
        if self.address is None or listening == (port in self.open):
            return
        loop = asyncio.get_running_loop()
        if not listening:
            listener = self.open.pop(port)
            loop.remove_reader(listener)
            listener.close()
            return
        listener = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((self.address, port))
        listener.listen(64)
        loop.add_reader(listener, self._accept, listener)
        self.open[port] = listener

    @staticmethod
    def _accept(listener):
        try:
            while True:
                listener.accept()[0].close()
        except OSError:
            pass
