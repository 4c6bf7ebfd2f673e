"""A Docker engine seen through a window: passes everything on to the real one, and may change what
an inspect answers. For what a real engine does too rarely to wait for it."""

import json
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

from bevlab.services import UnixConnection

INSPECT = re.compile(r"(/v[0-9.]+)?/containers/[0-9a-f]+/json$")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        engine = UnixConnection(self.server.engine)
        try:
            engine.request("GET", self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
            answer = engine.getresponse()
            if "/events" in self.path:
                return self.stream(answer)
            body = answer.read()
            if INSPECT.match(self.path) and answer.status == 200:
                body = json.dumps(self.server.change(json.loads(body))).encode()
            self.send_response(answer.status)
            for name in ("Api-Version", "Content-Type"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        finally:
            engine.close()

    def stream(self, answer):
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        answer.fp.raw._sock.settimeout(None)
        try:
            while part := answer.read1():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        except OSError:
            pass  # the reader has gone
        self.close_connection = True

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class EngineProxy(socketserver.ThreadingUnixStreamServer):
    """With-block: listens at `path`; `change` takes and gives an inspect's document."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path, engine, change):
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)
        self.engine = engine
        self.change = change

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
