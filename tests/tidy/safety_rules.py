"""Rules on what is too easy to get wrong: shells, tests that do not run, waits that hope."""

import re

from rules import rule


@rule("shell")
def shell(file):
    """A program is run by its argv; no shell reads what came from a label or a name."""
    if file.is_cpp:
        calls = r"(?<![\w.>:])(?:std::|::)?(system|popen|wordexp)\s*\("
        for line, match in file.search(calls):
            yield line, f"{match.group(1)}() runs a shell"
        if not file.is_test:
            argv = r'"(?:/(?:usr/)?bin/)?(?:ba|da)?sh"\s*,\s*"-[a-z]*c"'
            for line, _ in file.search(argv, file.uncommented):
                yield line, "an argv that is a shell's"
    elif file.path.endswith(".py") or re.match(r"#!.*python", file.text):
        calls = r"\bshell\s*=\s*True\b|\bos\.(system|popen)\(|\bgetoutput\(|\bgetstatusoutput\("
        for line, match in file.search(calls, re.sub(r"(?m)^\s*#.*$", "", file.text)):
            yield line, f"{match.group(0)} runs a shell"


@rule("skips")
def skips(file):
    """A test runs, or fails: none is hidden, may fail, or skips itself."""
    if not file.is_test and file.name != "CMakeLists.txt":
        return
    if file.is_cpp:
        pattern = r'\[\.[\w.]*\]|\[!(mayfail|shouldfail|hide|throws)\]|\bSKIP\s*\('
        text = file.uncommented
    elif file.name == "CMakeLists.txt":
        pattern = r"\bSKIP_(RETURN_CODE|REGULAR_EXPRESSION)\b|\bDISABLED\b|\bWILL_FAIL\b"
        text = file.text
    elif file.path.endswith(".py"):
        pattern = r"\bskip(Test|If|Unless)\b|\b(unittest|mark)\.skip\b|\bexpectedFailure\b"
        if file.name.endswith("_test.py"):
            # What is not installed would leave its test out.
            pattern += r"|\bshutil\.which\("
        text = file.text
    else:
        return
    for line, match in file.search(pattern, text):
        yield line, f"{match.group(0)} keeps a test from running"


@rule("fixed_sleeps")
def fixed_sleeps(file):
    """Wait for what should happen, with a deadline; a thread never sleeps for luck."""
    if file.is_cpp:
        for line, match in file.search(r"\bthis_thread::sleep_(for|until)\b|\b(u|nano)?sleep\s*\("):
            yield line, f"{match.group(0)} blocks the thread"
