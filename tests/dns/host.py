"""A host whose names are to be mended: one node of a lab, given each kind of resolver in turn.

The lab has no service manager, so each daemon gets a script in /etc/init.d that restarts it, as on
a host with sysvinit. Resolvers and engine run in the node's namespaces; this machine's own are
never touched.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "lab"
STATE = Path(tempfile.mkdtemp(prefix="bevmesh-dns-test.", dir="/var/tmp")) / "lab"
os.environ["BEVMESH_LAB_DIR"] = str(STATE)
sys.path.insert(0, str(LAB))

from bevlab import services  # noqa: E402

NODE, OTHER, ELSEWHERE = "thanos", "oracle1", "starlord"
CACHE = "100.96.197.84"  # the service of another node
UPSTREAM = "100.122.12.35"  # a server elsewhere, for hosts that have none of their own
NETWORKS = {
    "bridge": "default bridge",
    "bev_network": "user-defined",
    "shut": "internal",
    "host": "host",
}
CONFIG = "/etc/bevmesh/bevmesh.yaml"

INIT = """#!/bin/sh
# restart: ends the one with the pid file, starts another. A mark says that it was asked to.
echo restarted >> /run/{name}.restarts
[ ! -e /run/{name}.hook ] || . /run/{name}.hook
pid=$(cat {pid} 2>/dev/null)
kill "$pid" 2>/dev/null
while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
rm -f {pid}
setsid {command} </dev/null >>/var/log/{name}.log 2>&1 &
for _ in $(seq 200); do {ready} && exit 0; sleep 0.05; done
echo "{name} did not start: $(tail -n 3 /var/log/{name}.log)" >&2
exit 1
"""


class Failed(Exception):
    pass


def lab(*args, check=True, timeout=120, **how):
    done = subprocess.run(
        [LAB / "lab", *args], text=True, capture_output=True, timeout=timeout, **how
    )
    if check and done.returncode:
        raise Failed(f"lab {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def on(*command, node=NODE, **how):
    return lab("exec", node, "--", *command, **how)


def script(text, node=NODE, **how):
    return on("sh", "-euc", text, node=node, **how)


def write(path, text, mode=0o644, node=NODE):
    """A file of the node's /etc or /run."""
    file = STATE / node / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink() or file.exists():
        file.unlink()
    file.write_text(text)
    file.chmod(mode)


def snapshot():
    """Everything in the node's /etc: kind, mode, owner, content, and the time of files."""
    found = {}
    top = STATE / NODE / "etc"
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = Path(folder) / name
            info = path.lstat()
            what = [stat.filemode(info.st_mode), info.st_uid, info.st_gid]
            if path.is_symlink():
                what.append(os.readlink(path))
            elif path.is_file():
                what += [hashlib.sha256(path.read_bytes()).hexdigest(), info.st_mtime_ns]
            found[str(path.relative_to(top))] = what
    return found


def in_engine():
    """What a probe could leave in the engine."""
    # Networks by name: the default bridge is another one after the engine's restart.
    networks = ("network", "ls", "--format", "{{.Name}}")
    asked = (("ps", "-aq"), ("images", "-aq"), networks, ("volume", "ls", "-q"))
    return {what: sorted(on("docker", *what).stdout.split()) for what in asked}


def init_script(name, command, pid, ready):
    write(
        f"/etc/init.d/{name}",
        INIT.format(name=name, command=command, pid=pid, ready=ready),
        0o755,
    )


def restarts(name):
    file = STATE / NODE / "run" / f"{name}.restarts"
    return file.read_text().count("restarted") if file.exists() else 0


def stop(name):
    """Ends a daemon that an init script started."""
    text = 'pid=$(cat "$0" 2>/dev/null) || exit 0; kill "$pid" 2>/dev/null || exit 0; '
    on("sh", "-c", text + 'while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done', name)


ANSWERS = "dig +time=1 +tries=1 @127.0.0.1 lab.invalid >/dev/null"


def up(binary):
    lab("up", "--no-daemon", "--binary", binary)
    lab("import", NODE, "stand-in")
    lab("kill", f"{NODE}:dns", "TERM")
    for node in (NODE, OTHER, ELSEWHERE):
        shutil.copy(HERE.parents[1] / "config/bev.yaml", STATE / node / CONFIG.lstrip("/"))
    engine = " ".join(services.argv(NODE, "docker"))
    # The caller's DOCKER_HOST is the engine's socket, and so is the script's.
    init_script("docker", engine, "/run/docker.pid", "docker version >/dev/null 2>&1")
    on("docker", "network", "rm", "bev_osint")
    on("docker", "network", "create", "--internal", "--subnet=172.27.0.0/16", "shut")
    on(
        "consul", "services", "register", "-name=cache", "-port=6379", f"-address={CACHE}",
        node=OTHER,
    )
    # What DNS elsewhere is like: it knows names of its own, and none of the mesh.
    write(
        "/etc/elsewhere.conf",
        f"listen-address={UPSTREAM}\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\n"
        "host-record=elsewhere.test,192.0.2.7\nlocal=/elsewhere.test/\nlocal=/consul/\n"
        "local=/lab.test/\n",
        node=ELSEWHERE,
    )
    on("dnsmasq", "--conf-file=/etc/elsewhere.conf", "--pid-file=/run/elsewhere.pid",
       node=ELSEWHERE)
    _wait_for_the_service()


def _wait_for_the_service(seconds=20):
    end = time.monotonic() + seconds
    while CACHE not in on("dig", "+short", "-p8600", "@127.0.0.1", "cache.service.consul").stdout:
        if time.monotonic() > end:
            raise Failed("the service of another node is not in Consul's DNS")
        time.sleep(0.1)


def down():
    lab("down", check=False)
    shutil.rmtree(STATE.parent, ignore_errors=True)


def with_dnsmasq():
    """A dnsmasq of the host's own, as Debian's package starts it."""
    write("/etc/resolv.conf", "search lab.test\nnameserver 127.0.0.1\noptions edns0\n")
    write(
        "/etc/dnsmasq.conf",
        "listen-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\n"
        "host-record=elsewhere.test,192.0.2.7\nlocal=/elsewhere.test/\nlocal=/lab.test/\n",
    )
    (STATE / NODE / "etc/dnsmasq.d").mkdir(exist_ok=True)
    init_script(
        "dnsmasq",
        "dnsmasq --keep-in-foreground --pid-file=/run/dnsmasq.pid -7 /etc/dnsmasq.d,.dpkg-dist",
        "/run/dnsmasq.pid",
        ANSWERS,
    )
    on("/etc/init.d/dnsmasq", "restart")
    return "/run/dnsmasq.pid"


def with_unbound():
    write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    # Without DNSSEC's anchor, which comes from outside; the folder of drop-ins is the package's.
    (STATE / NODE / "etc/unbound/unbound.conf.d/root-auto-trust-anchor-file.conf").unlink(
        missing_ok=True
    )
    write(
        "/etc/unbound/unbound.conf.d/lab.conf",
        "server:\n    interface: 127.0.0.1\n    username: \"\"\n    chroot: \"\"\n"
        "    pidfile: /run/unbound.pid\n    do-daemonize: no\n"
        "    local-data: \"elsewhere.test. A 192.0.2.7\"\n"
        f"forward-zone:\n    name: \".\"\n    forward-addr: {UPSTREAM}\n",
    )
    init_script("unbound", "unbound -d", "/run/unbound.pid", ANSWERS)
    on("/etc/init.d/unbound", "restart")
    return "/run/unbound.pid"


def with_plain():
    write("/etc/resolv.conf", f"# by hand\nsearch lab.test\nnameserver {UPSTREAM}\n", 0o640)
    os.chown(STATE / NODE / "etc/resolv.conf", 0, 4)


def with_none():
    """As on a host that was cleaned of systemd-resolved: the link points to nothing."""
    file = STATE / NODE / "etc/resolv.conf"
    file.unlink(missing_ok=True)
    file.symlink_to("../run/systemd/resolve/stub-resolv.conf")


def bevmesh(*args, **how):
    return on("bevmesh", *args, **how)


def dns(verb, *args, **how):
    """(exit code, the answer, what was said)."""
    done = bevmesh("dns", verb, "--service=cache", *args, "--format=json", check=False, **how) \
        if verb != "remove" else bevmesh("dns", verb, *args, "--format=json", check=False, **how)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.returncode, answer, done.stderr


def build_musl(folder):
    """The asker, linked with musl."""
    path = Path(folder) / "ask"
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", path, HERE / "ask.c"], check=True)
    return path


def ask_in(network, asker, *names):
    """What programs in a new container are told: {libc: {name: its address, or NONAME}}."""
    # The container's own /usr is empty: glibc's programs are those of this machine.
    mounts = [f"-v{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64")]
    both = '/ask "$@"; echo; /usr/bin/getent ahosts "$@"; true'
    done = on(
        "docker", "run", "--rm", f"--network={network}", f"-v{asker}:/ask:ro", *mounts,
        "bev/stand-in", "sh", "-c", both, "both", *names,
    )
    musl, _, glibc = done.stdout.partition("\n\n")
    found = [line.split() for line in glibc.splitlines() if " STREAM " in line]
    return {
        "musl": dict(line.split() for line in musl.splitlines()),
        "glibc": dict.fromkeys(names, "NONAME") | {name: at for at, _, name in found},
    }
