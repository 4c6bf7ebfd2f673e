"""The mesh's certificates in the lab: a CA of its own, and one certificate a node for its daemon.

Made by openssl when the lab comes up. Keys are born 0600; the CA's stays outside of the nodes.
"""

import os
import subprocess

from .layout import NODES, STATE, LabError, node_dir

MESH = "bev"
DIRECTORY = "/etc/bevmesh/tls"  # on each node
SECTION = f"""
tls:
  certificate: {DIRECTORY}/node.pem
  key: {DIRECTORY}/node.key
  ca: {DIRECTORY}/ca.pem
"""
_DAYS = "30"


def _openssl(*args):
    done = subprocess.run(
        ["openssl", *args], capture_output=True, text=True, umask=0o077, check=False
    )
    if done.returncode:
        raise LabError(f"openssl {args[0]}: {done.stderr.strip()}")


def make_ca(directory=STATE / "ca", name="lab of the BEV mesh"):
    """An authority: ca.pem and ca.key in `directory`."""
    directory.mkdir(mode=0o700, exist_ok=True)
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"),
        *("-subj", f"/CN={name}", "-days", _DAYS),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", str(directory / "ca.key"), "-out", str(directory / "ca.pem")),
    )
    return directory


def issue(node, into, authority=STATE / "ca", mesh=MESH, days=_DAYS):
    """node.pem and node.key in `into`, for the daemon of `node`, and the CA's ca.pem beside."""
    into.mkdir(mode=0o755, exist_ok=True)
    names = f"URI:spiffe://{mesh}/node/{node}/service/bevmesh,DNS:{node},IP:{NODES[node]}"
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"),
        *("-subj", f"/CN={node}", "-days", days, "-addext", f"subjectAltName={names}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "extendedKeyUsage=serverAuth,clientAuth"),
        *("-CA", str(authority / "ca.pem"), "-CAkey", str(authority / "ca.key")),
        *("-keyout", str(into / "node.key"), "-out", str(into / "node.pem.new")),
    )
    os.rename(into / "node.pem.new", into / "node.pem")
    (into / "ca.pem").write_bytes((authority / "ca.pem").read_bytes())


def make_all():
    make_ca()
    for node in NODES:
        issue(node, node_dir(node) / "etc/bevmesh/tls")


def with_section(text):
    """A configuration with a `tls` section: its own, or the lab's."""
    has_one = any(line.startswith("tls:") for line in text.splitlines())
    return text if has_one else text + SECTION
