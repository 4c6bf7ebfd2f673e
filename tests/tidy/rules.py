"""The register of rules. A rule is a function of a file, or of the whole tree, and has a name.

A file rule yields (line, message); a tree rule yields (file, line, message).
"""

ALL = {}


class Rule:
    def __init__(self, name, check, of_tree):
        self.name = name
        self.check = check
        self.of_tree = of_tree

    def findings(self, tree):
        """(path, line, message), sorted."""
        if self.of_tree:
            found = [(file.path, line, message) for file, line, message in self.check(tree)]
        else:
            found = [(file.path, line, message)
                     for file in tree for line, message in self.check(file)]
        return sorted(set(found))


def rule(name, of_tree=False):
    def register(check):
        assert name not in ALL, name
        ALL[name] = Rule(name, check, of_tree)
        return check

    return register
