#!/usr/bin/env python3
"""`bevmesh scan` as a process: what it writes, and what it leaves when it is killed.

usage: process_test.py PATH-OF-BEVMESH

Every file of the corpus is written and read by its own parser; the rest is what only a real process
and real files have.
"""

import configparser
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

import yaml

BINARY = sys.argv.pop(1)
HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
MESH = HERE / "mesh.yaml"
SECRETS = ("p#ss", "s#cr", "pa#ss", "ch#nge", "#Secr", "p%40ss", "p%3Ass", "a:b#c", "ex%40mple")
ADDRESS = re.compile(
    rb"\[?fd7a:115c:a1e0::5\]?|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)"
    rb"|(?<![a-z0-9])[a-z0-9][a-z0-9-]*\.service\.consul"
    rb"|(?i:\bthanos(?=:5432))|(?i:\boracle1(?=:6379))"
)


def scan(*arguments, **more):
    command = [BINARY, "scan", "--offline", "--config", MESH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def parse(path):
    """By the parser that reads such a file, where there is one."""
    text = path.read_bytes().decode()
    name = path.name
    if name.endswith((".yml", ".yaml")):
        return list(yaml.safe_load_all(text))
    if name == "events.json":
        return [json.loads(line) for line in text.splitlines()]
    if name.endswith(".json"):
        return json.loads(text)
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name.endswith((".ini", ".service")):
        reader = configparser.ConfigParser(interpolation=None, strict=False)
        reader.read_string(text)
        return {section: dict(reader[section]) for section in reader.sections()}
    if name.endswith(".sh"):
        subprocess.run(["bash", "-n", path], check=True)
    if name == "nginx.conf" and shutil.which("nginx"):
        # Names that resolve nowhere here are no errors of syntax.
        checked = subprocess.run(["nginx", "-t", "-c", path], capture_output=True, text=True)
        assert "unexpected" not in checked.stderr and "unknown directive" not in checked.stderr
    return None


class Scan(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = Path(directory.name) / "tree"
        shutil.copytree(CORPUS, self.tree, ignore=shutil.ignore_patterns("*.labels"))

    def files(self):
        return sorted(
            p for p in self.tree.rglob("*") if p.is_file() and "before-bevmesh" not in p.name
        )

    def contents(self):
        return {p: p.read_bytes() for p in self.files()}

    def test_what_is_written_differs_in_addresses_alone_and_is_still_read(self):
        before = self.contents()
        for path in before:
            parse(path)
        done = scan(self.tree, "--write", "--yes", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        written = {Path(w["file"]): Path(w["backup"]) for w in json.loads(done.stdout)["written"]}
        self.assertGreater(len(written), 15)
        for path, old in before.items():
            with self.subTest(path=path.name):
                new = path.read_bytes()
                self.assertEqual(path in written, new != old)
                parse(path)
                self.assertEqual(ADDRESS.sub(b"@", old), ADDRESS.sub(b"@", new))
                if path in written:
                    self.assertEqual(written[path].read_bytes(), old)
        again = scan(self.tree, "--write", "--yes", "--format", "json")
        self.assertEqual(json.loads(again.stdout)["written"], [])

    def test_the_diff_is_what_write_does(self):
        command = [BINARY, "scan", "--offline", "-c", MESH, "tree", "--diff", "--show-secrets"]
        # In bytes: some files end their lines as Windows does.
        diff = subprocess.run(command, cwd=self.tree.parent, capture_output=True).stdout
        patched = self.tree.parent / "patched"
        shutil.copytree(self.tree, patched / "tree")
        subprocess.run(["patch", "-p1", "--binary", "-s"], cwd=patched, input=diff, check=True)
        scan(self.tree, "--write", "--yes")
        for path, text in self.contents().items():
            self.assertEqual((patched / "tree" / path.relative_to(self.tree)).read_bytes(), text)

    def test_no_secret_is_shown(self):
        for arguments in (["--all"], ["--format", "json"], ["--format", "yaml"], ["--diff"]):
            done = scan(self.tree, *arguments)
            for secret in SECRETS:
                self.assertFalse(secret in done.stdout + done.stderr, (secret, arguments))
        self.assertIn("***", scan(self.tree, "--diff").stdout)

    def test_killed_at_any_point_each_file_is_old_or_new(self):
        before = self.contents()
        started = time.monotonic()
        scan(self.tree, "--write", "--yes")
        whole = time.monotonic() - started
        after = self.contents()
        chance = random.Random(1)
        halfway = 0
        for _ in range(40):
            shutil.rmtree(self.tree)
            for path, text in before.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
            command = [BINARY, "scan", "--offline", "-c", MESH, "--write", "--yes", self.tree]
            run = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(chance.uniform(whole * 0.3, whole))
            run.send_signal(signal.SIGKILL)
            run.wait()
            now = {p: p.read_bytes() for p in before}
            for path, text in now.items():
                self.assertIn(text, (before[path], after[path]), path)
            news = sum(now[p] != before[p] for p in before)
            halfway += 0 < news < sum(after[p] != before[p] for p in before)
        # What a killed run leaves is in nobody's way.
        self.assertEqual(scan(self.tree, "--write", "--yes").returncode, 0)
        self.assertEqual({p: p.read_bytes() for p in before}, after)
        self.assertFalse([p for p in self.files() if p.name.endswith(".new-bevmesh")])
        print(f"killed 40 times, {halfway} of them between two files", file=sys.stderr)

    def test_a_tree_of_oddities_passes_with_notes(self):
        shutil.rmtree(self.tree)
        self.tree.mkdir()
        tree = self.tree
        (tree / "a.env").write_text("REDIS=100.96.197.84:6379\n")
        os.mkfifo(tree / "pipe.env")
        (tree / "binary.json").write_bytes(b"{\0\1\2 100.96.197.84:6379")
        (tree / "huge.yaml").write_bytes(b"# x\n" * 2_000_000)
        (tree / "latin.ini").write_bytes(b"[r]\n# \xe4\nhost = 100.96.197.84:6379\n")
        (tree / "loop").symlink_to(tree)
        (tree / "self.yaml").symlink_to(tree / "self.yaml")
        (tree / "link.env").symlink_to(tree / "a.env")
        (tree / "node_modules").mkdir()
        (tree / "node_modules/x.env").write_text("REDIS=100.96.197.84:6379\n")
        (tree / "deep.json").write_text("[" * 100_000)
        done = scan(tree, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(
            sorted(Path(f["file"]).name for f in told["findings"]), ["a.env", "latin.ini"]
        )
        notes = {Path(n["file"]).name: n["text"] for n in told["notes"]}
        for name in ("pipe.env", "binary.json", "huge.yaml", "latin.ini", "loop", "self.yaml",
                     "link.env"):
            self.assertIn(name, notes)

    def test_mode_stays_links_stay_and_read_only_is_told(self):
        shutil.rmtree(self.tree)
        self.tree.mkdir()
        plain, fixed, link = (self.tree / n for n in ("a.env", "fixed.env", "link.env"))
        for path, mode in ((plain, 0o640), (fixed, 0o444)):
            path.write_text("REDIS=100.96.197.84:6379\n")
            path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(plain, 12, 34)
        was = plain.stat()
        link.symlink_to("a.env")
        done = scan(link, fixed, "--write", "--yes")
        self.assertEqual(done.returncode, 1)
        self.assertIn("read-only", done.stderr)
        self.assertEqual(plain.read_text(), "REDIS=redis.service.consul:6379\n")
        self.assertTrue(link.is_symlink())
        now = plain.stat()
        self.assertEqual((was.st_mode, was.st_uid, was.st_gid),
                         (now.st_mode, now.st_uid, now.st_gid))
        self.assertEqual(fixed.read_text(), "REDIS=100.96.197.84:6379\n")

    def test_the_exit_status_is_for_ci(self):
        shutil.rmtree(self.tree)
        self.tree.mkdir()
        file = self.tree / "a.env"
        file.write_text("A=100.96.197.84:6379\nB_HOST=10.1.1.1\n")
        self.assertEqual(scan(file).returncode, 0)
        self.assertEqual(scan(file, "--fail-on", "high").returncode, 3)
        self.assertEqual(scan(file, "--write", "--yes", "--fail-on", "high").returncode, 0)
        self.assertEqual(scan(file, "--fail-on", "high").returncode, 0)
        self.assertEqual(scan(file, "--fail-on", "unknown").returncode, 3)
        self.assertEqual(scan(self.tree / "nothing").returncode, 1)
        self.assertEqual(scan(file, "--write", stdin=subprocess.DEVNULL).returncode, 0)


unittest.main()
