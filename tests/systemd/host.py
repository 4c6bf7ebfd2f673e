"""A host with systemd as its first process: a container, on a Docker engine of our own.

The engine runs in network, mount and PID namespaces made for it, with its files in a temporary
directory; when it is closed nothing is left, even if a test was killed in the middle. The container
has no network but loopback. Inside, the engine's own socket is /run/docker.sock, so that a daemon
there has a real engine to talk to.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


class HostError(Exception):
    """What the user is told, without a traceback."""


def until(what, check, seconds):
    """Polls until `check` gives something true, and returns it; else fails with `what`."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise HostError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Host:
    """Use in a `with`: the engine, the container, and commands in it."""

    def __init__(self, image, hostname, binds=()):
        self.image = image
        self.hostname = hostname
        self.binds = binds
        self.engine = None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="bevmesh-systemd-"))
        self.cgroup = self.folder.name
        self.socket = self.folder / "docker.sock"
        try:
            self._start_engine()
            self._start_container()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.engine:
            # With the first process of its PID namespace, everything in it ends.
            self.engine.kill()
            self.engine.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._remove_cgroups()

    def _start_engine(self):
        log = open(self.folder / "engine.log", "w")
        self.engine = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "unshare", "--net", "--mount", "--pid", "--fork",
             "--mount-proc", "--kill-child", "dockerd", f"--host=unix://{self.socket}",
             f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec",
             f"--pidfile={self.folder}/engine.pid",
             "--bridge=none", "--iptables=false", "--ip-forward=false",
             "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.cgroup}"],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            until("the engine answers", self._engine_answers, 30)
        except HostError as error:
            raise HostError(f"{error}\n{(self.folder / 'engine.log').read_text()[-3000:]}")

    def _engine_answers(self):
        if self.engine.poll() is not None:
            raise HostError("the engine ended")
        return self.socket.exists() and self.docker("version", check=False).returncode == 0

    def _start_container(self):
        self.docker("import", self.image, "host")
        binds = [f"--volume={source}:{target}:ro" for source, target in self.binds]
        self.docker(
            "run", "--detach", "--name=host", f"--hostname={self.hostname}", "--network=none",
            "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined", "--cgroupns=host",
            "--volume=/sys/fs/cgroup:/sys/fs/cgroup", "--tmpfs=/run", "--tmpfs=/run/lock",
            "--tmpfs=/tmp", f"--volume={self.socket}:/run/docker.sock", *binds,
            "--env=container=docker", "host", "/sbin/init")
        until("systemd is up", self._is_up, 60)

    def _is_up(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in (
            "running", "degraded")

    def docker(self, *args, check=True, **how):
        done = subprocess.run(["docker", *args], text=True, capture_output=True, **how,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                                   "DOCKER_HOST": f"unix://{self.socket}"})
        if check and done.returncode:
            raise HostError(f"docker {' '.join(map(str, args))}: {done.stderr}{done.stdout}")
        return done

    def run(self, *argv, check=True, **how):
        """A command on the host; its output is text."""
        return self.docker("exec", *(["-i"] if "input" in how else []), "host", *argv,
                           check=check, **how)

    def write(self, path, text):
        self.run("dd", "status=none", f"of={path}", input=text)

    def put(self, folder):
        """Copies what is in the folder to / of the host."""
        self.docker("cp", f"{folder}/.", "host:/")

    def _remove_cgroups(self):
        """systemd made groups below the container's, in every hierarchy."""
        tops = [p for p in (*CGROUPS.glob(self.cgroup), *CGROUPS.glob(f"*/{self.cgroup}"))]
        until("the container's control groups are empty", lambda: all(map(_remove, tops)), 10)


def _remove(top):
    """Removes a tree of control groups; False while one still has a process that is ending."""
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
