"""The tree as the rules see it: files, their text, their C++ with comments and literals blanked.

Blanking keeps every offset and line, so a rule that finds something in `code` can say where.
"""

import functools
import os
import re

CPP = (".hpp", ".cpp")

_LITERAL = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<raw>R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
      |(?P<string>"(?:\\.|[^"\\\n])*")
      |(?P<char>(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<name><[^>\n]+>|"[^"\n]+")', re.MULTILINE)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _blank_literals(text, comments_only):
    def replace(match):
        found = match.group(0)
        if match.group("comment"):
            return _blank(found)
        return found if comments_only else '"' + _blank(found[1:-1]) + '"'

    return _LITERAL.sub(replace, text)


class File:
    """One file of the tree; `path` is relative to the root, with slashes."""

    def __init__(self, path, text):
        self.path = path
        self.text = text

    @property
    def name(self):
        return self.path.rsplit("/", 1)[-1]

    @property
    def folder(self):
        return self.path.rsplit("/", 1)[0] if "/" in self.path else ""

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @property
    def is_test(self):
        return self.path.startswith("tests/")

    @functools.cached_property
    def lines(self):
        return self.text.split("\n")

    @functools.cached_property
    def uncommented(self):
        return _blank_literals(self.text, comments_only=True)

    @functools.cached_property
    def code(self):
        return _blank_literals(self.text, comments_only=False)

    @functools.cached_property
    def includes(self):
        """[(line, "<vector>" or '"mesh/base/time.hpp"')]"""
        return [(self.line_at(m.start("name")), m.group("name"))
                for m in _INCLUDE.finditer(self.uncommented)]

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def search(self, pattern, text=None):
        """Lines on which the pattern begins, in the code unless another text is given."""
        for match in re.finditer(pattern, self.code if text is None else text):
            yield self.line_at(match.start()), match


class Tree:
    """All files of a tree by path, in order."""

    def __init__(self, files):
        self.files = {f.path: f for f in sorted(files, key=lambda f: f.path)}

    def __iter__(self):
        return iter(self.files.values())

    def __contains__(self, path):
        return path in self.files

    def __getitem__(self, path):
        return self.files[path]


def read_tree(root, is_ours):
    """Reads the files below `root` for which `is_ours(relative path)`; build trees are left out."""
    files = []
    for folder, folders, names in os.walk(root):
        at_root = os.path.samefile(folder, root)
        folders[:] = sorted(d for d in folders if d not in (".git", "__pycache__", ".cache")
                            and not (at_root and (d == "build" or d.startswith("build-"))))
        for name in names:
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root).replace(os.sep, "/")
            if not os.path.islink(full) and is_ours(path):
                with open(full, encoding="utf-8", errors="surrogateescape", newline="") as opened:
                    files.append(File(path, opened.read()))
    return Tree(files)
