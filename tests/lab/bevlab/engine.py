"""The nodes' Docker engines, from outside: networks of the mesh, images from tars.

The engines' sockets are reached by their path; no registry is ever asked.
"""

import subprocess

from .layout import NETWORKS, ROOT, LabError, docker_host

BUILD = ROOT / "tests/lab/images/build"


def docker(node, *args, check=True, **how):
    done = subprocess.run(
        ["docker", *args], env=_environment(node), text=True, capture_output=True, **how
    )
    if check and done.returncode:
        raise LabError(f"docker {' '.join(args[:3])} on {node}: {done.stderr.strip()}")
    return done


def _environment(node):
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/root",
        "DOCKER_HOST": docker_host(node),
    }


def create_networks(nodes):
    """The mesh's networks on the nodes that have them, where they are not there yet."""
    for name, (subnet, node) in NETWORKS.items():
        if node in nodes and docker(node, "network", "inspect", name, check=False).returncode:
            docker(node, "network", "create", "--subnet", subnet, name)


def image_path(name):
    done = subprocess.run([BUILD, "--path", name], text=True, capture_output=True)
    if done.returncode:
        raise LabError(done.stderr.strip())
    return done.stdout.strip()


def import_images(wanted, progress=lambda text: None):
    """Imports bev/NAME for each (node, name), side by side; an engine that has this very image is
    left alone.

    The tag `bev/NAME:KEY` says which recipe an image is from, `bev/NAME` (latest) is what
    containers use.
    """
    running = []
    for node, name in wanted:
        tar = image_path(name)
        tag = f"bev/{name}:{tar.rsplit('-', 1)[1].removesuffix('.tar')}"
        if docker(node, "image", "inspect", tag, check=False).returncode == 0:
            continue
        progress(f"{node}: importing bev/{name}")
        process = subprocess.Popen(
            ["docker", "import", tar, tag],
            env=_environment(node),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        running.append((process, node, name, tag))
    for process, node, name, tag in running:
        message = process.communicate()[1]
        if process.returncode:
            raise LabError(
                f"docker import of bev/{name} on {node}: {message.strip()} (has tests/setup run?)"
            )
        docker(node, "tag", tag, f"bev/{name}:latest")
