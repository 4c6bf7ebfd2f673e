"""The rules' own test: examples/RULE.txt has trees that break a rule and trees that keep it.

    === bad: what is wrong        starts a tree; `good:` for one that must pass
    --- mesh/net/x.cpp            starts a file of it
    auto x = co_await f({1});     <<here

Each line marked `<<here` must be found, and no other. `\\xHH` stands for a character one cannot
see; `\\*400 text` for 400 lines of text.
"""

import os
import re
import sys

import rules
import source

_MARK = "<<here"


def _trees(text):
    """(title, is bad, {path: text}) of each tree of an example file."""
    for block in re.split(r"^=== ", text, flags=re.M)[1:]:
        title, _, body = block.partition("\n")
        files = {}
        for part in re.split(r"^--- ", body, flags=re.M)[1:]:
            path, _, content = part.partition("\n")
            content = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), content)
            content = re.sub(r"\\\*(\d+) (.*\n)", lambda m: int(m[1]) * m[2], content)
            files[path.strip()] = content
        yield title, title.startswith("bad:"), files


def _wanted(files):
    wanted, plain = set(), []
    for path, text in files.items():
        lines = text.split("\n")
        wanted |= {(path, number) for number, line in enumerate(lines, 1) if _MARK in line}
        plain.append(source.File(path, re.sub(rf"{_MARK}[^\n]*", "", text)))
    return wanted, source.Tree(plain)


def _check(rule, title, is_bad, files):
    """What went wrong with one tree, as sentences."""
    wanted, tree = _wanted(files)
    if is_bad != bool(wanted):
        yield "a bad tree marks lines, a good one marks none"
    found = {(path, line) for path, line, _ in rule.findings(tree)}
    for path, line in sorted(wanted - found):
        yield f"saw nothing wrong at {path}:{line}"
    for path, line in sorted(found - wanted):
        yield f"complained at {path}:{line}"


def run(folder):
    """Runs every rule on its examples; returns the exit code."""
    failures = trees = 0
    for name, rule in rules.ALL.items():
        path = os.path.join(folder, name + ".txt")
        text = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as opened:
                text = opened.read()
        kinds = set()
        for title, is_bad, files in _trees(text):
            trees += 1
            kinds.add(is_bad)
            for problem in _check(rule, title, is_bad, files):
                print(f"{path}: {title}: {problem}")
                failures += 1
        if kinds != {True, False}:
            print(f"{path}: needs a bad and a good example")
            failures += 1
    for stray in sorted(set(os.listdir(folder)) - {name + ".txt" for name in rules.ALL}):
        print(f"{folder}/{stray}: no such rule")
        failures += 1
    print(f"tidy: {len(rules.ALL)} rules, {trees} examples, {failures} failures", file=sys.stderr)
    return 1 if failures else 0
