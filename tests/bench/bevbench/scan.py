"""How long `bevmesh scan` takes for a tree of 10,000 configuration files.

Beside it, in the same run: the same files only read, and `grep -rE` for addresses, which knows no
format, no comment and no service. The tree is made of the labelled corpus (tests/scan), each copy
with bytes of its own; all of it is in the page cache for everybody.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import figures

SCAN = Path(__file__).resolve().parents[2] / "scan"
ADDRESS = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"


def make_tree(root, count):
    """As many files; two thirds of them without an address, as in a real tree."""
    sources = sorted(p for p in (SCAN / "corpus").rglob("*")
                     if p.is_file() and p.suffix != ".labels")
    for n in range(count):
        source = sources[n % len(sources)]
        folder = root / f"project-{n // 100:03}" / f"part-{n % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        text = source.read_bytes()
        if n % 3:
            text = text.replace(b"100.", b"host-").replace(b"fd7a:", b"host-")
        (folder / f"{n:05}-{source.name}").write_bytes(text)


def read_all(root):
    for folder, _, names in os.walk(root):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                file.read()


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    report = figures.Report("scan", f"a tree of {options.files} configuration files")
    root = Path(tempfile.mkdtemp(prefix="bevbench-scan-"))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [options.binary, "scan", "--offline", "--config", SCAN / "mesh.yaml", root,
               "--format", "json"]
    try:
        make_tree(root, options.files)
        read_all(root)
        times = {"bevmesh scan": [], "grep -rE": [], "read (Python)": []}
        for _ in range(options.rounds):
            times["bevmesh scan"].append(
                timed(lambda: subprocess.run(command, check=True, **quiet)))
            times["grep -rE"].append(
                timed(lambda: subprocess.run(["grep", "-rE", ADDRESS, root], **quiet)))
            times["read (Python)"].append(timed(lambda: read_all(root)))
        report.table("seconds", times)
        p50 = figures.percentile(times["bevmesh scan"], 50)
        floor = figures.percentile(times["grep -rE"], 50)
        report.line(f"{p50 / floor:.1f} x grep")
        report.target("10,000 files, seconds", p50, 5)
    finally:
        shutil.rmtree(root)
    report.save(options.json)


if __name__ == "__main__":
    main()
