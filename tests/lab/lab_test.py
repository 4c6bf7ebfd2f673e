#!/usr/bin/python3
"""The lab does what its commands say: one lab, in a directory of its own, for all cases.

Without bevmesh: what is tested here must hold before any daemon can be judged on it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODES = {"starlord": "100.122.12.35", "thanos": "100.122.12.54", "oracle1": "100.96.197.84"}
STATE = Path(tempfile.mkdtemp(prefix="bevmesh-lab-test.", dir="/var/tmp")) / "lab"
ENVIRONMENT = {**os.environ, "BEVMESH_LAB_DIR": str(STATE)}


def lab(*args, check=True, timeout=120, **how):
    done = subprocess.run(
        [HERE / "lab", *args],
        env=ENVIRONMENT,
        text=True,
        capture_output=True,
        timeout=timeout,
        **how,
    )
    if check and done.returncode:
        raise AssertionError(f"lab {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def on(node, *command, **how):
    return lab("exec", node, "--", *command, **how)


def eventually(what, holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def setUpModule():
    lab("up", "--no-daemon")
    lab("import", "thanos", "base")
    lab("import", "oracle1", "base", "stand-in")


def tearDownModule():
    lab("down", check=False)
    shutil.rmtree(STATE.parent, ignore_errors=True)


class Nodes(unittest.TestCase):
    def test_each_has_its_own_name_address_and_files(self):
        for node, address in NODES.items():
            self.assertEqual(on(node, "hostname").stdout.strip(), node)
            self.assertEqual(on(node, "cat", "/etc/hostname").stdout.strip(), node)
            self.assertIn(f"{address}/10", on(node, "ip", "-4", "addr", "show", "eth0").stdout)
            on(node, "sh", "-c", f"echo {node} > /var/lib/mark; echo {node} > /etc/mark")
        for node in NODES:
            self.assertEqual(
                on(node, "cat", "/var/lib/mark", "/etc/mark").stdout, f"{node}\n{node}\n"
            )
        self.assertFalse(Path("/etc/mark").exists() or Path("/var/lib/mark").exists())

    def test_there_is_no_way_out(self):
        self.assertNotIn("default", on("thanos", "ip", "route").stdout)
        ask = "exec 3<>/dev/tcp/192.0.2.1/53"
        done = on("thanos", "timeout", "1", "bash", "-c", ask, check=False)
        self.assertIn("unreachable", done.stderr)

    def test_exec_keeps_exit_code_and_standard_input(self):
        self.assertEqual(on("thanos", "sh", "-c", "exit 7", check=False).returncode, 7)
        self.assertEqual(on("thanos", "cat", input="through").stdout, "through")
        self.assertEqual(on("thanos", "no-such-program", check=False).returncode, 127)
        self.assertEqual(lab("exec", "nowhere", "--", "true", check=False).returncode, 1)


class Consul(unittest.TestCase):
    def as_daemon(self, method, path, node="oracle1"):
        script = (
            'curl -s -o /dev/null -w "%{http_code}" -X "$0" '
            '-H "X-Consul-Token: $(cat /etc/bevmesh/consul.token)" "localhost:8500/v1/$1"'
        )
        return on(node, "sh", "-c", script, method, path).stdout

    def test_three_servers_of_the_pinned_version_and_one_leader(self):
        members = on("oracle1", "consul", "members").stdout
        self.assertEqual(members.count("alive   server  1.22.7"), 3, members)
        leaders = {what["leader"] for what in json.loads(lab("status", "--json").stdout).values()}
        self.assertEqual(len(leaders), 1)

    def test_without_a_token_nothing_is_seen(self):
        self.assertEqual(
            on("thanos", "curl", "-s", "localhost:8500/v1/catalog/services").stdout, "{}"
        )

    def test_gossip_is_encrypted(self):
        info = json.loads(
            on(
                "thanos",
                "sh",
                "-c",
                'curl -s -H "X-Consul-Token: $CONSUL_HTTP_TOKEN" ' "localhost:8500/v1/agent/self",
            ).stdout
        )
        self.assertEqual(info["Stats"]["serf_lan"]["encrypted"], "true")

    def test_the_daemons_token_is_enough_and_no_more(self):
        for method, path in (
            ("GET", "agent/self"),
            ("GET", "agent/services"),
            ("GET", "agent/checks"),
            ("GET", "catalog/nodes"),
            ("GET", "health/service/consul"),
        ):
            self.assertEqual(self.as_daemon(method, path), "200", path)
        for method, path in (
            ("PUT", "kv/x"),
            ("PUT", "session/create"),
            ("PUT", "event/fire/x"),
            ("PUT", "agent/leave"),
            ("PUT", "agent/reload"),
            ("PUT", "agent/token/default"),
            ("PUT", "agent/maintenance?enable=true"),
            ("GET", "acl/tokens"),
            ("GET", "operator/raft/configuration"),
        ):
            self.assertEqual(self.as_daemon(method, path), "403", path)

    def test_tokens_are_secret_files(self):
        for node in NODES:
            for name in ("bevmesh/consul.token", "consul.d/this-node.json"):
                self.assertEqual((STATE / node / "etc" / name).stat().st_mode & 0o777, 0o600)

    def test_a_server_comes_back_with_its_tokens_after_its_data_was_lost(self):
        lab("kill", "starlord:consul")
        shutil.rmtree(STATE / "starlord/lib/consul")
        lab("start", "starlord:consul")
        eventually(
            "starlord is in the catalog again, by the agent's own token",
            lambda: on("thanos", "dig", "+short", "starlord.node.consul").stdout.strip()
            == NODES["starlord"],
        )


class Names(unittest.TestCase):
    def test_the_nodes_resolver_knows_the_mesh_and_nothing_else(self):
        eventually(
            "three servers by name",
            lambda: set(on("starlord", "dig", "+short", "consul.service.consul").stdout.split())
            == set(NODES.values()),
        )
        self.assertIn("REFUSED", on("starlord", "dig", "+tries=1", "example.com").stdout)

    def test_a_container_reaches_another_nodes_container_by_name(self):
        on(
            "oracle1",
            "docker",
            "run",
            "-d",
            "--name",
            "cache",
            "--network",
            "bev_oracle",
            "-p",
            "6379:6379",
            "bev/base",
            "redis-server",
            "--protected-mode",
            "no",
            "--save",
            "",
        )
        on(
            "oracle1",
            "consul",
            "services",
            "register",
            "-name=cache",
            "-port=6379",
            f"-address={NODES['oracle1']}",
        )
        eventually(
            "PONG",
            lambda: "PONG"
            in on(
                "thanos",
                "docker",
                "run",
                "--rm",
                "--network",
                "bev_network",
                "bev/base",
                "redis-cli",
                "-h",
                "cache.service.consul",
                "ping",
                check=False,
            ).stdout,
        )

    def test_a_stand_in_answers_health(self):
        on(
            "oracle1",
            "docker",
            "run",
            "-d",
            "--name",
            "stand",
            "-p",
            "7001:7001",
            "-p",
            "7002:7002",
            "bev/stand-in",
            "stand-in",
            "7001",
            "7002",
        )
        for port in (7001, 7002):
            eventually(
                "200",
                lambda: "stand-in"
                in on(
                    "thanos", "curl", "-s", f"http://{NODES['oracle1']}:{port}/health", check=False
                ).stdout,
            )


class Faults(unittest.TestCase):
    def tearDown(self):
        lab("heal")
        lab("thaw")

    def hears(self, a, b):
        """Whether `a` gets an answer from `b` (its Consul, where the mesh is)."""
        ask = f"exec 3<>/dev/tcp/{NODES[b]}/8301"
        return on(a, "timeout", "1", "bash", "-c", ask, check=False).returncode == 0

    def gets_datagram(self, source, target):
        receive = (
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3);"
            "s.bind(('', 7777)); print('ready', flush=True); print(s.recv(9))"
        )
        command = [HERE / "lab", "exec", target, "--", "python3", "-c", receive]
        with subprocess.Popen(
            command, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as listener:
            listener.stdout.readline()
            on(source, "bash", "-c", f"echo x > /dev/udp/{NODES[target]}/7777")
            return "x" in listener.communicate()[0]

    def test_cut_and_heal(self):
        lab("cut", "starlord", "thanos")
        self.assertFalse(self.hears("starlord", "thanos") or self.hears("thanos", "starlord"))
        for node in ("starlord", "thanos"):
            eventually(f"{node} hears oracle1", lambda a=node: self.hears(a, "oracle1"))
        lab("heal")
        eventually("starlord hears thanos", lambda: self.hears("starlord", "thanos"))

    def test_cut_one_way(self):
        lab("cut", "starlord", "thanos", "--one-way")
        self.assertFalse(self.gets_datagram("starlord", "thanos"))
        eventually("the other way", lambda: self.gets_datagram("thanos", "starlord"))

    def test_unplug(self):
        lab("unplug", "starlord")
        self.assertIn("NO-CARRIER", on("starlord", "ip", "link", "show", "eth0").stdout)
        lab("heal")
        eventually("the cable is back", lambda: self.hears("thanos", "starlord"))

    def test_freeze_a_service_and_a_node(self):
        lab("freeze", "starlord:docker")
        with self.assertRaises(subprocess.TimeoutExpired):
            on("starlord", "docker", "ps", timeout=2)
        lab("thaw", "starlord:docker")
        on("starlord", "docker", "ps")
        lab("freeze", "starlord")
        self.assertNotEqual(
            on(
                "starlord", "curl", "-sm1", "localhost:8500/v1/status/leader", check=False
            ).returncode,
            0,
        )
        lab("thaw", "starlord")
        eventually(
            "starlord sees a leader",
            lambda: ":8300"
            in on(
                "starlord", "curl", "-sm1", "localhost:8500/v1/status/leader", check=False
            ).stdout,
        )

    def test_kill_says_how_it_ended_and_start_brings_it_back(self):
        for how, said in (("KILL", "SIGKILL"), ("TERM", "exit code")):
            lab("kill", "starlord:docker", how)
            # The service's keeper writes it down a moment after the end.
            eventually(said, lambda: f"docker ended with {said}" in lab("status").stdout)
            lab("start", "starlord:docker")
            on("starlord", "docker", "ps")

    def test_a_power_cut_keeps_the_disk_and_loses_run(self):
        on("oracle1", "sh", "-c", "touch /run/gone /var/lib/kept")
        lab("crash", "oracle1")
        self.assertEqual(lab("exec", "oracle1", "--", "true", check=False).returncode, 1)
        lab("boot", "oracle1")
        self.assertEqual(
            on("oracle1", "sh", "-c", "ls /run/gone /var/lib/kept 2>/dev/null", check=False).stdout,
            "/var/lib/kept\n",
        )
        eventually("oracle1 is in the quorum again", lambda: self.hears("thanos", "oracle1"))


class End(unittest.TestCase):
    """Runs last (by its name in the order of load_tests): takes the lab down."""

    def leftovers(self):
        group = "bevmesh-lab-*"
        found = [
            str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{group}") if self.is_ours(path)
        ]
        mounts = [
            line
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if str(STATE) in line
        ]
        return found + mounts + ([str(STATE)] if STATE.exists() else [])

    def is_ours(self, path):
        sys.path.insert(0, str(HERE))
        os.environ["BEVMESH_LAB_DIR"] = str(STATE)
        from bevlab.layout import CGROUP

        return path.name == CGROUP

    def test_down_leaves_nothing_and_a_killed_up_is_no_obstacle(self):
        self.assertEqual(
            lab("up", "--no-daemon", check=False).returncode, 1, "a second `up` is refused"
        )
        lab("down")
        self.assertEqual(self.leftovers(), [])
        for seconds in (0.05, 0.3, 0.9):
            with subprocess.Popen(
                [HERE / "lab", "up", "--no-daemon"],
                env=ENVIRONMENT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as up:
                time.sleep(seconds)  # the moment of the kill, not a wait for something
                up.send_signal(signal.SIGKILL)
            lab("down")
            self.assertEqual(self.leftovers(), [], f"killed after {seconds} s")


def load_tests(loader, _standard, _pattern):
    return unittest.TestSuite(
        loader.loadTestsFromTestCase(case) for case in (Nodes, Consul, Names, Faults, End)
    )


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    if os.geteuid() != 0:
        sys.exit("lab_test: must be run as root")
    unittest.main(verbosity=2)
