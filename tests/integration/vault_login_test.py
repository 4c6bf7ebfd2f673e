"""The daemon's login against a real OpenBao: vault_login_test.py BINARY PROBE.

The cases share one server on which `bevmesh vault bootstrap` was run; each gives the node another
secret ID and takes its state away.
"""

import json
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import NAME, poll  # noqa: E402
from vault_fixture import Probe, VaultTest  # noqa: E402


class Login(VaultTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.begin()

    def kept(self):
        return json.loads((self.home / "state/vault.json").read_text())

    def accessors(self):
        return self.vault("LIST", f"auth/approle/role/bevmesh-{NAME}/secret-id")[1]["data"]["keys"]

    def fresh(self, period="24h", life="720h", **how):
        """The AppRole with these durations, another secret ID, no state; its configuration."""
        (self.home / "state/vault.json").unlink(missing_ok=True)
        config = self.write_config(f", token_period: {period}, secret_id_ttl: {life}", **how)
        self.bootstrap("--yes", "--renew", NAME, config=config.name)
        return config

    def test_20_a_node_logs_in_and_needs_no_file_after_a_restart(self):
        config = self.fresh()
        with Probe(self.probe, config) as probe:
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
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)
            self.assertEqual(self.kept()["token"], token)
        # Also when the token ended meanwhile.
        self.vault("POST", "auth/token/revoke", {"token": token})
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)
            poll("another token", lambda: self.kept().get("token") not in (token, None), 10)

    def test_21_a_token_is_renewed_and_one_that_is_revoked_replaced(self):
        config = self.fresh(period="10s")
        with Probe(self.probe, config) as probe:
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
        with Probe(self.probe, config) as probe:
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
        with Probe(self.probe, config) as probe:
            poll("the sentence", lambda: probe.said("used up, revoked, or has expired"), 30)
            self.assertFalse(probe.logged_in())
            self.assertRegex(probe.ask("role"), "forbidden: .*not logged in")

    def give_one_use(self):
        """A secret ID that logs in once; gives it."""
        path = f"auth/approle/role/bevmesh-{NAME}/secret-id"
        made = self.vault("POST", path, {"num_uses": 1})[1]["data"]["secret_id"]
        (self.out / NAME / "vault.secret-id").write_text(made + "\n")
        return made

    def test_23b_a_secret_id_of_one_use_gives_way_to_the_nodes_own(self):
        config = self.fresh()
        first = self.give_one_use()
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)
            poll("its own", lambda: self.kept().get("secret_id") not in (first, None), 30)
        self.vault("POST", "auth/token/revoke", {"token": self.kept()["token"]})
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)

    def test_23c_a_secret_id_that_somebody_used_up_is_said_clearly(self):
        config = self.fresh()
        self.give_one_use()
        self.log_in()
        with Probe(self.probe, config) as probe:
            poll("the sentence", lambda: probe.said("used up, revoked, or has expired"), 30)
            self.assertFalse(probe.logged_in())

    def test_24_a_file_that_others_can_read_is_refused(self):
        config = self.fresh()
        (self.out / NAME / "vault.secret-id").chmod(0o640)
        with Probe(self.probe, config) as probe:
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
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)
        with Probe(self.probe, config) as probe:  # from its state
            poll("the login", probe.logged_in, 30)
        (self.home / "state/vault.json").unlink()
        with Probe(self.probe, config) as probe:
            poll("the alarm", lambda: probe.said("tell alarm SECURITY"), 30)

    def test_26_a_wrapping_token_of_another_origin_is_left_alone(self):
        forged = self.vault(
            "POST",
            "sys/wrapping/wrap",
            {"secret_id": "forged"},
            headers={"X-Vault-Wrap-TTL": "600"},
        )[1]["wrap_info"]["token"]
        with Probe(self.probe, self.wrapped_config(forged)) as probe:
            poll("the alarm", lambda: probe.said("was made at sys/wrapping/wrap"), 30)
        status, _ = self.vault("POST", "sys/wrapping/lookup", {"token": forged})
        self.assertEqual(status, 200, "it was not unwrapped")

    def test_27_a_state_that_cannot_be_written_makes_no_secret_id(self):
        config = self.fresh(life="20s")
        before = set(self.accessors())
        state = self.home / "state"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", state], check=True)
        try:
            with Probe(self.probe, config) as probe:
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
        with Probe(self.probe, config) as probe:
            poll("the login", probe.logged_in, 30)
            self.vault("PUT", "sys/seal")
            self.assertRegex(probe.ask("role"), "remote error: .*Vault is sealed")
            self.assertEqual(probe.ask("health").strip(), "ok sealed")
            self.vault("PUT", "sys/unseal", {"key": self.key})
            poll("the role", lambda: probe.ask("role").startswith("ok"), 60, 0.2)


if __name__ == "__main__":
    onenode.inside()
    Login.probe = sys.argv.pop(2)
    Login.binary = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
