#!/usr/bin/python3
"""`bevmesh dns` on a host with systemd-resolved: resolved_test.py BEVMESH, as root.

The host is a container with systemd as its first process and an engine of its own in it, so that
units, resolver, engine and containers are one host's. After `remove` every file in /etc is what it
was.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "systemd")]

from host import Host, HostError, until  # noqa: E402

CACHE = Path(os.environ.get("BEVMESH_CACHE", "/var/cache/bevmesh"))
NAME, ADDRESS = "cache.service.consul", "100.96.197.84"
NOBODY = "nobody-has-this.service.consul"
CONFIG = "/etc/bevmesh/bevmesh.yaml"
ENGINE = """[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd --host=unix:///run/docker.sock --exec-opt=native.cgroupdriver=cgroupfs \
--cgroup-parent=/{cgroup}/inner
"""


class NestedHost(Host):
    """Its engine is its own: more rights, a disk for the images, and no socket from outside."""

    def _start_container(self):
        self.docker("import", self.image, "host")
        (self.folder / "inner").mkdir()
        binds = [f"--volume={source}:{target}:ro" for source, target in self.binds]
        self.docker(
            "run", "--detach", "--name=host", f"--hostname={self.hostname}", "--network=none",
            "--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN", "--cap-add=SYS_PTRACE",
            "--security-opt=seccomp=unconfined", "--security-opt=systempaths=unconfined",
            "--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup", "--tmpfs=/run",
            "--tmpfs=/run/lock", "--tmpfs=/tmp", f"--volume={self.folder}/inner:/var/lib/docker",
            *binds, "--env=container=docker", "host", "/sbin/init")
        until("systemd is up", self._is_up, 60)


def shared_libraries(binary):
    """Of sanitizers, which the host has not."""
    said = subprocess.run(["ldd", binary], text=True, capture_output=True).stdout
    return [line.split()[2] for line in said.splitlines() if "san.so" in line]


def snapshot():
    script = ("cd /etc && find . -xdev ! -name mtab -printf '%p %y %m %U %G %l\\n' | sort; "
              "find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum")
    return host.run("sh", "-c", script).stdout


def dns(verb, *args):
    done = host.run("bevmesh", "dns", verb, *args, "--format=json", check=False)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.returncode, answer, done.stderr


def ask(network):
    """musl and glibc in a new container: the lines of both."""
    both = f'/ask {NAME} {NOBODY}; echo; /usr/bin/getent ahosts {NAME}; true'
    mounts = [f"-v{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64", "/ask")]
    done = host.run("docker", "run", "--rm", f"--network={network}", *mounts, "stand-in", "sh",
                    "-c", both)
    musl, _, glibc = done.stdout.partition("\n\n")
    return musl, {line.split()[0] for line in glibc.splitlines()}


class Resolved(unittest.TestCase):
    maxDiff = None

    def test_every_network_resolves_and_remove_leaves_nothing(self):
        before = snapshot()
        code, seen, said = dns("doctor", "--service=cache")
        self.assertEqual(code, 3, said)
        self.assertEqual(seen["resolver"]["kind"], "systemd-resolved")
        self.assertEqual({f["code"] for f in seen["findings"] if f["level"] == "error"},
                         {"DNS201", "DNS301"})
        code, done, said = dns("apply", "--service=cache", "--yes", "--restart-docker")
        self.assertEqual((code, done.get("changed")), (0, True), said)
        for network in ("bridge", "mine", "shut", "host"):
            with self.subTest(network):
                self.assertEqual(ask(network), (f"{NAME} {ADDRESS}\n{NOBODY} NONAME", {ADDRESS}))
        code, again, said = dns("apply", "--service=cache", "--yes")
        self.assertEqual((code, again.get("changed")), (0, False), said)
        code, gone, said = dns("remove", "--yes", "--restart-docker")
        self.assertEqual((code, gone.get("problems")), (0, []), said)
        self.assertEqual(snapshot(), before)


def prepare():
    host.run("sh", "-c", "umount /etc/resolv.conf; "
             "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    host.run("mkdir", "-p", "/etc/systemd/system/docker.service.d", "/etc/bevmesh")
    host.write("/etc/systemd/system/docker.service.d/lab.conf",
               ENGINE.format(cgroup=host.cgroup))
    host.write(CONFIG, (ROOT / "config/bev.yaml").read_text())
    # resolved asks nobody on a host that has no link with an address.
    for line in ("link add eth0 type veth peer name far", "addr add 100.122.12.35/10 dev eth0",
                 "link set far up", "link set eth0 up"):
        host.run("ip", *line.split())
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "systemd-resolved")
    host.run("systemctl", "restart", "docker")
    host.run("docker", "import", "/stand-in.tar", "stand-in")
    host.run("docker", "network", "create", "mine")
    host.run("docker", "network", "create", "--internal", "shut")
    host.run("systemd-run", "--unit=consul", "consul", "agent", "-dev", "-node=starlord",
             "-datacenter=bev", "-bind=127.0.0.1")
    body = json.dumps({"Node": "oracle1", "Address": ADDRESS,
                       "Service": {"Service": "cache", "Port": 6379}})
    until("Consul takes the service of another node", lambda: host.run(
        "consul", "catalog", "nodes", check=False).returncode == 0, 30)
    host.write("/tmp/service.json", body)
    put = ("exec 3<>/dev/tcp/127.0.0.1/8500; b=$(cat /tmp/service.json); printf 'PUT "
           "/v1/catalog/register HTTP/1.0\\r\\nContent-Length: %s\\r\\n\\r\\n%s' ${#b} \"$b\" >&3; "
           "cat <&3")
    until("the service is registered",
          lambda: "true" in host.run("bash", "-c", put, check=False).stdout, 30)


def main():
    global host
    binary = Path(sys.argv.pop(1)).resolve()
    image = subprocess.run([ROOT / "tests/lab/images/build", "resolved"],
                           text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
    stand_in = subprocess.run([ROOT / "tests/lab/images/build", "stand-in"],
                              text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
    consul = max(CACHE.glob("consul-1.*"))
    with tempfile.TemporaryDirectory(prefix="bevmesh-dns-") as folder:
        asker = Path(folder) / "ask"
        subprocess.run(["musl-gcc", "-static", "-O1", "-o", asker, HERE / "ask.c"], check=True)
        binds = [(consul, "/usr/bin/consul"), (binary, "/usr/bin/bevmesh"), (asker, "/ask"),
                 (stand_in, "/stand-in.tar"), *((lib, lib) for lib in shared_libraries(binary))]
        try:
            with NestedHost(image, "starlord", binds=binds) as host:
                prepare()
                program = unittest.main(exit=False, verbosity=2)
        except HostError as error:
            print(f"resolved_test: {error}", file=sys.stderr)
            return 1
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
