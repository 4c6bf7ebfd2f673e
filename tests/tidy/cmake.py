"""As much of CMake as the rules need: which target has which sources, links and tests.

Reads `command(words...)` without evaluating anything; a file that builds its lists with variables
is beyond it, and the rules then say that a file is not listed.
"""

import posixpath
import re

_COMMAND = re.compile(r"^[ \t]*(?P<name>\w+)[ \t]*\((?P<words>[^()]*(?:\([^()]*\)[^()]*)*)\)",
                      re.MULTILINE)
_KINDS = {"STATIC", "SHARED", "OBJECT", "INTERFACE", "MODULE", "EXCLUDE_FROM_ALL", "ALIAS"}
_SCOPES = {"PUBLIC", "PRIVATE", "INTERFACE"}


class Target:
    """A library or an executable: sources as paths from the root, and what it links."""

    def __init__(self, name, file, line):
        self.name = name
        self.file = file
        self.line = line
        self.sources = []
        self.links = []  # [(line, name)]


def commands(file):
    """(line, name in lower case, words) of each command of a CMakeLists.txt."""
    text = re.sub(r"#[^\n]*", lambda m: " " * len(m.group(0)), file.text)
    for match in _COMMAND.finditer(text):
        yield file.line_at(match.start("name")), match["name"].lower(), match["words"].split()


def lists(tree):
    return [f for f in tree if f.name == "CMakeLists.txt"]


def targets(tree):
    """All targets by name, with sources and links of every command that adds to them."""
    found = {}
    for file in lists(tree):
        for line, command, words in commands(file):
            if command in ("add_library", "add_executable") and words:
                target = found.setdefault(words[0], Target(words[0], file, line))
                target.sources += _paths(file, words[1:])
    for file in lists(tree):
        for line, command, words in commands(file):
            if not words or words[0] not in found:
                continue
            rest = [w for w in words[1:] if w not in _SCOPES]
            if command == "target_sources":
                found[words[0]].sources += _paths(file, rest)
            elif command == "target_link_libraries":
                found[words[0]].links += [(line, word) for word in rest]
    return found


def _paths(file, words):
    names = [w.removeprefix("${CMAKE_CURRENT_SOURCE_DIR}/") for w in words if w not in _KINDS]
    return [posixpath.normpath(n.removeprefix("${CMAKE_SOURCE_DIR}/"))
            if n.startswith("${CMAKE_SOURCE_DIR}/")
            else posixpath.normpath(posixpath.join(file.folder, n)) for n in names]
