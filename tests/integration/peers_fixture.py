"""Two nodes of one mesh, and who asks one's daemon as the other, or as somebody else."""

import http.client
import json
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

from onenode import ADDRESS, NAME  # noqa: E402

OTHER = "other"
NODES = {NAME: ADDRESS, OTHER: "10.77.0.2"}
PORT = 8702


class Connection(http.client.HTTPSConnection):
    """To a node's daemon, as the daemon of another node, or as whom `files` say."""

    def __init__(
        self, node, files, certificate="cert.pem", newest=ssl.TLSVersion.MAXIMUM_SUPPORTED
    ):
        context = ssl.create_default_context(cafile=str(files / "ca.pem"))
        if certificate:
            context.load_cert_chain(files / certificate, files / "key.pem")
        context.check_hostname = False  # a node is who its URI says
        context.maximum_version = newest
        super().__init__(NODES[node], PORT, timeout=10, context=context)

    def ask(self):
        self.request("GET", "/v1/peer")
        answer = self.getresponse()
        return json.loads(answer.read())["node"]

    def shown(self):
        """The certificate that the node showed when the connection was made."""
        if self.sock is None:
            self.connect()
        return self.sock.getpeercert()
