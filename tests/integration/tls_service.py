"""Services with certificates of a mesh, as many as are asked for: tls_service.py HOME.

HOME/services.json has {NAME: {"port", "folder", "reload"}}. Each speaks HTTP by TLS at its port,
to clients that have a certificate of its bundle, and shows FOLDER/current/cert.pem as it was when
it was read last: for every connection, or, where `reload` says so, when it is told:
  http     by POST /-/reload
  signal   by SIGHUP to the process in HOME/services.pid
  exec     by the program `tls_service.py HOME tell NAME`
What it then does is in HOME/NAME.hook: nothing there, it reads its files; "fails": it says so;
"lies": it says yes and reads nothing; "hangs": it answers when there is nothing there any more.
"""

import contextlib
import http.server
import json
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
from pathlib import Path

ADDRESS = "10.77.0.1"


class Service:
    def __init__(self, home, name, port, folder, reload):
        self.hook, self.folder, self.reload = home / f"{name}.hook", Path(folder), reload
        self.context = None
        with contextlib.suppress(OSError):
            self.read()
        self.server = Server((ADDRESS, port), Requests)
        self.server.service = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self):
        generation = self.folder / os.readlink(self.folder / "current")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(generation / "cert.pem", generation / "key.pem")
        context.load_verify_locations(generation / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.context = context

    def told(self):
        """Whether it says yes."""
        while (how := self.how()) == "hangs":
            threading.Event().wait(0.05)
        if not how:
            self.read()
        return how != "fails"

    def how(self):
        try:
            return self.hook.read_text()
        except FileNotFoundError:
            return ""


class Requests(http.server.BaseHTTPRequestHandler):
    def setup(self):
        service = self.server.service
        if not service.reload:
            service.read()
        if service.context is None:
            raise OSError("it has no certificate yet")
        self.request.settimeout(20)
        self.request = service.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        service = self.server.service
        mine = service.reload == "http" and self.path == "/-/reload"
        self.answer((200 if service.told() else 500) if mine else 404)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # who looks finds out


def serve(home):
    all_of = json.loads((home / "services.json").read_text())
    services = {name: Service(home, name, **how) for name, how in all_of.items()}

    def hangup(*_):
        for service in services.values():
            if service.reload == "signal":
                service.told()

    signal.signal(signal.SIGHUP, hangup)
    (home / "services.pid").write_text(f"{os.getpid()}\n")

    class Orders(socketserver.StreamRequestHandler):
        def handle(self):
            said = services[self.rfile.readline().decode().strip()].told()
            self.wfile.write(b"yes\n" if said else b"no\n")

    with socketserver.ThreadingUnixStreamServer(str(home / "services.sock"), Orders) as orders:
        orders.daemon_threads = True
        orders.serve_forever()


def tell(home, name):
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(str(home / "services.sock"))
        to.sendall(f"{name}\n".encode())
        sys.exit(0 if to.recv(16) == b"yes\n" else f"{name} says no")


if __name__ == "__main__":
    if sys.argv[2:3] == ["tell"]:
        tell(Path(sys.argv[1]), sys.argv[3])
    serve(Path(sys.argv[1]))
