"""The parent of a service: reaps what it leaves behind and notes how it ended.

On a real node that is systemd. Some machines' init reaps late or never, and then dockerd takes a
dead containerd for a living one. The keeper is a fork of the lab's command that outlives it: one a
service and start, gone when the last process below is.
"""

import json
import os
import subprocess

from . import kernel
from .layout import LabError


def start(group, argv, log, environment, enter, ending):
    """Starts `argv` in a cgroup of the lab, after `enter()`; its identity.

    How it ends is written to `ending`: the exit code, or minus the signal.
    """
    ending.unlink(missing_ok=True)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            _keep(group, argv, log, environment, enter, ending, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with open(reader) as pipe:
        answer = json.loads(pipe.read() or '{"error": "no keeper"}')
    if "error" in answer:
        os.waitpid(pid, 0)
        raise LabError(f"cannot start {'/'.join(group)}: {answer['error']}")
    return answer["identity"]


def _keep(group, argv, log, environment, enter, ending, writer):
    # Nothing of the caller's stays open: not its lock, not a pipe that somebody reads to its end.
    os.setsid()
    pipe = os.dup2(writer, 3)
    os.closerange(4, 4096)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    kernel.join(group[0], "keeper")
    kernel.become_reaper("lab-keeper")

    def become():
        kernel.join(*group)
        enter()

    try:
        with open(log, "ab") as out:
            service = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment,
                start_new_session=True,
                preexec_fn=become,
            )
    except (OSError, subprocess.SubprocessError) as error:
        os.write(pipe, json.dumps({"error": str(error)}).encode())
        os._exit(1)
    os.write(pipe, json.dumps({"identity": kernel.identity(service.pid)}).encode())
    os.close(pipe)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            os._exit(0)
        if pid == service.pid:
            part = ending.with_suffix(".part")
            part.write_text(f"{os.waitstatus_to_exitcode(status)}\n")
            os.replace(part, ending)
