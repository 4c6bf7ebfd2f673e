#!/usr/bin/env python3
"""What `cmake --install` puts where: install_test.py BUILD_DIR.

Installs into an empty DESTDIR, so nothing of this machine is touched, and asserts the whole tree:
what is there, with which mode, and that the unit starts the binary that came with it.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop() if len(sys.argv) > 1 else "build").resolve()
SOURCE = Path(__file__).resolve().parents[2]

FILES = {
    "bin/bevmesh": 0o755,
    "lib/systemd/system/bevmesh-guard@.service": 0o644,
    "lib/systemd/system/bevmesh.service": 0o644,
    "lib/sysusers.d/bevmesh.conf": 0o644,
    "lib/tmpfiles.d/bevmesh.conf": 0o644,
    "share/bevmesh/consul/agent-policy.hcl": 0o644,
    "share/bevmesh/consul/daemon-policy.hcl": 0o644,
    "share/bevmesh/consul/dns-policy.hcl": 0o644,
    "share/bevmesh/consul/https.hcl": 0o644,
    "share/bevmesh/consul/reload-policy.hcl": 0o644,
    "share/bevmesh/consul/server.hcl": 0o644,
    "share/bevmesh/vault/ca-operator-policy.hcl": 0o644,
    "share/bevmesh/vault/node-policy.hcl": 0o644,
    "share/bevmesh/vault/secret-policy.hcl": 0o644,
    "share/doc/bevmesh/README.md": 0o644,
    "share/doc/bevmesh/examples/bev.yaml": 0o644,
    "share/doc/bevmesh/examples/failover.conf": 0o644,
    "share/doc/bevmesh/examples/failover-unit.conf": 0o644,
    "share/doc/bevmesh/examples/failover-unit.rules": 0o644,
}


def install(prefix, destination):
    done = subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", prefix],
        env={**os.environ, "DESTDIR": str(destination)}, text=True, capture_output=True)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)


class Install(unittest.TestCase):
    def setUp(self):
        self.maxDiff = None
        folder = tempfile.TemporaryDirectory(prefix="bevmesh-install-")
        self.addCleanup(folder.cleanup)
        self.destination = Path(folder.name)

    def check_tree(self, prefix):
        install(prefix, self.destination)
        root = self.destination / prefix.lstrip("/")
        found = {str(path.relative_to(root)): path.stat().st_mode & 0o7777
                 for path in root.rglob("*") if not path.is_dir()}
        self.assertEqual(found, FILES)
        files = [path for path in self.destination.rglob("*") if not path.is_dir()]
        outside = [path for path in files if root not in path.parents]
        self.assertEqual(outside, [], "nothing is installed outside the prefix")
        unit = (root / "lib/systemd/system/bevmesh.service").read_text()
        self.assertIn(f"\nExecStart={prefix}/bin/bevmesh daemon ", unit)
        self.assertNotRegex(unit, r"@\w+@", "a name that CMake did not fill in")

    def test_prefix_of_a_package(self):
        self.check_tree("/usr")

    def test_prefix_of_an_admin(self):
        self.check_tree("/usr/local")

    def test_the_example_is_the_mesh_of_the_tree(self):
        install("/usr", self.destination)
        example = self.destination / "usr/share/doc/bevmesh/examples/bev.yaml"
        self.assertEqual(example.read_bytes(), (SOURCE / "config/bev.yaml").read_bytes())

    def test_the_installed_binary_runs(self):
        install("/usr", self.destination)
        done = subprocess.run([self.destination / "usr/bin/bevmesh", "--version"],
                              text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
