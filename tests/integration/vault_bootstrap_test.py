"""`bevmesh vault bootstrap` against a real OpenBao: vault_bootstrap_test.py BINARY.

The cases share one server, sealed and uninitialized at first, and go in the order in which they
stand here: each starts where an administrator would be after the one before.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import ADDRESS, NAME  # noqa: E402
from vault_fixture import LOCAL, REFUSED, REMOTE, SECRETS, VaultTest, make_certificate  # noqa: E402


class Bootstrap(VaultTest):
    def test_01_what_is_missing_is_said(self):
        self.assertIn("--token-file", self.bootstrap("--yes", status=LOCAL))
        said = self.bootstrap("--yes", token="s.nonsense", status=REMOTE)
        self.assertIn("bao operator init", said)
        self.initialize()
        self.assertIn("unseal", self.bootstrap("--yes", token=self.root, status=REMOTE))
        self.unseal()
        self.assertIn(
            "administrator's", self.bootstrap("--yes", token="s.nonsense", status=REMOTE)
        )
        self.vault.token = self.root
        file = self.home / "admin.token"
        file.write_text(self.root)
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


if __name__ == "__main__":
    onenode.inside()
    Bootstrap.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
