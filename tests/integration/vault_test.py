"""`bevmesh vault bootstrap`, and the daemon's login, against a real OpenBao: vault_test.py BINARY
PROBE.

The cases share one server, sealed and uninitialized at first, and go in the order in which they
stand here: each starts where an administrator would be after the one before.
"""

import contextlib
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import ADDRESS, CACHE, NAME, ROOT, poll  # noqa: E402

PORT = 8200
REMOTE, LOCAL, REFUSED = 2, 1, 5  # exit statuses
SECRETS = ("database", "services", "encryption", "api_keys")


def openbao_binary():
    text = (ROOT / "tests/setup").read_text()
    return CACHE / ("openbao-" + re.search(r"^openbao_version=(\S+)", text, re.M)[1])


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_certificate(home, name="ca"):
    """A CA, and a certificate of it for the server's address."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2")
    openssl(
        *("req", "-x509", *curve, "-subj", "/CN=test", "-addext", "keyUsage=keyCertSign"),
        *("-keyout", home / f"{name}.key", "-out", home / f"{name}.pem"),
    )
    openssl(
        *("req", "-x509", *curve, "-subj", "/CN=bao", "-addext", f"subjectAltName=IP:{ADDRESS}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", home / f"{name}.pem", "-CAkey", home / f"{name}.key"),
        *("-keyout", home / "server.key", "-out", home / "server.pem"),
    )


class Vault:
    def __init__(self, ca_file):
        self.context = ssl.create_default_context(cafile=str(ca_file))
        self.token = None

    def __call__(self, method, path, body=None, token=None, headers=None):
        """(status, document)"""
        request = urllib.request.Request(
            f"https://{ADDRESS}:{PORT}/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers=headers or {},
        )
        if token or self.token:
            request.add_header("X-Vault-Token", token or self.token)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        return status, json.loads(text) if text.startswith("{") else text

    def answers(self):
        with contextlib.suppress(OSError):
            return self("GET", "sys/health")[0]


class Probe:
    """The daemon's login, alone."""

    def __init__(self, config):
        self.process = subprocess.Popen(
            [PROBE, config, NAME],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def _line(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise TimeoutError("the probe says nothing")
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the probe ended with {self.process.wait(5)}")
        return line

    def ask(self, words):
        self.process.stdin.write(words + "\n")
        while (line := self._line(40)).startswith("tell "):
            self.told.append(line)
        return line

    def logged_in(self):
        return self.ask("state").startswith("ok in")

    def said(self, words):
        """Whether it has told so by now."""
        self.ask("state")
        return any(words in line for line in self.told)


class Bootstrap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = cls.enterClassContext(onenode.Node(BINARY))
        cls.home = cls.node.home
        cls.out = cls.home / "credentials"
        make_certificate(cls.home)
        cls.write_config()
        (cls.home / "bao.hcl").write_text(
            'storage "inmem" {}\ndisable_mlock = true\n'
            f'listener "tcp" {{ address = "{ADDRESS}:{PORT}"\n'
            f'tls_cert_file = "{cls.home}/server.pem"\ntls_key_file = "{cls.home}/server.key" }}\n'
        )
        cls.node.start("bao", [openbao_binary(), "server", f"-config={cls.home}/bao.hcl"])
        cls.vault = Vault(cls.home / "ca.pem")
        poll("OpenBao's answer", cls.vault.answers, 60)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", cls.home / "k.pem")
        openssl(
            *("req", "-new", "-key", cls.home / "k.pem", "-subj", "/CN=x"),
            *("-out", cls.home / "csr.pem"),
        )

    @classmethod
    def write_config(cls, approle="", name="bevmesh.yaml", ca="ca.pem"):
        paths = ", ".join(f"{path}: [{NAME}]" for path in SECRETS)
        (cls.home / "state").mkdir(mode=0o700, exist_ok=True)
        (cls.home / name).write_text(
            "mesh: {name: test, datacenter: bev}\n"
            f"state_dir: {cls.home}/state\n"
            f"nodes: {{{NAME}: {{address: {ADDRESS}}}, other: {{address: 10.77.0.2}}}}\n"
            f"services: {{web: {{match: {{container: web1}}, nodes: [{NAME}], port: 80}}}}\n"
            "vault:\n"
            f'  addresses: ["https://{ADDRESS}:{PORT}"]\n'
            f"  ca_file: {cls.home}/{ca}\n"
            f"  kv: {{mount: bev, paths: {{{paths}}}}}\n"
            "  pki: {mount: pki_bev, root_mount: pki_bev_root, ttl: 1h}\n"
            f"  auth: {{approle: {{role_id_file: {cls.out}/{NAME}/vault.role-id, "
            f"secret_id_file: {cls.out}/{NAME}/vault.secret-id{approle}}}}}\n"
        )
        return cls.home / name

    def bootstrap(self, *options, token=None, status=0, config="bevmesh.yaml"):
        """What it says on both streams together. No secret is ever in it."""
        environment = {**os.environ, "VAULT_TOKEN": self.vault.token or ""}
        if token is not None:
            environment["VAULT_TOKEN"] = token
        done = subprocess.run(
            [BINARY, "vault", "bootstrap", "-c", self.home / config, "--out", self.out, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for file in self.out.rglob("vault.*"):
            if file.name != "vault.role-id":
                self.assertNotIn(file.read_text().strip(), said)
        if self.vault.token:
            self.assertNotIn(self.vault.token, said)
        return said

    def credentials(self, name, node=NAME):
        return (self.out / node / name).read_text().strip()

    def log_in(self, node=NAME):
        status, answer = self.vault(
            "POST",
            "auth/approle/login",
            {
                "role_id": self.credentials("vault.role-id", node),
                "secret_id": self.credentials("vault.secret-id", node),
            },
        )
        self.assertEqual(status, 200, answer)
        return answer["auth"]

    def everything(self):
        """All that bootstrap makes, with versions where OpenBao has them."""
        found = {}
        for path in (
            *("sys/mounts", "sys/auth", "pki_bev/config/issuers", "pki_bev_root/config/issuers"),
            *("pki_bev/config/crl", f"pki_bev/roles/service-{NAME}"),
            *(f"sys/policies/acl/bevmesh-node-{NAME}", "sys/policies/acl/bevmesh-ca-operator"),
            f"auth/approle/role/bevmesh-{NAME}",
            *(f"bev/metadata/{path}" for path in SECRETS),
        ):
            status, answer = self.vault("GET", path)
            self.assertEqual(status, 200, path)
            found[path] = answer["data"]
        for node in (NAME, "other"):
            found[node] = self.vault("LIST", f"auth/approle/role/bevmesh-{node}/secret-id")[1]
            found[node] = found[node]["data"]
        return found

    def test_01_what_is_missing_is_said(self):
        self.assertIn("--token-file", self.bootstrap("--yes", status=LOCAL))
        said = self.bootstrap("--yes", token="s.nonsense", status=REMOTE)
        self.assertIn("bao operator init", said)
        status, made = self.vault("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.assertEqual(status, 200)
        type(self).key = made["keys"][0]
        self.assertIn("unseal", self.bootstrap("--yes", token=made["root_token"], status=REMOTE))
        self.vault("PUT", "sys/unseal", {"key": self.key})
        poll("an active server", lambda: self.vault.answers() == 200, 30)
        self.assertIn(
            "administrator's", self.bootstrap("--yes", token="s.nonsense", status=REMOTE)
        )
        self.vault.token = made["root_token"]
        file = self.home / "admin.token"
        file.write_text(made["root_token"])
        file.chmod(0o644)
        said = self.bootstrap("--token-file", file, "--yes", status=LOCAL)
        self.assertIn("chmod 600", said)

    def test_02_a_server_of_another_ca_is_not_talked_to(self):
        make = self.home / "foreign"
        make.mkdir()
        make_certificate(make)
        self.write_config(name="foreign.yaml", ca="foreign/ca.pem")
        said = self.bootstrap("--yes", config="foreign.yaml", status=REMOTE)
        self.assertIn("certificate not accepted", said)

    def test_03_the_plan_is_shown_first_and_does_nothing(self):
        shown = self.bootstrap("--dry-run")
        self.assertIn("mount pki_bev (pki): create", shown)
        self.assertIn(f'path "pki_bev/sign/service-{NAME}"', shown)
        self.bootstrap(status=LOCAL)  # nobody to ask
        self.assertFalse(self.out.exists())
        self.assertEqual(self.vault("GET", "sys/mounts/pki_bev")[0], 400)

    def test_04_it_makes_everything_and_a_second_run_nothing(self):
        self.assertIn("changes made", self.bootstrap("--yes"))
        before = self.everything()
        for options in ((), ("--yes",)):
            self.assertIn("Nothing to change", self.bootstrap(*options))
        self.assertEqual(self.everything(), before)
        for node in (NAME, "other"):
            self.assertEqual((self.out / node).stat().st_mode & 0o777, 0o700)
            for name in ("vault.role-id", "vault.secret-id"):
                self.assertEqual((self.out / node / name).stat().st_mode & 0o777, 0o600)

    def test_05_a_login_lasts_a_day_and_has_one_policy(self):
        auth = self.log_in()
        self.assertEqual(auth["lease_duration"], 86400)
        self.assertEqual(auth["policies"], [f"bevmesh-node-{NAME}"])
        # OTHER's address is not this machine's.
        answer = self.vault(
            "POST",
            "auth/approle/login",
            {
                "role_id": self.credentials("vault.role-id", "other"),
                "secret_id": self.credentials("vault.secret-id", "other"),
            },
        )
        self.assertNotEqual(answer[0], 200)

    def sign(self, token, **more):
        body = {"csr": (self.home / "csr.pem").read_text(), "ttl": "10m", **more}
        return self.vault("POST", f"pki_bev/sign/service-{NAME}", body, token)

    def test_06_a_nodes_policy_is_enough(self):
        token = self.log_in()["client_token"]
        role = f"auth/approle/role/bevmesh-{NAME}/secret-id"
        status, answer = self.sign(
            token,
            common_name="web.service.consul",
            alt_names=f"{NAME},web.service.bev.consul",
            ip_sans=ADDRESS,
            uri_sans=f"spiffe://test/node/{NAME}/service/web",
        )
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer["data"]["ca_chain"]), 2)
        self.assertFalse(answer["warnings"])
        made = self.vault("POST", role, {}, token)[1]["data"]["secret_id"]
        for method, path, body in (
            ("GET", "auth/token/lookup-self", None),
            ("POST", "auth/token/renew-self", {}),
            ("POST", role + "/lookup", {"secret_id": made}),
            ("POST", role + "/destroy", {"secret_id": made}),
            ("GET", f"pki_bev/roles/service-{NAME}", None),
            *(("GET", f"bev/data/{path}", None) for path in SECRETS),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertIn(self.vault(method, path, body, token)[0], (200, 204))

    def test_07_and_no_more(self):
        token = self.log_in()["client_token"]
        csr = (self.home / "csr.pem").read_text()
        for method, path, body in (
            ("POST", "pki_bev/sign/service-other", {"csr": csr, "common_name": "other"}),
            ("POST", f"pki_bev/issue/service-{NAME}", {"common_name": NAME}),
            ("POST", "pki_bev/sign-verbatim", {"csr": csr}),
            ("POST", "pki_bev/root/sign-intermediate", {"csr": csr}),
            ("POST", "pki_bev_root/root/rotate/internal", {"common_name": "x"}),
            ("POST", "pki_bev/revoke", {"serial_number": "00"}),
            ("POST", "pki_bev/config/issuers", {"default": "x"}),
            ("POST", f"pki_bev/roles/service-{NAME}", {"allow_any_name": True}),
            ("POST", "bev/data/database", {"data": {}}),
            ("GET", "bev/metadata/database", None),
            ("GET", "bev/data/other", None),
            ("DELETE", "bev/data/database", None),
            ("POST", "auth/approle/role/bevmesh-other/secret-id", {}),
            ("GET", f"auth/approle/role/bevmesh-{NAME}", None),
            ("POST", f"auth/approle/role/bevmesh-{NAME}", {"token_policies": ["root"]}),
            ("POST", "auth/token/create", {}),
            ("GET", "sys/policies/acl/root", None),
            ("PUT", "sys/policies/acl/x", {"policy": ""}),
            ("GET", "sys/mounts", None),
            ("PUT", "sys/seal", None),
            ("GET", "sys/storage/raft/configuration", None),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.vault(method, path, body, token)[0], 403)

    def test_08_a_role_signs_its_own_nodes_names_alone(self):
        token = self.log_in()["client_token"]
        own = {"common_name": NAME}
        for more in (
            {"common_name": "other"},
            {"common_name": "postgres", "exclude_cn_from_sans": True},
            {**own, "alt_names": "other"},
            {**own, "alt_names": f"x.{NAME}"},
            {**own, "alt_names": f"*.{NAME}"},
            {**own, "alt_names": "localhost"},
            {**own, "ip_sans": "10.77.0.2"},
            {**own, "ip_sans": "127.0.0.1"},
            {**own, "uri_sans": "spiffe://test/node/other/service/web"},
            {**own, "uri_sans": f"spiffe://test/node/{NAME}/service/other"},
            {**own, "not_after": "2099-01-01T00:00:00Z"},
        ):
            with self.subTest(more):
                self.assertEqual(self.sign(token, **more)[0], 400)
        status, answer = self.sign(token, **own, ttl="5h")
        self.assertEqual(status, 200)
        self.assertTrue(any("maxTTL" in line for line in answer["warnings"]))

    def test_09_drift_is_shown_and_mended(self):
        role = f"pki_bev/roles/service-{NAME}"
        is_now = self.vault("GET", role)[1]["data"]
        self.vault("POST", role, {**is_now, "allow_any_name": True})
        shown = self.bootstrap("--dry-run")
        self.assertIn("- allow_any_name = true", shown)
        self.bootstrap("--yes")
        self.assertFalse(self.vault("GET", role)[1]["data"]["allow_any_name"])
        self.assertIn("Nothing to change", self.bootstrap())

    def test_10_a_mount_of_another_type_stops_it(self):
        text = (self.home / "bevmesh.yaml").read_text()
        (self.home / "clash.yaml").write_text(text.replace("mount: bev,", "mount: cubbyhole,"))
        said = self.bootstrap("--yes", config="clash.yaml", status=REFUSED)
        self.assertIn("mount of type cubbyhole", said)

    def test_11_the_ca_operators_policy_rolls_the_ca_over_and_revokes(self):
        made = self.vault(
            "POST",
            "auth/token/create",
            {"policies": ["bevmesh-ca-operator"], "no_default_policy": True, "ttl": "1h"},
        )[1]
        token = made["auth"]["client_token"]
        certificate = self.sign(None, common_name=NAME)[1]["data"]["certificate"]
        for method, path, body in (
            ("GET", "pki_bev/config/issuers", None),
            ("GET", "pki_bev/issuer/default", None),
            ("POST", "pki_bev/revoke", {"certificate": certificate}),
            ("GET", "pki_bev/crl/rotate", None),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.vault(method, path, body, token)[0], 200)
        for method, path, body in (
            ("GET", "bev/data/database", None),
            ("POST", f"pki_bev/sign/service-{NAME}", {}),
            ("POST", f"pki_bev/roles/service-{NAME}", {}),
            ("GET", "sys/mounts", None),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.vault(method, path, body, token)[0], 403)

    # The login.

    def kept(self):
        return json.loads((self.home / "state/vault.json").read_text())

    def accessors(self):
        return self.vault("LIST", f"auth/approle/role/bevmesh-{NAME}/secret-id")[1]["data"]["keys"]

    def fresh(self, period="24h", life="720h", **how):
        """The AppRole with these durations, another secret ID of it, no state; its configuration."""
        (self.home / "state/vault.json").unlink(missing_ok=True)
        config = self.write_config(f", token_period: {period}, secret_id_ttl: {life}", **how)
        self.bootstrap("--yes", "--renew", NAME, config=config.name)
        return config

    def test_20_a_node_logs_in_and_needs_no_file_after_a_restart(self):
        config = self.fresh()
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            self.assertRegex(
                probe.ask(
                    f"sign {self.home}/csr.pem web.service.consul "
                    f"spiffe://test/node/{NAME}/service/web"
                ),
                r"ok [0-9a-f:]+ 2",
            )
            self.assertRegex(probe.ask(f"sign {self.home}/csr.pem evil"), "bad input: .* 400 ")
            self.assertEqual(probe.ask("issuers"), "ok 2")
            self.assertEqual(probe.ask("role"), "ok 3600")
            self.assertEqual(probe.ask("secret database"), "ok 0 values")
            self.assertRegex(probe.ask("secret elsewhere"), "forbidden: ")
            self.assertEqual(probe.ask("health").strip(), "ok active")
            self.assertRegex(probe.ask("crls"), "ok [1-9]")
            poll("the kept secret ID", lambda: "secret_id" in self.kept(), 10)
        self.assertEqual((self.home / "state/vault.json").stat().st_mode & 0o777, 0o600)
        token = self.kept()["token"]
        (self.out / NAME / "vault.secret-id").unlink()
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            self.assertEqual(self.kept()["token"], token)
        # Also when the token ended meanwhile.
        self.vault("POST", "auth/token/revoke", {"token": token})
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            poll("another token", lambda: self.kept().get("token") not in (token, None), 10)

    def test_21_a_token_is_renewed_and_one_that_is_revoked_replaced(self):
        config = self.fresh(period="10s")
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            token = self.kept()["token"]
            end = time.monotonic() + 12  # longer than the token would live without renewals
            poll("renewals", lambda: time.monotonic() > end and probe.logged_in(), 30, 0.2)
            self.assertEqual(self.kept()["token"], token)
            self.vault("POST", "auth/token/revoke", {"token": token})
            # The request that finds it out gets its answer all the same.
            self.assertRegex(probe.ask("role"), "ok ")
            self.assertNotEqual(self.kept()["token"], token)

    def test_22_the_nodes_next_secret_id_is_made_and_the_old_one_destroyed(self):
        config = self.fresh(life="20s")
        first = self.credentials("vault.secret-id")
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            poll("the next one", lambda: self.kept().get("secret_id") != first, 30)
            poll("the old one gone", lambda: "retired_secret_id" not in self.kept(), 30)
            dead = self.vault(
                "POST",
                f"auth/approle/role/bevmesh-{NAME}/secret-id/lookup",
                {"secret_id": first},
            )
            self.assertEqual(dead[0], 204)
            self.assertTrue(probe.logged_in())

    def test_23_a_revoked_secret_id_is_said_clearly(self):
        config = self.fresh()
        self.vault(
            "POST",
            f"auth/approle/role/bevmesh-{NAME}/secret-id/destroy",
            {"secret_id": self.credentials("vault.secret-id")},
        )
        with Probe(config) as probe:
            poll("the sentence", lambda: probe.said("used up, revoked, or has expired"), 30)
            self.assertFalse(probe.logged_in())
            self.assertRegex(probe.ask("role"), "forbidden: .*not logged in")

    def test_24_a_file_that_others_can_read_is_refused(self):
        config = self.fresh()
        (self.out / NAME / "vault.secret-id").chmod(0o640)
        with Probe(config) as probe:
            poll("the sentence", lambda: probe.said("chmod 600"), 30)
            self.assertFalse(probe.logged_in())

    def wrapped_config(self, token):
        (self.home / "state/vault.json").unlink(missing_ok=True)
        (self.out / NAME / "vault.secret-id").unlink(missing_ok=True)
        file = self.home / "wrapped"
        file.touch(0o600)
        file.write_text(token + "\n")
        return self.write_config(f", wrapped_secret_id_file: {file}", name="wrapped.yaml")

    def test_25_a_wrapped_secret_id_is_of_use_once(self):
        (self.out / NAME / "vault.secret-id").unlink(missing_ok=True)
        self.bootstrap("--yes", "--renew", NAME, "--wrap", "60")
        config = self.wrapped_config(self.credentials("vault.wrapped"))
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
        with Probe(config) as probe:  # from its state
            poll("the login", probe.logged_in, 30)
        (self.home / "state/vault.json").unlink()
        with Probe(config) as probe:
            poll("the alarm", lambda: probe.said("tell alarm SECURITY"), 30)

    def test_26_a_wrapping_token_of_another_origin_is_left_alone(self):
        forged = self.vault(
            "POST",
            "sys/wrapping/wrap",
            {"secret_id": "forged"},
            headers={"X-Vault-Wrap-TTL": "600"},
        )[1]["wrap_info"]["token"]
        with Probe(self.wrapped_config(forged)) as probe:
            poll("the alarm", lambda: probe.said("was made at sys/wrapping/wrap"), 30)
        status, _ = self.vault("POST", "sys/wrapping/lookup", {"token": forged})
        self.assertEqual(status, 200, "it was not unwrapped")

    def test_27_a_state_that_cannot_be_written_makes_no_secret_id(self):
        config = self.fresh(life="20s")
        before = set(self.accessors())
        state = self.home / "state"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", state], check=True)
        try:
            with Probe(config) as probe:
                poll("the login", probe.logged_in, 30)
                poll("the alarm", lambda: probe.said("tell alarm"), 30)
                end = time.monotonic() + 12  # the next one would be due
                poll("its time", lambda: time.monotonic() > end, 30, 0.2)
                self.assertTrue(probe.logged_in())
                self.assertLessEqual(set(self.accessors()), before)
        finally:
            subprocess.run(["umount", state], check=True)

    def test_28_a_sealed_server_is_said_and_the_login_goes_on_after_it(self):
        config = self.fresh()
        with Probe(config) as probe:
            poll("the login", probe.logged_in, 30)
            self.vault("PUT", "sys/seal")
            self.assertRegex(probe.ask("role"), "remote error: .*Vault is sealed")
            self.assertEqual(probe.ask("health").strip(), "ok sealed")
            self.vault("PUT", "sys/unseal", {"key": self.key})
            poll("the role", lambda: probe.ask("role").startswith("ok"), 60, 0.2)


if __name__ == "__main__":
    onenode.inside()
    PROBE = sys.argv.pop(2)
    BINARY = sys.argv.pop(1)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main(verbosity=2, warnings="ignore")
