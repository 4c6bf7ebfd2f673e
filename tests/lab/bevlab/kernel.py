"""The kernel's part: entering namespaces, cgroups that find every process of the lab, process
identity.

Works with cgroup v2, with v1, and with both mounted. A process is told by its id and start time, so
that a reused id is never mistaken; a zombie counts as gone.
"""

import ctypes
import os
import signal
import time
from pathlib import Path

from .layout import CGROUP, LabError

_libc = ctypes.CDLL(None, use_errno=True)


def become_reaper(name):
    """Orphans below this process become its children; `name` is for ps."""
    pr_set_name, pr_set_child_subreaper = 15, 36
    _libc.prctl(pr_set_name, name.encode(), 0, 0, 0)
    if _libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        raise LabError("prctl(PR_SET_CHILD_SUBREAPER): " + os.strerror(ctypes.get_errno()))


def enter(pid, kinds=("mnt", "uts", "net")):
    """Moves this (single-threaded) process into the namespaces of `pid`."""
    files = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in kinds]
    for file in files:
        if _libc.setns(file, 0) != 0:
            code = ctypes.get_errno()
            raise LabError(f"cannot enter the namespaces of process {pid}: {os.strerror(code)}")
        os.close(file)


class in_network:
    """With-block in the network namespace of `pid`: sockets made in it stay there."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        enter(self.pid, ("net",))

    def __exit__(self, *_):
        failed = _libc.setns(self.home, 0) != 0
        os.close(self.home)
        if failed:
            raise LabError("cannot leave the node's network namespace")


def stat_of(pid):
    """(state, start time) of a process, or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rsplit(") ", 1)[1].split()
    return fields[0], int(fields[19])


def identity(pid):
    stat = stat_of(pid)
    return [pid, stat[1]] if stat else None


def alive(who):
    """Whether the process with this identity still runs."""
    if not who:
        return False
    stat = stat_of(who[0])
    return bool(stat) and stat[1] == who[1] and stat[0] not in "ZX"


def stopped(who):
    stat = stat_of(who[0]) if who else None
    return bool(stat) and stat[1] == who[1] and stat[0] in "Tt"


def wait_gone(who, seconds):
    end = time.monotonic() + seconds
    while alive(who):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _hierarchies():
    """Mount points of all cgroup hierarchies, version 2 first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, rest = line.partition(" - ")
        kind = rest.split()[0]
        if kind in ("cgroup", "cgroup2"):
            found.append((kind != "cgroup2", Path(mount.split()[4])))
    if not found:
        raise LabError(
            "no cgroup is mounted: the lab cannot find its processes, and Docker needs them"
        )
    return [path for _, path in sorted(found)]


def _tree():
    """The lab's cgroup in the hierarchy that holds every process of it."""
    return _hierarchies()[0] / CGROUP


def join(*parts):
    """Moves this process into a cgroup of the lab, made when it is not there."""
    group = _tree().joinpath(*parts)
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))


def members(*parts):
    """Ids of all processes below a cgroup of the lab."""
    pids = []
    for folder, _, _ in os.walk(_tree().joinpath(*parts)):
        try:
            pids += [int(pid) for pid in (Path(folder) / "cgroup.procs").read_text().split()]
        except OSError:
            continue  # removed while we walked
    return pids


def freeze(frozen, *parts):
    """Stops or continues every process of a cgroup at once. Without a freezer: by signals."""
    switch = _tree().joinpath(*parts) / "cgroup.freeze"
    if switch.exists():
        switch.write_text("1" if frozen else "0")
        return
    for pid in members(*parts):
        send(pid, signal.SIGSTOP if frozen else signal.SIGCONT)


def is_frozen(*parts):
    switch = _tree().joinpath(*parts) / "cgroup.freeze"
    return switch.exists() and switch.read_text().strip() == "1"


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_group(*parts):
    """Kills everything in a cgroup of the lab and removes it, in every hierarchy."""
    group = _tree().joinpath(*parts)
    end = time.monotonic() + 20
    while pids := [pid for pid in members(*parts) if alive(identity(pid))]:
        if time.monotonic() > end:
            raise LabError(f"processes that do not die: {pids}")
        if (group / "cgroup.kill").exists():
            (group / "cgroup.kill").write_text("1")
        for pid in pids:
            send(pid, signal.SIGKILL)
        time.sleep(0.02)
    for hierarchy in _hierarchies():
        _remove(hierarchy.joinpath(CGROUP, *parts), end)


def _remove(group, end):
    for folder, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:  # the last process is on its way out
                if time.monotonic() < end:
                    time.sleep(0.02)
                    continue
            break
