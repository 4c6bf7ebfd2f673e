#!/usr/bin/env python3
"""The house rules as a test: tidy.py [RULE...] prints `file:line: rule: what is wrong`.

tidy.py --self-test runs every rule on its examples, so that a rule that sees nothing fails. Exit 0
when there is nothing to say, else 1. A new rule is a function in one of the *_rules.py and a file
in examples/.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import coroutine_rules  # noqa: E402,F401  a module of rules registers them when it is imported
import house_rules  # noqa: E402,F401
import safety_rules  # noqa: E402,F401
import text_rules  # noqa: E402,F401
import examples  # noqa: E402
import rules  # noqa: E402
import source  # noqa: E402

# Bytes that are data: recorded answers, a fuzzer's corpus, the rules' own bad examples.
DATA = ("/recorded/", "/corpus/", "tests/tidy/examples/")


def is_ours(path):
    binary = path.endswith((".png", ".ico", ".gz", ".tar", ".pyc", ".sum"))
    return not binary and not any(part in "/" + path for part in DATA)


def check(root, names):
    """Runs the named rules, or all, on the tree; returns the exit code."""
    tree = source.read_tree(root, is_ours)
    if not any(file.is_cpp for file in tree):
        print(f"tidy: no source below {root}", file=sys.stderr)
        return 1
    count = 0
    for name in names or rules.ALL:
        for path, line, message in rules.ALL[name].findings(tree):
            print(f"{path}:{line}: {name}: {message}")
            count += 1
    print(f"tidy: {len(tree.files)} files, {len(names or rules.ALL)} rules, {count} findings",
          file=sys.stderr)
    return 1 if count else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(HERE)))
    parser.add_argument("--self-test", action="store_true", help="run each rule on its examples")
    parser.add_argument("--list", action="store_true", help="print the rules, a line each")
    parser.add_argument("rule", nargs="*", choices=[[], *rules.ALL], help="default: all")
    options = parser.parse_args()
    if options.list:
        for name, each in rules.ALL.items():
            print(f"{name:18} {each.check.__doc__.splitlines()[0]}")
        return 0
    if options.self_test:
        return examples.run(os.path.join(HERE, "examples"))
    return check(options.root, options.rule)


if __name__ == "__main__":
    sys.exit(main())
