"""What a process costs, from /proc: memory in MB (2^20), CPU time in seconds."""

import os
from pathlib import Path


def memory(pid):
    """VmRSS, RssAnon, VmHWM."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":" in line
    )
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}


def cpu_seconds(pid):
    """Time on a CPU of all living threads, to the nanosecond (schedstat)."""
    return (
        sum(
            int((Path(f"/proc/{pid}/task") / thread / "schedstat").read_text().split()[0])
            for thread in os.listdir(f"/proc/{pid}/task")
        )
        / 1e9
    )
