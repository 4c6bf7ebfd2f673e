#!/usr/bin/env python3
"""`bevmesh scan` as a process: what it writes, and what it leaves when it is killed.

usage: process_test.py PATH-OF-BEVMESH

Every file of the corpus is written and read by its own parser; the rest is what only a real process
and real files have.
"""

import configparser
import contextlib
import json
import os
import pty
import random
import re
import shlex
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


# Root reads everything: without the two rights that say so it is as any user.
NOT_PRIVILEGED = [
    "setpriv",
    *(f"--{of}=-dac_override,-dac_read_search" for of in ("inh-caps", "bounding-set")),
] if os.geteuid() == 0 else []


def scan(*arguments, before=(), **more):
    command = [*before, BINARY, "scan", "--offline", "--config", MESH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def pairs(text):
    """NAME=VALUE a line, as .env and .properties have it; the latter also NAME: VALUE, and lines
    that go on."""
    lines = (line.strip() for line in re.sub(r"\\\r?\n\s*", "", text).splitlines())
    named = (re.split("[=:]", line, maxsplit=1) for line in lines if line and line[0] not in "#!")
    return {name.strip(): "".join(value) for name, *value in named}


def directives(text):
    """A line a directive: its words, as hosts, redis.conf, haproxy and Dockerfiles have it."""
    return [shlex.split(line, comments=True) for line in text.splitlines()]


def blocks(text):
    """nginx's grammar: words, then `;` or a block in braces. nginx itself ends at the first name
    that resolves nowhere."""
    reader = shlex.shlex(text, posix=True, punctuation_chars="{};")
    reader.whitespace_split = True
    open_blocks, words = [[]], []
    for token in reader:
        if token.strip("{};"):
            words.append(token)
            continue
        for mark in token:
            if mark == "{":
                open_blocks[-1].append(words)
                open_blocks.append([])
            elif mark == ";":
                open_blocks[-1].append(words)
            else:
                inner = open_blocks.pop()
                open_blocks[-1].append(inner)
            words = []
    assert len(open_blocks) == 1 and not words, "a block or a directive does not end"
    return open_blocks[0]


def parse(path):
    """By the parser that reads such a file."""
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
        return text.count("\n")
    if name in ("nginx.conf", "locations.conf"):
        return blocks(text)
    if ".env" in name or name.endswith(".properties"):
        return pairs(text)
    if name in ("hosts", "redis.conf", "haproxy.cfg", "Dockerfile"):
        return directives(text)
    raise AssertionError(f"{name}: no parser is known for such a file")


def shape(value):
    """What stays when addresses change: keys, lengths and kinds."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


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
        shapes = {path: shape(parse(path)) for path in before}
        done = scan(self.tree, "--write", "--yes", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        written = {Path(w["file"]): Path(w["backup"]) for w in json.loads(done.stdout)["written"]}
        self.assertGreater(len(written), 15)
        for path, old in before.items():
            with self.subTest(path=path.name):
                new = path.read_bytes()
                self.assertEqual(path in written, new != old)
                self.assertEqual(shape(parse(path)), shapes[path])
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

    def test_what_may_not_be_read_is_told_and_the_rest_is_found(self):
        shutil.rmtree(self.tree)
        for folder in (self.tree, self.tree / "shut"):
            folder.mkdir()
        for name in ("a.env", "shut.env", "shut/b.env"):
            (self.tree / name).write_text("REDIS=100.96.197.84:6379\n")
        for name in ("shut.env", "shut"):
            (self.tree / name).chmod(0)
            self.addCleanup((self.tree / name).chmod, 0o700)
        done = scan(self.tree, "--format", "json", before=NOT_PRIVILEGED)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual([Path(f["file"]).name for f in told["findings"]], ["a.env"])
        notes = {Path(n["file"]).name: n["text"] for n in told["notes"]}
        self.assertEqual(sorted(notes), ["shut", "shut.env"])
        for text in notes.values():
            self.assertEqual(text, "cannot be read: Permission denied")

    def test_a_file_that_somebody_edits_meanwhile_is_not_written(self):
        shutil.rmtree(self.tree)
        self.tree.mkdir()
        edited, other = self.tree / "a.env", self.tree / "b.env"
        for path in (edited, other):
            path.write_text("REDIS=100.96.197.84:6379\n")
        command = [BINARY, "scan", "--offline", "-c", MESH, "--write", self.tree]
        ours, theirs = pty.openpty()
        with open(ours, "r+b", buffering=0) as terminal:
            run = subprocess.Popen(
                command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
            said = b""
            while b"Go on?" not in said:
                said += terminal.read(4096)
            edited.write_text("REDIS=100.96.197.84:6379\nMINE=1\n")
            terminal.write(b"y\n")
            with contextlib.suppress(OSError):  # the terminal's other end is closed
                while more := terminal.read(4096):
                    said += more
            self.assertEqual(run.wait(60), 1, said)
        self.assertIn(b"a.env: not written: ", said)
        self.assertEqual(edited.read_text(), "REDIS=100.96.197.84:6379\nMINE=1\n")
        self.assertEqual(other.read_text(), "REDIS=redis.service.consul:6379\n")
        self.assertEqual(
            sorted(p.name for p in self.tree.iterdir()), ["a.env", "b.env", "b.env.before-bevmesh"]
        )

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
