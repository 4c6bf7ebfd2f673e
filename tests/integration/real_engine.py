"""A Docker engine of a test's own, in the namespaces that the test runs in.

Containers have the test's network. Nothing is left of it: containers, mounts and control groups go
with it.
"""

import os
import subprocess
from pathlib import Path

from onenode import ROOT, poll

CGROUPS = Path("/sys/fs/cgroup")


class RealEngine:
    """Use as a context, in that of the node."""

    def __init__(self, node):
        self.node, self.home = node, node.home
        self.socket = node.home / "docker.sock"
        self.cgroup = node.home.name

    def __enter__(self):
        # An image has thousands of files, which a disk takes long to remove.
        (self.home / "data").mkdir()
        tmpfs = ["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", self.home / "data"]
        subprocess.run(tmpfs, check=True)
        self.node.start(
            "docker",
            [
                *("dockerd", f"--host=unix://{self.socket}", f"--data-root={self.home}/data"),
                *(f"--exec-root={self.home}/exec", f"--pidfile={self.home}/engine.pid"),
                *("--bridge=none", "--iptables=false", "--ip-forward=false"),
                *("--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.cgroup}"),
            ],
        )
        poll("the engine", lambda: self.docker("version", check=False).returncode == 0, 60, 0.1)
        return self

    def __exit__(self, *_):
        containers = self.docker("ps", "--all", "--quiet", check=False).stdout.split()
        if containers:
            self.docker("rm", "--force", *containers, check=False)
        self.node.stop("docker")
        # It leaves its own network namespace mounted, where nothing can be removed then.
        for mounted in ("exec/netns/default", "data"):
            subprocess.run(["umount", self.home / mounted], stderr=subprocess.DEVNULL)
        groups = [*CGROUPS.glob(self.cgroup), *CGROUPS.glob(f"*/{self.cgroup}")]
        poll("empty control groups", lambda: all(map(_remove, groups)), 20)

    def docker(self, *words, check=True):
        done = subprocess.run(
            ["docker", *map(str, words)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "DOCKER_HOST": f"unix://{self.socket}",
            },
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise RuntimeError(f"docker {words[0]}: {done.stderr.strip()}")
        return done

    def import_image(self, name):
        """One of the lab's, as NAME."""
        build = [ROOT / "tests/lab/images/build", name]
        tar = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
        self.docker("import", tar, name)

    def run(self, name, *words, binds=()):
        volumes = [f"--volume={source}:{target}:ro" for source, target in binds]
        how = ("run", "--detach", "--network=host", f"--name={name}")
        self.docker(*how, *volumes, "base", *words)


def _remove(top):
    """Removes a tree of control groups; False while one still has a process that is ending."""
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
