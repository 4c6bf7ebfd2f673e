"""Services in containers of a real Docker engine and their certificates:
certs_engine_test.py BINARY.

nginx is told in every way that goes through the engine, and single files that are bound into a
container are found. The cases share a daemon, an engine and a Vault and go in their order.
"""

import contextlib
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_fixture import Load  # noqa: E402
from certs_services import ServicesTest, connect  # noqa: E402
from onenode import ADDRESS, NAME, poll  # noqa: E402
from real_engine import RealEngine  # noqa: E402

SEEN = "/tls"
PAIR = {"pair-a": 9010, "pair-b": 9011}  # two instances of one service
ALONE = {
    "product": "recipe: nginx",
    "program": "recipe: docker_exec, command: [nginx, -s, reload]",
    "hangup": "recipe: docker_signal, signal: SIGHUP",
    "bound": "recipe: nginx",
    "inplace": "recipe: nginx, layout: inplace",
}


class Engine(ServicesTest):
    services = {
        name: {"port": 9000 + k, "tls": f"{recipe}, seen_as: {SEEN}"}
        for k, (name, recipe) in enumerate(ALONE.items())
    } | {"pair": {"port": PAIR["pair-a"], "tls": f"recipe: restart, seen_as: {SEEN}"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = cls.enterClassContext(RealEngine(cls.node))
        cls.engine.import_image("base")
        cls.start_daemon()
        for name in cls.services:
            cls.await_files(name)
        for name in ALONE:
            cls.start_nginx(name)
        for name, port in PAIR.items():
            cls.start_nginx("pair", name, port)

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        path = super().write_config(approle, name, ca)
        more = f'docker: {{address: "unix://{cls.home}/docker.sock"}}\n'
        path.write_text(path.read_text() + more)
        return path

    @classmethod
    def instances_of(cls, service):
        if service == "pair":
            each = (
                f"{{match: {{container: {name}}}, nodes: [{NAME}], port: {port}}}"
                for name, port in PAIR.items()
            )
            return f"instances: [{', '.join(each)}]"
        port = cls.services[service]["port"]
        return f"match: {{container: {service}}}, nodes: [{NAME}], port: {port}"

    @classmethod
    def used(cls, service):
        return cls.folder(service) if service == "inplace" else super().used(service)

    @classmethod
    def in_use(cls, service):
        """The folder that always has its files."""
        return cls.folder(service) / ("" if service == "inplace" else "current")

    @classmethod
    def await_files(cls, service):
        """The certificate is what is put into place last."""
        poll(f"the files of {service}", (cls.in_use(service) / "cert.pem").exists, 60)

    @classmethod
    def start_nginx(cls, service, container=None, port=None, folder=None):
        """With the single files bound, or the `folder` of them."""
        container, port = container or service, port or cls.services[service]["port"]
        single = service in ("bound", "inplace") and not folder
        seen = SEEN if service == "inplace" else f"{SEEN}/current"
        config = cls.home / f"{container}.conf"
        config.write_text(
            "events {}\nhttp { access_log off; server {\n"
            f"listen {ADDRESS}:{port} ssl; location / {{ return 200; }}\n"
            f"ssl_certificate {seen}/cert.pem; ssl_certificate_key {seen}/key.pem;\n"
            f"ssl_client_certificate {seen}/ca.pem; ssl_verify_client on;\n}} }}\n"
        )
        binds = [(cls.folder(service), SEEN)]
        if single:
            names = ("cert.pem", "key.pem", "ca.pem")
            binds = [(cls.in_use(service) / name, f"{seen}/{name}") for name in names]
        words = ("nginx", "-g", "daemon off;")
        cls.engine.run(container, *words, binds=[(config, "/etc/nginx/nginx.conf"), *binds])

    def await_shown(self, service):
        """The serial that is told is at the wire. Not at every connection: after a reload, nginx
        waits 100 ms before it sends its workers from before away, and they go on accepting."""
        serial = self.certificates()[service]["serial"]
        poll(f"{service} at the wire", lambda: self.shown(service) == serial, 10)
        return serial

    def rotated(self, *services):
        """Another certificate of each at the wire, for one signature each; asserts it."""
        before, calls = self.await_all(), self.sign_calls()
        self.order(*services)

        def are_others():
            now = self.all_settled()
            return now and all(now[one]["serial"] != before[one]["serial"] for one in services)

        poll("others at the wire", are_others, 90, 0.1)
        for service in services:
            self.await_shown(service)
        self.assertEqual(self.sign_calls(), calls + len(services))

    def test_1_nginx_is_told_through_its_engine(self):
        told = ("product", "program", "hangup")
        with self.load(*told):
            self.rotated(*told)

    def test_2_single_files_that_are_overwritten_are_seen_in_the_container(self):
        self.rotated("inplace")

    def test_3_single_files_that_would_be_renamed_are_named_before_anything_is_signed(self):
        before = self.await_all()["bound"]["serial"]
        calls = self.sign_calls()
        self.order("bound")
        one = rf"{self.folder('bound')}/current/(cert|key|ca)\.pem"
        found = re.compile(f"container bound has {one} bound into it alone")
        poll("it", lambda: found.search(self.certificates()["bound"]["trouble"]), 20, 0.1)
        self.assertEqual(self.shown("bound"), before)
        self.assertEqual(self.sign_calls(), calls)
        self.engine.docker("rm", "--force", "bound")
        self.start_nginx("bound", folder=True)
        poll("the next one", lambda: self.await_all()["bound"]["serial"] != before, 60, 0.1)
        self.await_shown("bound")
        self.assertEqual(self.sign_calls(), calls + 1)

    def test_4_of_two_that_are_restarted_one_always_serves(self):
        def connect_any(generation):
            """The first again at the end: it may be back, and the other's turn, before a busy
            client asks there."""
            for name in PAIR:
                with contextlib.suppress(OSError):
                    return connect(generation, PAIR[name])
            return connect(generation, PAIR["pair-a"])

        started = "{{.State.StartedAt}}"
        before = self.engine.docker("inspect", "--format", started, *PAIR).stdout.split()
        with Load(self.folder("pair"), connect_any) as load:
            self.rotated("pair")
        self.assertEqual(load.bad, [])
        self.assertGreater(load.good, 0)
        after = self.engine.docker("inspect", "--format", started, *PAIR).stdout.split()
        self.assertEqual(len(set(before + after)), 4)
        shown = {connect(self.used("pair"), port) for port in PAIR.values()}
        self.assertEqual(len(shown), 1)

    def test_5_a_program_that_fails_in_its_container_is_told_and_the_old_pair_serves(self):
        before = self.await_all()["product"]["serial"]
        config = self.home / "product.conf"
        good = config.read_text()
        with self.load("product"):
            config.write_text(good + "nonsense")
            self.order("product")
            words = "run nginx in product: status 1"
            poll("it", lambda: words in self.certificates()["product"]["trouble"], 20, 0.1)
            self.assertEqual(self.shown("product"), before)
            config.write_text(good)
            poll("the proof", lambda: "product" in self.settled(), 30, 0.1)
            self.assertNotEqual(self.await_shown("product"), before)


if __name__ == "__main__":
    onenode.inside()
    Engine.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
