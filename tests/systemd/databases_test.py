#!/usr/bin/env python3
"""A database as a systemd unit, for real: databases_test.py UNIT_HOUSING BEVMESH, as root.

Debian's own Redis and PostgreSQL under systemd, on a host in a container. First the unit's housing
as root, then as the daemon has it: as user bevmesh, in the sandbox of the installed unit with the
drop-ins and the polkit rule that the operator adds. Last, the guard's unit.
"""

import json
import os
import shlex
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from host import Host, HostError, until  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "config/systemd"
UNITS = "/etc/systemd/system"
SCRIPT = "/usr/bin/in-sandbox"
REDIS, POSTGRES = "redis-server", "postgresql@15-main"
# A primary with children of its own, one of which has left its process group and session.
FAMILY = """[Unit]
StartLimitBurst=2
[Service]
ExecStart=/bin/sh -c 'setsid sleep 1000 & (trap "" TERM INT; sleep 1001) & exec sleep 1002'
TimeoutStopSec=1s
"""

host = None


def show(unit, name):
    return host.run("systemctl", "show", unit, f"--property={name}", "--value").stdout.strip()


def start(unit):
    host.run("systemctl", "reset-failed", unit, check=False)
    host.run("systemctl", "start", unit)


def processes(unit):
    """In its control group, while it has one."""
    group = show(unit, "ControlGroup")
    if not group:
        return []
    done = host.run("sh", "-c", f"cat /sys/fs/cgroup{group}/cgroup.procs "
                    f"/sys/fs/cgroup/systemd{group}/cgroup.procs 2>/dev/null", check=False)
    return done.stdout.split()


def alive(pid):
    state = host.run("sh", "-c", f"cut -d' ' -f3 /proc/{pid}/stat 2>/dev/null", check=False)
    return state.stdout.strip() not in ("", "Z")


def write_unit(name, text):
    host.run("mkdir", "-p", os.path.dirname(f"{UNITS}/{name}"))
    host.write(f"{UNITS}/{name}", text)
    host.run("systemctl", "daemon-reload")


class AsRoot:
    """unit_housing by itself."""

    def house(self, unit, verb, *more):
        done = host.run("env", "ASAN_OPTIONS=detect_leaks=0", "unit_housing", unit, verb, *more,
                        check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def value(self, unit, verb, *more):
        said = self.house(unit, verb, *more)
        self.assertNotIn("error", said)
        return said["value"]


class Housing(AsRoot, unittest.TestCase):
    maxDiff = None

    def test_a_running_unit_is_seen_with_its_control_group(self):
        start(REDIS)
        seen = self.value(REDIS, "look")
        self.assertEqual(seen["where"], "redis-server.service")
        self.assertEqual(seen["pid"], int(show(REDIS, "MainPID")))
        self.assertTrue(seen["cgroup"].endswith("/system.slice/redis-server.service"), seen)
        self.assertEqual(host.run("cat", seen["cgroup"] + "/cgroup.procs").stdout.split(),
                         [str(seen["pid"])])
        self.assertEqual(seen["argv"][:2], ["/usr/bin/redis-server", "/etc/redis/redis.conf"])
        self.assertTrue(seen["alive"])
        self.assertFalse(seen["restarted_by_others"])

    def test_it_is_started_and_once_only(self):
        host.run("systemctl", "stop", REDIS)
        self.assertEqual(self.house(REDIS, "look")["error"], "not found")
        self.value(REDIS, "start")
        pid = self.value(REDIS, "look")["pid"]
        self.value(REDIS, "start")
        self.assertEqual(self.value(REDIS, "look")["pid"], pid)

    def test_all_of_a_unit_is_killed_and_it_starts_again_although_it_was_killed_often(self):
        for _ in range(4):
            self.value("family", "start")
            until("it has children", lambda: len(processes("family")) >= 3, 10)
            pids = processes("family")
            self.value("family", "kill")
            self.assertEqual([pid for pid in pids if alive(pid)], [])
            until("systemd has seen it", lambda: show("family", "ActiveState") == "failed", 10)
        self.value("family", "kill")

    def test_what_a_unit_left_behind_is_no_nothing_and_is_killed(self):
        write_unit("family.service.d/test.conf", "[Service]\nKillMode=process\n")
        try:
            self.value("family", "start")
            until("it has children", lambda: len(processes("family")) >= 3, 10)
            host.run("systemctl", "stop", "family")
            left = processes("family")
            self.assertGreaterEqual(len(left), 2)
            self.assertEqual(self.house("family", "look")["error"], "conflict")
            self.value("family", "kill")
            self.assertEqual([pid for pid in left if alive(pid)], [])
            self.assertEqual(self.house("family", "look")["error"], "not found")
        finally:
            host.run("rm", "-r", f"{UNITS}/family.service.d")
            host.run("systemctl", "daemon-reload")

    def test_a_unit_that_systemd_would_restart_is_told_and_stays_dead(self):
        for rest in ("100ms", "0"):
            write_unit("family.service.d/test.conf",
                       f"[Service]\nRestart=always\nRestartSec={rest}\n")
            try:
                self.value("family", "start")
                seen = self.value("family", "look")
                self.assertTrue(seen["restarted_by_others"])
                self.value("family", "kill")
                self.assertFalse(alive(seen["pid"]))
                # Longer than it would take to come back.
                host.run("sleep", "0.5")
                self.assertEqual(show("family", "MainPID"), "0")
                self.assertEqual(self.house("family", "look")["error"], "not found")
            finally:
                host.run("rm", "-r", f"{UNITS}/family.service.d")
                host.run("systemctl", "daemon-reload")

    def test_a_signal_goes_to_the_main_process(self):
        start(REDIS)
        self.value(REDIS, "signal", "INT")
        until("it ended in order", lambda: show(REDIS, "ActiveState") == "inactive", 10)
        self.assertEqual(self.house(REDIS, "signal", "INT")["error"], "not found")
        self.assertEqual(self.house(REDIS, "signal", "NONE")["error"], "bad input")

    def test_a_unit_that_cannot_start_says_why(self):
        for unit, why in (("no-such", "not-found"), ("shut", "masked")):
            said = self.house(unit, "start")
            self.assertEqual((said["error"], why in said["doing"]), ("bad input", True), said)
            self.assertEqual(self.house(unit, "look")["error"], "not found")
        said = self.house("broken", "start")
        self.assertEqual(said["error"], "remote error", said)
        self.assertIn("exit-code", said["doing"])
        self.assertIn("neither", self.house("postgresql@", "look")["doing"])
        self.assertEqual(self.house("redis*", "start")["error"], "bad input")
        self.assertEqual(self.house("systemd-journald.socket", "look")["error"], "bad input")

    def test_tools_run_as_the_units_user_and_what_they_write_comes_back(self):
        self.assertEqual(self.value(REDIS, "run", "", "", "id", "-un"), "redis\n")
        self.assertEqual(self.value(POSTGRES, "run", "", "", "id", "-u"), "0\n")
        self.assertEqual(self.value(POSTGRES, "run", "postgres", "wonder land", "sh", "-c",
                                    "echo $PGPASSWORD $LC_ALL"), "wonder land C\n")
        said = self.house(POSTGRES, "run", "postgres", "",
                          "/usr/lib/postgresql/15/bin/pg_controldata", "/no/such")
        self.assertEqual(said["error"], "remote error")
        self.assertIn("could not open file", said["doing"])

    def test_postgres_is_started_seen_and_stopped_in_order(self):
        host.run("systemctl", "stop", POSTGRES)
        self.value(POSTGRES, "start")
        # Also while systemd still waits for pg_ctlcluster, as after a crash.
        seen = self.value(POSTGRES, "look")
        self.assertEqual(seen["where"], "postgresql@15-main.service")
        self.assertIn("postgres", host.run("cat", f"/proc/{seen['pid']}/comm").stdout)
        self.assertEqual(self.value(POSTGRES, "launched")["argv"][2:], ["15-main", "start"])
        self.value(POSTGRES, "signal", "INT")
        until("it stopped", lambda: not alive(seen["pid"]), 20)
        until("systemd has seen it", lambda: show(POSTGRES, "MainPID") == "0", 10)
        control = self.value(POSTGRES, "run", "postgres", "",
                             "/usr/lib/postgresql/15/bin/pg_controldata",
                             "/var/lib/postgresql/15/main")
        self.assertRegex(control, r"cluster state: +shut down( in recovery)?\n")

    def test_postgres_is_killed_with_its_backends(self):
        self.value(POSTGRES, "start")
        until("it runs with its children", lambda: len(processes(POSTGRES)) > 4, 20)
        pids = processes(POSTGRES)
        said = self.house(POSTGRES, "kill")
        self.assertNotIn("error", said)
        print(f"\n    dead {said['ms']:.0f} ms after the call, {len(pids)} processes",
              file=sys.stderr)
        self.assertEqual([pid for pid in pids if alive(pid)], [])

    def test_a_file_is_the_hosts(self):
        self.assertIn("dir /var/lib/redis", self.value(REDIS, "read", "/etc/redis/redis.conf"))
        self.assertEqual(self.house(REDIS, "read", "/no/such")["error"], "not found")


class Sandboxed(Housing):
    """The same from the daemon's place."""

    def house(self, unit, verb, *more):
        words = shlex.join(["unit_housing", unit, verb, *more])
        host.write(SCRIPT, f"#!/bin/sh\nexport ASAN_OPTIONS=detect_leaks=0\nexec {words}\n")
        host.run("systemctl", "start", "in-sandbox", check=False)
        out = host.run("cat", "/run/in-sandbox.out").stdout
        self.assertTrue(out.startswith("{"), host.run("journalctl", "-u", "in-sandbox", "-o", "cat",
                                                      "-n", "20").stdout)
        return json.loads(out)

    def test_without_the_rule_nothing_is_started_and_the_reason_is_told(self):
        rules = "/etc/polkit-1/rules.d/failover-unit.rules"
        host.run("systemctl", "stop", REDIS)
        host.run("mv", rules, rules + ".off")
        host.run("systemctl", "restart", "polkit")
        try:
            said = self.house(REDIS, "start")
            self.assertIn("error", said)
            self.assertIn("start it", said["doing"])
        finally:
            host.run("mv", rules + ".off", rules)
            host.run("systemctl", "restart", "polkit")


class Guard(AsRoot, unittest.TestCase):
    """The installed unit bevmesh-guard@ over a unit."""

    SOCKET = "/run/bevmesh-guard/test.sock"

    def setUp(self):
        host.run("systemctl", "start", "bevmesh-guard@test")
        until("the guard answers", lambda: host.run("test", "-S", self.SOCKET,
                                                    check=False).returncode == 0, 10)
        self.value("family", "start")
        until("it has children", lambda: len(processes("family")) >= 3, 10)
        self.pids = processes("family")

    def tearDown(self):
        self.value("family", "kill")

    def dead(self):
        return not any(alive(pid) for pid in self.pids)

    def test_all_of_the_unit_is_dead_at_the_end_of_the_lease_and_stays_dead(self):
        began = time.monotonic()
        self.value("family", "arm", self.SOCKET, "1500")
        # Due for the term less the guard's margin; a host that stalls looks after that.
        lived = not self.dead()
        self.assertTrue(lived or time.monotonic() - began >= 1.4)
        until("the guard killed it", self.dead, 10)
        print(f"\n    dead {time.monotonic() - began:.2f} s after a term of 1.5 s was asked for",
              file=sys.stderr)
        until("systemd has seen it", lambda: show("family", "ActiveState") == "failed", 10)

    def test_when_the_guard_is_stopped_its_unit_fences(self):
        self.value("family", "arm", self.SOCKET, "60000")
        host.run("systemctl", "stop", "bevmesh-guard@test")
        until("ExecStopPost killed it", self.dead, 10)


def shared_libraries(binary):
    """Of sanitizers, which the host has not."""
    said = subprocess.run(["ldd", binary], text=True, capture_output=True).stdout
    return [line.split()[2] for line in said.splitlines() if "san.so" in line]


def installed(name):
    return (SYSTEMD / name).read_text().replace("@bindir@", "/usr/bin").replace(
        "@docdir@", "/usr/share/doc/bevmesh")


def sandbox():
    """The daemon's unit with another program in it, run once."""
    other = {"Type": "oneshot", "ExecStart": SCRIPT,
             "StandardOutput": "truncate:/run/in-sandbox.out"}
    dropped = ("Type=", "ExecStart=", "ExecReload=", "ExecStopPost=", "Restart=", "RestartSec=",
               "WatchdogSec=", "NotifyAccess=", "EnvironmentFile=")
    lines = [line for line in installed("bevmesh.service.in").splitlines()
             if not line.startswith(dropped)]
    at = lines.index("[Service]") + 1
    lines[at:at] = [f"{name}={value}" for name, value in other.items()]
    return "\n".join(lines) + "\n"


def prepare():
    host.write("/usr/lib/sysusers.d/bevmesh.conf", (SYSTEMD / "sysusers.conf").read_text())
    host.run("systemd-sysusers")
    host.run("chgrp", "docker", "/run/docker.sock")
    # Nothing in this container may make user namespaces, which Debian's unit asks for.
    host.run("mkdir", "-p", f"{UNITS}/{REDIS}.service.d")
    host.write(f"{UNITS}/{REDIS}.service.d/test.conf",
               "[Service]\nRestart=no\nPrivateUsers=no\n")
    host.write(f"{UNITS}/family.service", FAMILY)
    host.write(f"{UNITS}/broken.service",
               "[Service]\nExecStartPre=/bin/false\nExecStart=/bin/sleep 1000\n")
    host.run("ln", "-s", "/dev/null", f"{UNITS}/shut.service")
    host.write(f"{UNITS}/bevmesh-guard@.service", installed("bevmesh-guard@.service.in"))
    host.write(SCRIPT, "")
    host.run("chmod", "755", SCRIPT)
    host.write(f"{UNITS}/in-sandbox.service", sandbox())
    host.run("mkdir", "-p", f"{UNITS}/in-sandbox.service.d", "/etc/polkit-1/rules.d")
    for name in ("failover.conf", "failover-unit.conf"):
        host.write(f"{UNITS}/in-sandbox.service.d/{name}", (SYSTEMD / name).read_text())
    rules = (SYSTEMD / "failover-unit.rules").read_text()
    host.write("/etc/polkit-1/rules.d/failover-unit.rules",
               rules.replace('"redis-server.service"',
                             '"redis-server.service", "family.service", "broken.service"'))
    host.run("systemctl", "daemon-reload")


def main():
    global host
    tool, binary = (Path(sys.argv.pop(1)).resolve() for _ in range(2))
    image = subprocess.run([ROOT / "tests/lab/images/build", "units"],
                           text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
    binds = [(tool, "/usr/bin/unit_housing"), (binary, "/usr/bin/bevmesh"),
             *((lib, lib) for lib in {*shared_libraries(tool), *shared_libraries(binary)})]
    try:
        with Host(image, "starlord", binds=binds) as host:
            prepare()
            program = unittest.main(exit=False, verbosity=2)
    except HostError as error:
        print(f"databases_test: {error}", file=sys.stderr)
        return 1
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
