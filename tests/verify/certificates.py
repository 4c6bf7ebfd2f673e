"""Certificates for the daemons of the lab's nodes, of a CA that lives as long as the test."""

import subprocess
from pathlib import Path


def _openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make(home: Path, mesh, nodes):
    """node.pem, node.key (0600) and ca.pem in each directory of `nodes`: name → directory."""
    home.mkdir(mode=0o700, exist_ok=True)
    ca, key = home / "ca.pem", home / "ca.key"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        "req", "-x509", *curve, "-keyout", key, "-out", ca, "-days", "2", "-subj", "/CN=verify"
    )
    for name, directory in nodes.items():
        directory.mkdir(mode=0o700, exist_ok=True)
        request, names = home / f"{name}.csr", home / f"{name}.ext"
        names.write_text(
            f"subjectAltName=URI:spiffe://{mesh}/node/{name}/service/bevmesh\n"
            "extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n"
        )
        own = directory / "node.key"
        _openssl("req", *curve, "-keyout", own, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            *("x509", "-req", "-in", request, "-CA", ca, "-CAkey", key, "-CAcreateserial"),
            *("-days", "1", "-extfile", names, "-out", directory / "node.pem"),
        )
        own.chmod(0o600)
        (directory / "ca.pem").write_bytes(ca.read_bytes())
