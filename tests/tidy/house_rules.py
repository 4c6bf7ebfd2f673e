"""Rules on the house: floors, purity, libraries in their place, no file that nothing builds."""

import re

import cmake
import floors
from rules import rule


def _floor(path):
    """The folder of the table that a file belongs to, or None."""
    fits = [f for f in floors.MAY_INCLUDE if path.startswith(f + "/")]
    return max(fits, key=len, default=None)


def _own(name):
    """The path of an include in quotes; None for one in angle brackets."""
    return name[1:-1] if name.startswith('"') else None


@rule("floors", of_tree=True)
def respect_floors(tree):
    """A file includes its own folder and what stands below it."""
    for file in tree:
        floor = _floor(file.path)
        if not file.is_cpp or file.is_test:
            continue
        if floor is None:
            yield file, 1, "stands on no floor: tests/tidy/floors.py does not know its folder"
            continue
        for line, name in file.includes:
            path = _own(name)
            if path is None:
                continue
            if path.startswith("tests/"):
                yield file, line, f"includes a test's {name}"
            elif _floor(path) not in (floor, *floors.MAY_INCLUDE[floor]):
                yield file, line, f"{floor} stands below or beside {_floor(path)}: {name}"


@rule("include_paths", of_tree=True)
def include_paths(tree):
    """An include in quotes is a path from the root, and there."""
    for file in tree:
        if file.is_cpp:
            for line, name in file.includes:
                if _own(name) is not None and _own(name) not in tree:
                    yield file, line, f"{name} is no path from the root"


@rule("library_homes")
def library_homes(file):
    """Each library is included in its place and nowhere else."""
    if not file.is_cpp:
        return
    for line, name in file.includes:
        for library, include, home in floors.LIBRARY_HOMES:
            if re.match(include, name) and not re.fullmatch(home, file.path):
                yield line, f"{library} lives in {home}"


@rule("pragma_once")
def pragma_once(file):
    """Every header guards itself, the same way."""
    if file.path.endswith(".hpp") and len(re.findall(r"^#pragma once$", file.code, re.M)) != 1:
        yield 1, "a header has one #pragma once"


def _pure_files(tree, found):
    """{path: the way it came in} for all that is reached from the sources of pure targets."""
    reached = {}
    waiting = [(source, name) for name in floors.PURE_TARGETS if name in found
               for source in found[name].sources]
    waiting += [(source.removesuffix(".cpp") + ".hpp", way) for source, way in waiting]
    while waiting:
        path, way = waiting.pop()
        if path in reached or path not in tree:
            continue
        reached[path] = way
        for _, name in tree[path].includes:
            if _own(name):
                waiting.append((_own(name), f"{way} through {path}"))
    return reached


@rule("pure", of_tree=True)
def pure(tree):
    """Pure code decides on values: no clock, thread, file or random device."""
    for path, way in _pure_files(tree, cmake.targets(tree)).items():
        file = tree[path]
        for line, name in file.includes:
            for what, pattern in floors.PURE_BANNED_INCLUDES:
                if re.match(pattern, name):
                    yield file, line, f"{name} brings {what} into pure code ({way})"
        for what, pattern in floors.PURE_BANNED_CODE:
            for line, _ in file.search(pattern):
                yield file, line, f"{what} in pure code ({way})"


@rule("pure_claims", of_tree=True)
def pure_claims(tree):
    """A header that opens with "Pure" belongs to a pure target, so that the claim is checked."""
    reached = _pure_files(tree, cmake.targets(tree))
    for file in tree:
        if file.path.endswith(".hpp") and not file.is_test and file.path not in reached:
            opening = re.match(r"(//[^\n]*\n)*", file.text).group(0)
            if re.search(r"\bPure\b", opening):
                yield file, 1, "claims to be pure, but no target in PURE_TARGETS holds it"


@rule("pure_targets", of_tree=True)
def pure_targets(tree):
    """A pure target links pure targets and header libraries without I/O only."""
    found = cmake.targets(tree)
    for name in floors.PURE_TARGETS:
        if name not in found:
            if "CMakeLists.txt" in tree:
                yield tree["CMakeLists.txt"], 1, f"no target {name}, which floors.py calls pure"
            continue
        for line, link in found[name].links:
            if link not in floors.PURE_TARGETS and link not in floors.PURE_LINKS:
                yield found[name].file, line, f"the pure target {name} links {link}"


@rule("listed", of_tree=True)
def listed(tree):
    """Every source is built by a target, and every test is run by ctest."""
    found = cmake.targets(tree)
    built = {source for target in found.values() for source in target.sources}
    ran = {word for file in cmake.lists(tree) for _, command, words in cmake.commands(file)
           if command not in ("add_executable", "add_library", "target_link_libraries",
                              "target_sources", "target_compile_options", "set_target_properties",
                              "target_compile_definitions")
           for word in words}
    ran_text = "\n".join(file.text for file in cmake.lists(tree))
    for file in tree:
        if file.path.endswith(".cpp") and file.path not in built:
            yield file, 1, "no CMake target builds it"
        if file.path.endswith("_test.py") and file.name not in ran_text:
            yield file, 1, "no CMakeLists.txt names it"
    for target in found.values():
        tests = [s for s in target.sources if s.endswith("_test.cpp")]
        if tests and not any(re.search(rf"(^|[:/]){re.escape(target.name)}>?$", w) for w in ran):
            yield target.file, target.line, f"ctest does not run {target.name}"
