"""A node: its files, its namespaces, its cable to the switch.

boot() does not wait for anything but the namespaces; crash() is a power cut: /run is lost,
/var/lib, /etc and /var/log stay. The switch is a bridge in a network namespace of its own that has
no other link.
"""

import os
import secrets
import shutil
import subprocess

from . import kernel
from .layout import NODES, PREFIX, STATE, LabError, consul_binary, node_dir, openbao_binary

_NODE_SCRIPT = r"""
set -e
for pair in etc:/etc run:/run lib:/var/lib log:/var/log; do
    mount --bind "$1/${pair%%:*}" "${pair#*:}"
done
hostname "$2"
ip link set lo up
echo ready
exec sleep infinity
"""

_SWITCH_SCRIPT = r"""
set -e
ip link add mesh type bridge
ip link set mesh up
echo ready
exec sleep infinity
"""


def _spawn(group, unshare, script, *args):
    """Starts a holder of namespaces and waits until it is ready; its identity."""
    holder = subprocess.Popen(
        ["unshare", *unshare, "sh", "-c", script, "holder", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        start_new_session=True,
        preexec_fn=lambda: kernel.join(*group),
    )
    with holder.stdout, holder.stderr:
        if holder.stdout.readline().strip() != "ready":
            raise LabError(f"no namespaces for {group[0]}: {holder.stderr.read().strip()}")
    return kernel.identity(holder.pid)


def _ip(pid, *lines):
    """`ip -batch` in the network namespace of `pid`."""
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"],
        input="\n".join(lines) + "\n",
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise LabError(f"ip: {done.stderr.strip()}")


def start_switch():
    return _spawn(("switch",), ["--net"], _SWITCH_SCRIPT)


def make_files(node):
    """The node's disk, freshly installed: a copy of this machine's /etc with names of its own."""
    base = node_dir(node)
    for name in ("run", "lib", "log"):
        (base / name).mkdir(parents=True)
    # In the lab's cgroup, so that a lab which is killed meanwhile leaves no copy that still runs.
    subprocess.run(
        ["cp", "-a", "/etc", str(base / "etc")], check=True, preexec_fn=lambda: kernel.join("setup")
    )
    etc = base / "etc"
    own = {
        "hostname": node + "\n",
        "hosts": f"127.0.0.1 localhost\n::1 localhost\n{NODES[node]} {node}\n",
        "resolv.conf": "nameserver 127.0.0.1\n",
        "machine-id": secrets.token_hex(16) + "\n",
    }
    for name, text in own.items():
        (etc / name).unlink(missing_ok=True)  # often a link to somewhere else
        (etc / name).write_text(text)
    for name, mode in (("bevmesh", 0o755), ("consul.d", 0o755), ("docker", 0o755)):
        (etc / name).mkdir(exist_ok=True)
        (etc / name).chmod(mode)
    if not any(line.startswith("bevmesh:") for line in (etc / "group").read_text().splitlines()):
        with open(etc / "group", "a") as groups:
            groups.write("bevmesh:x:998:\n")
    (etc / "dnsmasq.conf").write_text(
        "# Names of the mesh go to Consul, others nowhere: the node has no way out.\n"
        "listen-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\ncache-size=0\nuser=root\n"
        "server=/consul/127.0.0.1#8600\nrev-server=100.64.0.0/10,127.0.0.1#8600\n"
    )


def _fresh_run(node, binary):
    """/run as after a boot, with links to the programs: a rebuilt bevmesh is the next started."""
    run = node_dir(node) / "run"
    shutil.rmtree(run, ignore_errors=True)
    programs = run / "lab/bin"
    programs.mkdir(parents=True)
    (run / "lab/tmp").mkdir()
    for name in ("lock", "bevmesh", "bevmesh-guard"):
        (run / name).mkdir()
    (programs / "consul").symlink_to(consul_binary())
    (programs / "bao").symlink_to(openbao_binary())
    (programs / "bevmesh").symlink_to(binary)


def boot(state, node):
    """Namespaces, mounts, cable; no services."""
    if kernel.alive(state["holders"].get(node)):
        raise LabError(f"{node} is up")
    _fresh_run(node, state["options"]["binary"])
    holder = _spawn(
        (node, "holder"),
        ["--net", "--mount", "--uts", "--propagation", "private"],
        _NODE_SCRIPT,
        str(node_dir(node)),
        node,
    )
    # The kernel takes a dead node's namespace, and its end of the cable, away a moment later.
    subprocess.run(
        ["nsenter", f"--net=/proc/{state['switch'][0]}/ns/net", "ip", "link", "del", node],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    _ip(
        state["switch"][0],
        f"link add {node} type veth peer name eth0 netns {holder[0]}",
        f"link set {node} master mesh",
        f"link set {node} up",
    )
    _ip(holder[0], f"addr add {NODES[node]}/{PREFIX} dev eth0", "link set eth0 up")
    state["holders"][node] = holder


def crash(state, node):
    """Everything on the node is gone at once, as with the power."""
    kernel.kill_group(node)
    state["holders"].pop(node, None)
    for key in [key for key in state["services"] if key.startswith(node + ":")]:
        del state["services"][key]


def remove_all():
    """Processes first: with the last one, namespaces, links and mounts are gone. Then the files."""
    kernel.kill_group()
    below = str(STATE) + "/"
    with open("/proc/self/mountinfo") as mounts:
        left = [line.split()[4] for line in mounts if line.split()[4].startswith(below)]
    for mount in reversed(left):
        subprocess.run(["umount", "--lazy", mount], check=False)
    if STATE.exists():
        # Aside first: a second `up` must not wait for, or stumble over, a large image store.
        grave = STATE.with_name(f"{STATE.name}.gone.{os.getpid()}")
        os.rename(STATE, grave)
        shutil.rmtree(grave, ignore_errors=True)
    for grave in STATE.parent.glob(STATE.name + ".gone.*"):
        shutil.rmtree(grave, ignore_errors=True)
