"""`bevmesh consul bootstrap` against a real Consul: bootstrap_test.py BINARY.

The cases share one server whose ACL system nobody has bootstrapped, and go in the order in which
they stand here: each starts where an administrator would be after the one before.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import unittest
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
from onenode import ADDRESS, NAME, ROOT, Http, poll  # noqa: E402
from vault_fixture import make_certificate  # noqa: E402

FILES = ("consul.token", "acl-tokens.json")
NODES = (NAME, "other")
REMOTE, LOCAL, REFUSED = 2, 1, 5  # exit statuses


def start_consul(node, **own):
    """A server by the shipped configuration, without any token."""
    config = node.home / "consul.json"
    config.write_text(
        json.dumps(
            {
                "bootstrap_expect": 1,
                "node_name": NAME,
                "bind_addr": ADDRESS,
                "data_dir": str(node.home / "consul"),
                "log_level": "warn",
                **own,
            }
        )
    )
    files = (ROOT / "config/consul/server.hcl", config)
    words = [word for file in files for word in ("-config-file", file)]
    node.start("consul", [onenode.consul_binary(), "agent", *words])


class Bootstrap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = cls.enterClassContext(onenode.Node(BINARY))
        cls.out = cls.node.home / "tokens"
        cls.config = cls.node.home / "bevmesh.yaml"
        cls.config.write_text(
            "mesh: {name: test, datacenter: bev}\n"
            f"nodes: {{{NAME}: {{address: {ADDRESS}}}, other: {{address: 10.77.0.2}}}}\n"
        )
        home = cls.node.home
        for name in ("stranger", "ca"):  # the last one's certificate is the server's
            make_certificate(home, name)
        ours = {kind: f"{home}/server.{end}" for kind, end in (("cert", "pem"), ("key", "key"))}
        start_consul(
            cls.node,
            ports={"https": 8501},
            addresses={"https": ADDRESS},
            tls={"https": {f"{kind}_file": path for kind, path in ours.items()}},
        )
        anonymous = Http("127.0.0.1:8500")
        poll("Consul's leader", lambda: cls.leader(anonymous), 60)

    @staticmethod
    def leader(consul):
        try:
            return consul("GET", "/v1/status/leader")
        except OSError:
            return False

    def bootstrap(self, *options, out=None, token=None, status=0):
        """What it says on both streams together. No secret is ever in it."""
        environment = {**os.environ, "CONSUL_HTTP_TOKEN": token or ""}
        done = subprocess.run(
            [BINARY, "consul", "bootstrap", "-c", self.config, "--out", out or self.out, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for secret in self.secrets():
            self.assertNotIn(secret, said)
        return said

    def secrets(self):
        for file in self.out.rglob("*.*"):
            if file.suffix == ".json":
                yield from json.loads(file.read_text())["acl"]["tokens"].values()
            elif file.is_file():
                yield file.read_text().strip()

    def consul(self, token=None):
        token = token or (self.out / "management.token").read_text().strip()
        return Http("127.0.0.1:8500", {"X-Consul-Token": token})

    def acls(self):
        """Everything of Consul's ACLs, with the indices that every write moves."""
        consul = self.consul()
        return consul("GET", "/v1/acl/policies"), consul("GET", "/v1/acl/tokens")

    def daemon_token(self, node=NAME):
        return (self.out / node / "consul.token").read_text().strip()

    def agent_tokens(self, node=NAME):
        return json.loads((self.out / node / "acl-tokens.json").read_text())["acl"]["tokens"]

    def test_01_without_a_token_it_says_what_is_needed(self):
        self.assertIn("--init", self.bootstrap("--yes", status=LOCAL))
        self.assertFalse(self.out.exists())

    def test_02_a_secret_of_an_interrupted_init_is_used(self):
        self.out.mkdir(mode=0o700)
        chosen = str(uuid.uuid4())
        (self.out / "management.token").write_text(chosen + "\n")
        self.bootstrap("--init", "--yes")
        self.assertEqual(self.consul()("GET", "/v1/acl/token/self")["SecretID"], chosen)

    def test_03_each_secret_is_in_a_file_for_its_node_alone(self):
        files = {str(file.relative_to(self.out)) for file in self.out.rglob("*.*")}
        wanted = {f"{node}/{name}" for node in NODES for name in FILES}
        self.assertEqual(files, wanted | {"management.token"})
        for node in NODES:
            self.assertEqual((self.out / node).stat().st_mode & 0o777, 0o700)
            for name in FILES:
                self.assertEqual((self.out / node / name).stat().st_mode & 0o777, 0o600)

    def test_04_the_second_run_changes_nothing_and_says_so(self):
        before = self.acls()
        for options in ((), ("--init",), ("--yes",)):
            self.assertIn("Nothing to change", self.bootstrap(*options))
        self.assertEqual(self.acls(), before)

    def test_05_drift_is_shown_and_mended(self):
        consul = self.consul()
        policy = consul("GET", f"/v1/acl/policy/name/bevmesh-daemon-{NAME}")
        consul(
            "PUT",
            "/v1/acl/policy/" + policy["ID"],
            {**policy, "Rules": policy["Rules"] + 'acl = "write"\n'},
        )
        token = consul("GET", f"/v1/acl/token/{self.accessor(self.daemon_token())}")
        more = [*token["Policies"], {"Name": "global-management"}]
        consul("PUT", f"/v1/acl/token/{token['AccessorID']}", {**token, "Policies": more})
        shown = self.bootstrap("--dry-run")
        self.assertIn('- acl = "write"', shown)
        self.assertIn("global-management", shown)
        self.bootstrap(status=LOCAL)  # nobody to ask
        self.bootstrap("--yes")
        mended = consul("GET", "/v1/acl/policy/" + policy["ID"])
        self.assertEqual(mended["Rules"], policy["Rules"])
        token = consul("GET", f"/v1/acl/token/{token['AccessorID']}")
        self.assertEqual([p["Name"] for p in token["Policies"]], [f"bevmesh-daemon-{NAME}"])
        self.assertIn("Nothing to change", self.bootstrap())

    def accessor(self, secret):
        return self.consul(secret)("GET", "/v1/acl/token/self")["AccessorID"]

    def test_06_a_file_that_went_is_written_again_and_others_are_kept(self):
        kept, lost = self.agent_tokens(), self.daemon_token()
        (self.out / NAME / "consul.token").unlink()
        self.bootstrap("--yes")
        self.assertEqual((self.agent_tokens(), self.daemon_token()), (kept, lost))

    def test_07_a_token_that_went_is_made_again(self):
        dead = self.agent_tokens()["dns"]
        self.consul()("DELETE", f"/v1/acl/token/{self.accessor(dead)}")
        self.assertIn("does not know the token in the file", self.bootstrap("--yes"))
        self.assertNotEqual(self.agent_tokens()["dns"], dead)
        self.accessor(self.agent_tokens()["dns"])

    def test_08_a_file_with_a_foreign_token_stops_it(self):
        file = self.out / NAME / "consul.token"
        kept = file.read_text()
        file.write_text((self.out / "management.token").read_text())
        before = self.acls()
        self.assertIn("move it away", self.bootstrap("--yes", status=REFUSED))
        self.assertEqual(self.acls(), before)
        file.write_text(kept)

    def test_09_it_can_be_told_what_is_wrong_with_the_token(self):
        said = self.bootstrap("--yes", token=self.daemon_token(), status=REMOTE)
        self.assertIn("management token", said)
        said = self.bootstrap("--yes", token=str(uuid.uuid4()), status=REMOTE)
        self.assertIn("does not know this token", said)
        said = self.bootstrap("--address", "127.0.0.1:1", status=REMOTE)
        self.assertIn("is Consul's agent running", said)

    def test_10_a_directory_that_others_can_write_to_is_refused(self):
        place = self.node.home / "shared"
        place.mkdir()
        place.chmod(0o777)
        token = self.out / "management.token"
        said = self.bootstrap("--yes", "--token-file", token, out=place, status=LOCAL)
        self.assertIn("others may write there", said)
        self.assertEqual(list(place.iterdir()), [])

    def test_11_init_of_a_cluster_that_was_is_refused_until_it_is_reset(self):
        place = self.node.home / "again"
        said = self.bootstrap("--init", "--yes", out=place, status=REFUSED)
        self.assertIn("has a management token already", said)
        self.assertFalse((place / "management.token").exists())
        index = said.partition("reset index: ")[2].partition(")")[0]
        (self.node.home / "consul/acl-bootstrap-reset").write_text(index)
        self.bootstrap("--init", "--yes", out=place)
        self.assertEqual((place / "management.token").stat().st_mode & 0o777, 0o600)
        self.assertEqual(
            (place / NAME / "consul.token").read_text(),
            (self.out / NAME / "consul.token").read_text(),
        )

    def test_12_the_daemons_token_does_what_its_daemon_does_and_nothing_else(self):
        own_service = {"Name": "web", "ID": "web", "Check": {"TTL": "1m", "CheckID": "ttl"}}
        self.can(
            self.daemon_token(),
            ("PUT", "/v1/agent/service/register", own_service),
            ("PUT", "/v1/agent/check/update/ttl", {"Status": "passing"}),
            ("GET", "/v1/agent/service/web", None),
            ("PUT", "/v1/agent/service/maintenance/web?enable=true", None),
            ("GET", "/v1/agent/self", None),
            ("GET", "/v1/health/service/web", None),
            ("PUT", "/v1/agent/service/deregister/web", None),
            ("PUT", "/v1/kv/bevmesh/failover/x?cas=0", "x"),
            ("GET", "/v1/kv/bevmesh/failover/x", None),
            ("PUT", "/v1/txn", self.lease_and_endpoint),
            ("DELETE", "/v1/kv/bevmesh/failover/x", None),
            ("PUT", "/v1/kv/bevmesh/restart/x?cas=0", "x"),
            ("DELETE", "/v1/kv/bevmesh/restart/x", None),
        )
        self.cannot(
            self.daemon_token(),
            ("PUT", "/v1/kv/bevmesh/x", "x"),
            ("PUT", "/v1/kv/outside", "x"),
            ("PUT", "/v1/kv/bevmeshother/x", "x"),
            ("GET", "/v1/acl/tokens", None),
            ("PUT", "/v1/acl/policy", {"Name": "x"}),
            ("PUT", "/v1/session/create", {"Node": "other"}),
            ("PUT", "/v1/agent/leave", None),
            ("PUT", "/v1/agent/reload", None),
            ("PUT", "/v1/agent/token/default", {"Token": "x"}),
            ("PUT", "/v1/catalog/register", self.elsewhere),
            ("PUT", "/v1/event/fire/x", None),
            ("GET", "/v1/operator/raft/configuration", None),
            ("POST", "/v1/query", {"Name": "x", "Service": {"Service": "web"}}),
            ("GET", "/v1/snapshot", None),
        )
        # Another node's daemon may ask its own agent, and not this one.
        self.cannot(self.daemon_token("other"), ("GET", "/v1/agent/self", None))

    # A lease beside what it leads to, as failover writes them.
    lease_and_endpoint = [
        {"KV": {"Verb": "set", "Key": "bevmesh/failover/x", "Value": "eA=="}},
        {"Node": {"Verb": "set", "Node": {"Node": "bevmesh", "Address": ADDRESS}}},
        {
            "Service": {
                "Verb": "set",
                "Node": "bevmesh",
                "Service": {"Service": "x-primary", "Address": ADDRESS, "Port": 1},
            }
        },
    ]
    elsewhere = {
        "Node": "third",
        "Address": "10.77.0.3",
        "Service": {"Service": "x", "Port": 1},
    }

    def test_13_a_daemon_runs_on_it_over_tls(self):
        """And believes no agent whose certificate its CA has not signed."""
        with contextlib.closing(self.consul()) as consul:
            self.start_daemon("stranger.pem")
            poll("the refusal", lambda: "certificate" in self.told()["consul"]["detail"], 30)
            self.assertEqual(self.registered(consul), [])
            self.assertEqual(self.node.stop("bevmesh"), 0)

            self.start_daemon("ca.pem")
            (unit,) = poll("the daemon's registration", lambda: self.registered(consul), 60)
            self.assertEqual((unit["Address"], unit["Port"]), (ADDRESS, 18087))
            told = poll("the registration in its status", lambda: self.told("announced"), 30)
            self.assertTrue(told["consul"]["reachable"], told["consul"])
            self.assertEqual(told["registrar"]["write_errors"], 0)
            self.assertEqual(self.node.stop("bevmesh"), 0)
            consul("PUT", "/v1/agent/service/deregister/" + unit["ID"])

    def start_daemon(self, ca):
        config = self.node.home / "daemon.yaml"
        config.write_text(
            "mesh: {name: test, datacenter: bev}\n"
            f"consul: {{address: 'https://{ADDRESS}:8501', ca_file: {self.node.home}/{ca},\n"
            f"  token_file: {self.out}/{NAME}/consul.token}}\n"
            f"docker: {{address: 'unix://{self.node.home}/no-engine.sock'}}\n"
            f"api: {{socket: {self.node.home}/api.sock, group: root}}\n"
            f"state_dir: {self.node.home}/state\n"
            f"nodes: {{{NAME}: {{address: {ADDRESS}}}}}\n"
            "services: {unit: {host: true, port: 18087}}\n"
        )
        self.node.start("bevmesh", [BINARY, "daemon", "--node", NAME, "--config", config])
        poll("the daemon's answer", lambda: self.node.registrar(), 30)

    def told(self, once=None):
        """The daemon's status; with `once`, only when its registrar says so."""
        status = self.node.api("GET", "/v1/status")
        return status if not once or status["registrar"][once] else None

    @staticmethod
    def registered(consul):
        services = consul("GET", "/v1/agent/services").values()
        return [s for s in services if s["Service"] == "unit"]

    def test_14_the_agents_token_writes_its_own_node_and_no_other(self):
        token = self.agent_tokens()["agent"]
        own = {"Node": NAME, "Address": ADDRESS}
        self.can(token, ("PUT", "/v1/catalog/register", own))
        self.can(token, ("GET", "/v1/catalog/services", None))
        self.cannot(
            token,
            ("PUT", "/v1/catalog/register", {"Node": "other", "Address": "10.77.0.2"}),
            ("PUT", "/v1/agent/service/register", {"Name": "web"}),
            ("PUT", "/v1/kv/x", "x"),
            ("GET", "/v1/acl/tokens", None),
            ("PUT", "/v1/session/create", {"Node": "other"}),
            ("GET", "/v1/operator/raft/configuration", None),
        )

    def test_15_the_token_of_dns_only_reads(self):
        token = self.agent_tokens()["dns"]
        self.can(
            token,
            ("GET", "/v1/catalog/services", None),
            ("GET", "/v1/health/service/consul", None),
            ("GET", f"/v1/catalog/node/{NAME}", None),
        )
        self.cannot(
            token,
            ("PUT", "/v1/catalog/register", {"Node": NAME, "Address": "10.77.0.9"}),
            ("PUT", "/v1/agent/service/register", {"Name": "web"}),
            ("GET", "/v1/kv/x", None),
            ("PUT", "/v1/kv/x", "x"),
            ("GET", "/v1/agent/self", None),
            ("GET", "/v1/acl/tokens", None),
            ("PUT", "/v1/session/create", {}),
            ("POST", "/v1/query", {"Name": "x", "Service": {"Service": "web"}}),
        )

    def can(self, token, *requests):
        with contextlib.closing(self.consul(token)) as consul:
            for method, path, body in requests:
                with self.subTest(f"{method} {path}"):
                    consul(method, path, body)

    def cannot(self, token, *requests):
        with contextlib.closing(self.consul(token)) as consul:
            for method, path, body in requests:
                with self.subTest(f"{method} {path}"), self.assertRaisesRegex(OSError, ": 403 "):
                    consul(method, path, body)

    def test_16_without_leader_and_without_acls_it_says_so(self):
        self.node.stop("consul", signal.SIGKILL)
        token = self.out / "management.token"
        for own, words in (
            ({"bootstrap_expect": 3}, "has no leader"),
            ({"bootstrap_expect": 1, "acl": {"enabled": False}}, "runs without ACLs"),
        ):
            start_consul(self.node, **own, data_dir=str(self.node.home / words.replace(" ", "")))
            agent = Http("127.0.0.1:8500")
            poll("the agent's answer", lambda agent=agent: self.answers(agent), 30)
            said = self.bootstrap("--token-file", token, status=REMOTE)
            self.assertIn(words, said)
            self.node.stop("consul", signal.SIGKILL)

    @staticmethod
    def answers(agent):
        try:
            agent("GET", "/v1/status/leader")
        except ConnectionError:
            return False
        except OSError:
            return True
        return True


if __name__ == "__main__":
    onenode.inside()
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2, warnings="ignore")
