"""The daemon keeps the certificates of services of ours (tls_service.py), as a node's processes.

Vault is set up by `bevmesh vault bootstrap`, the daemon logs in by the AppRole that it made.
"""

import contextlib
import functools
import http.client
import json
import re
import ssl
import sys
import urllib.request
from pathlib import Path

from certs_fixture import Load
from onenode import ADDRESS, NAME, poll
from vault_fixture import VaultTest

SERVICE = Path(__file__).resolve().with_name("tls_service.py")
METRICS = "127.0.0.1:9464"
DONE, LOCAL, DEGRADED = 0, 1, 3  # exit statuses


def connect(generation, port):
    """GET / over a new connection, with these files; the serial that the service shows."""
    context = ssl.create_default_context(cafile=str(generation / "ca.pem"))
    context.load_cert_chain(generation / "cert.pem", generation / "key.pem")
    connection = http.client.HTTPSConnection(ADDRESS, port, timeout=5, context=context)
    try:
        connection.connect()
        shown = connection.sock.getpeercert()["serialNumber"].lower()
        connection.request("GET", "/")
        if connection.getresponse().status >= 400:
            raise OSError("no answer")
        return shown
    except http.client.HTTPException as error:
        raise OSError(repr(error)) from None
    finally:
        connection.close()


class ServicesTest(VaultTest):
    # {name: {"port", "tls": its `tls` but for the folder, "reload": as tls_service.py has it}}
    services = {}
    ttl = "1h"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begin()
        cls.bootstrap(cls("setUp"), "--yes")

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle, name, ca)
        services = "".join(
            f"{service}: {{{cls.instances_of(service)}, "
            f"tls: {{folder: {cls.folder(service)}, {how['tls']}}}}}, "
            for service, how in cls.services.items()
        )
        text = path.read_text().replace("services: {", "services: {" + services)
        text = text.replace(", other: {address: 10.77.0.2}", "")
        text = text.replace("ttl: 1h", f"ttl: {cls.ttl}")
        more = f"\napi: {{socket: {cls.home}/api.sock}}\nmetrics: {{address: {METRICS}}}\n"
        path.write_text(text + more)
        return path

    @classmethod
    def instances_of(cls, service):
        return f"host: true, nodes: [{NAME}], port: {cls.services[service]['port']}"

    @classmethod
    def folder(cls, service):
        return cls.home / "files" / service

    @classmethod
    def used(cls, service):
        """Its files as they are in use, which stay a pair whatever changes meanwhile."""
        return cls.folder(service) / (cls.folder(service) / "current").readlink()

    @classmethod
    def start_services(cls):
        all_of = {
            name: {"port": how["port"], "folder": str(cls.folder(name)), "reload": how["reload"]}
            for name, how in cls.services.items()
        }
        (cls.home / "services.json").write_text(json.dumps(all_of))
        cls.node.start("services", [sys.executable, "-B", SERVICE, cls.home])
        poll("the services", (cls.home / "services.pid").exists, 30)

    @classmethod
    def start_daemon(cls):
        (cls.home / "files").mkdir(exist_ok=True)
        words = ("daemon", "--config", cls.home / "bevmesh.yaml", "--node", NAME)
        cls.node.start("bevmesh", [cls.binary, *words])

    def certificates(self):
        """What the daemon says of each, by service; {} while it does not answer."""
        with contextlib.suppress(OSError):
            found = self.node.api("GET", "/v1/certs")["certificates"]
            return {one["service"]: one for one in found}
        return {}

    def settled(self):
        """Those that are at the wire, with nothing under way."""
        return {
            name: one
            for name, one in self.certificates().items()
            if one["state"] == "verified" and not one["trouble"]
        }

    def all_settled(self):
        found = self.settled()
        return len(found) == len(self.services) and found

    def await_all(self):
        """All certificates, by service, once each is at the wire."""
        return poll("every certificate at the wire", self.all_settled, 60, 0.1)

    def order(self, *services):
        for service in services:
            self.node.api("POST", "/v1/certs/rotate", {"service": service})

    def shown(self, service):
        """The serial at the wire, as the daemon writes it."""
        return connect(self.used(service), self.services[service]["port"])

    def metrics(self, family):
        """Of a family with one label beside the service: {service: {label's value: value}}; without
        one: {service: value}."""
        with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = {}
        for labels, value in re.findall(rf"^{family}\{{(.*)\}} (\S+)$", text, re.M):
            named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            service = named.pop("service")
            if named:
                found.setdefault(service, {})[next(iter(named.values()))] = float(value)
            else:
                found[service] = float(value)
        return found

    def log(self):
        return (self.home / "bevmesh.log").read_text()

    @contextlib.contextmanager
    def load(self, *services):
        """New connections to these all the time; ends where one failed."""
        with contextlib.ExitStack() as stack:
            loads = {
                name: stack.enter_context(
                    Load(
                        self.folder(name),
                        functools.partial(connect, port=self.services[name]["port"]),
                    )
                )
                for name in services
            }
            yield loads
        for name, load in loads.items():
            self.assertEqual(load.bad, [], name)
            self.assertGreater(load.good, 0, name)
