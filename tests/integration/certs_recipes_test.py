"""Services that are told of their certificates by a program, by HTTP and by a signal, seen at the
wire, also where they do not do as they are told: certs_recipes_test.py BINARY.

One daemon keeps a service for each way to be told and each way to fail. The cases share them and go
in their order. Requests to sign are counted in Vault's audit log.
"""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from certs_services import SERVICE, ServicesTest  # noqa: E402
from onenode import poll  # noqa: E402

HOOKS = ("exec-fails", "exec-hangs", "exec-lies", "http-fails", "http-hangs", "http-lies")
HOOKS += ("signal-lies",)
PASSWORD = "let me in"
# What the daemon says of each afterwards.
TROUBLES = {
    "exec-fails": "ended with status 1",
    "exec-hangs": "timed out",
    "exec-lies": "shows serial",
    "http-fails": "500",
    "http-hangs": "timed out",
    "http-lies": "shows serial",
    "signal-lies": "shows serial",
}


DEAD = 4_194_304  # above every process number of Linux


def openssl(*words, input=None):
    done = subprocess.run(
        ["openssl", *map(str, words)], input=input, check=True, capture_output=True, text=True
    )
    return done.stdout


class Recipes(ServicesTest):
    @classmethod
    def setUpClass(cls):
        cls.services = {
            name: {"port": 9000 + k, "reload": name.partition("-")[0], "tls": ""}
            for k, name in enumerate(HOOKS)
        }
        super().setUpClass()
        cls.start_daemon()
        for name in HOOKS:
            poll(f"the files of {name}", (cls.folder(name) / "current/key.pem").exists, 60)
        cls.start_services()

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        (cls.home / "keystore.password").touch(0o600)
        (cls.home / "keystore.password").write_text(PASSWORD + "\n")
        for service, how in cls.services.items():
            how["tls"] = cls.recipe(service)
        return super().write_config(approle, name, ca)

    @classmethod
    def recipe(cls, service):
        kind = service.partition("-")[0]
        if kind == "exec":
            words = (sys.executable, "-B", SERVICE, cls.home, "tell", service)
            return f"recipe: exec, command: [{', '.join(map(str, words))}]"
        if kind == "http":
            return (
                "recipe: http, key_format: traditional, "
                f"pkcs12_password_file: {cls.home}/keystore.password"
            )
        return f"recipe: signal, signal: SIGHUP, pid_file: {cls.home}/services.pid"

    def current(self, service):
        return (self.folder(service) / "current").readlink()

    def serials(self):
        found = self.await_all()
        return {name: found[name]["serial"] for name in HOOKS}

    def await_others(self, before):
        def are_others():
            now = self.settled()
            return all(name in now and now[name]["serial"] != before[name] for name in HOOKS)

        poll("others at the wire", are_others, 60, 0.1)
        for name in HOOKS:
            self.assertEqual(self.shown(name), self.certificates()[name]["serial"])

    def test_1_who_is_told_shows_the_next_certificate(self):
        before = self.serials()
        calls = self.sign_calls()
        with self.load(*HOOKS):
            self.order(*HOOKS)
            self.await_others(before)
        self.assertEqual(self.sign_calls(), calls + len(HOOKS))

    def test_2_who_hangs_fails_or_lies_keeps_its_old_pair_and_is_told_again(self):
        before = self.serials()
        calls, generations = self.sign_calls(), {name: self.current(name) for name in HOOKS}
        with self.load("exec-hangs", "http-lies", "signal-lies"):
            for name in HOOKS:
                (self.home / f"{name}.hook").write_text(name.partition("-")[2])
            self.order(*HOOKS)
            for name, words in TROUBLES.items():
                with self.subTest(name):
                    poll(words, lambda: words in self.certificates()[name]["trouble"], 40, 0.1)
                    old = generations[name]
                    poll("the old files", lambda: self.current(name) == old, 40)
                    self.assertEqual(self.shown(name), before[name])
            for name in HOOKS:
                (self.home / f"{name}.hook").unlink()
            self.await_others(before)
        self.assertEqual(self.sign_calls(), calls + len(HOOKS))

    def test_3_a_process_that_is_gone_is_told_and_nothing_else_is_signaled(self):
        before, calls = self.serials(), self.sign_calls()
        pid_file = self.home / "services.pid"
        number = pid_file.read_text()
        for content, words in (
            ("-1\n", "no number of a process"),
            (f"{DEAD}\n", "No such process"),
        ):
            pid_file.write_text(content)
            self.order("signal-lies")
            poll(words, lambda: words in self.certificates()["signal-lies"]["trouble"], 20, 0.1)
        pid_file.write_text(number)
        poll("the proof", lambda: "signal-lies" in self.settled(), 30, 0.1)
        self.assertNotEqual(self.shown("signal-lies"), before["signal-lies"])
        self.assertEqual(self.sign_calls(), calls + 1)

    def test_4_openssl_reads_every_file_and_each_has_the_certificates_key(self):
        self.await_all()
        files = self.folder("http-lies") / "current"
        public = openssl("x509", "-in", files / "cert.pem", "-noout", "-pubkey")
        self.assertEqual(openssl("ec", "-in", files / "key.pem", "-pubout"), public)
        self.assertIn("BEGIN EC PRIVATE KEY", (files / "key.pem").read_text())
        combined = files / "combined.pem"
        self.assertEqual(openssl("ec", "-in", combined, "-pubout"), public)
        self.assertEqual(openssl("x509", "-in", combined, "-noout", "-pubkey"), public)
        store = ("pkcs12", "-in", files / "keystore.p12", "-passin", f"pass:{PASSWORD}", "-noenc")
        key, chain = openssl(*store, "-nocerts"), openssl(*store, "-nokeys")
        self.assertEqual(openssl("pkey", "-pubout", input=key), public)
        self.assertEqual(openssl("x509", "-noout", "-pubkey", input=chain), public)
        self.assertEqual(chain.count("BEGIN CERTIFICATE"), 2)
        for name in ("key.pem", "combined.pem", "keystore.p12"):
            self.assertEqual((files / name).stat().st_mode & 0o7, 0, name)
        self.assertFalse((self.folder("exec-lies") / "current/keystore.p12").exists())


if __name__ == "__main__":
    onenode.inside()
    Recipes.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
