"""Rules on text: what no file of ours may hold, whatever its language."""

import re

from rules import rule

_CODE_LIKE = (".hpp", ".cpp", ".py", ".sh", ".cmake", "CMakeLists.txt", ".hcl", ".service", ".conf")


def _is_script(file):
    return file.text.startswith("#!")


@rule("line_length")
def line_length(file):
    """100 columns."""
    if file.path.endswith(_CODE_LIKE) or _is_script(file):
        for number, line in enumerate(file.lines, 1):
            if len(line) > 100:
                yield number, f"{len(line)} columns; at most 100"


@rule("blanks")
def blanks(file):
    """No tabs, trailing blanks, carriage returns, control characters or invalid UTF-8."""
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip(" \t\r"):
            yield number, "trailing blanks"
        elif "\t" in line and not file.path.endswith((".mod", ".go")):
            yield number, "a tab"
        elif re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\ufeff]", line):
            yield number, "a control character"
        elif re.search(r"[\ud800-\udfff]", line):
            yield number, "not UTF-8"
    if file.text and not file.text.endswith("\n"):
        yield len(file.lines), "no newline at the end"
    if file.text.endswith("\n\n"):
        yield len(file.lines) - 1, "blank lines at the end"


@rule("banned_words")
def banned_words(file):
    """Unfinished work is an issue of the tracker, not a word in the source."""
    for line, match in file.search(r"\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b", file.text):
        yield line, f"{match.group(1)}: finish it or track it elsewhere"


@rule("machine_paths")
def machine_paths(file):
    """Nothing depends on where one machine keeps its files."""
    pattern = r"(?<![\w.$}~-])/(work|root|home|Users)/|(?<![\w.])/tmp/(build|team)\b"
    for line, match in file.search(pattern, file.text):
        yield line, f"{match.group(0)} is a path of one machine"


@rule("registry_hosts")
def registry_hosts(file):
    """Where packages come from is the machine's setting: clients are called without a host."""
    pattern = (r"(?i)\b(proxy\.golang|sum\.golang|goproxy|pypi|pythonhosted|npmjs|crates|ghcr|quay"
               r"|gcr|(deb|security|ftp)\.debian|repo1?\.maven(\.apache)?|mcr\.microsoft"
               r"|artifactory|nexus)\.(io|org|com|net|cn)\b")
    for line, match in file.search(pattern, file.text):
        yield line, f"{match.group(0)} is the host of a registry"


@rule("file_length")
def file_length(file):
    """A file has one subject: past 400 lines it has several."""
    if file.path.endswith((".hpp", ".cpp", ".py")) and len(file.lines) > 401:
        yield 401, f"{len(file.lines) - 1} lines; at most 400"


@rule("opening_comment")
def opening_comment(file):
    """A header or a script opens with its role and contract; so does a source without a header."""
    if len(file.lines) <= 4:  # two lines that include a library's own sources say what they are
        return
    if file.path.endswith(".cpp"):
        # The header says it; a test's role is that of the header it is named after.
        own_header = "/" + file.name.removesuffix(".cpp").removesuffix("_test") + '.hpp"'
        if any(name.endswith(own_header) for _, name in file.includes):
            return
        opens = re.match(r"//", file.text)
    elif file.path.endswith(".hpp"):
        opens = re.match(r"//", file.text)
    elif file.path.endswith(".py") or (_is_script(file) and "python" in file.lines[0]):
        # An empty __init__.py says all there is to say.
        opens = not file.text or re.match(r'(#!.*\n)?("""|#)', file.text)
    elif _is_script(file):
        opens = re.match(r"#!.*\n#", file.text)
    else:
        return
    if not opens:
        yield 1, "opens without a comment on its role and contract"
