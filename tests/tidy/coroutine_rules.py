"""Rules on coroutines: what g++ 12 miscompiles, and what dies before its coroutine ends.

g++ 12.2 frees twice what it builds inside a `co_await` expression out of braces, `?:` or a
capturing lambda (GCC bugs 107288, 95599). So in a full expression with `co_await`, over however
many lines, arguments are names, moves or calls.
"""

import re

from rules import rule

_OPEN = {")": "(", "]": "[", "}": "{"}
_TOKEN = re.compile(r'"[^"]*"|\w+|->|::|==|&&|\|\||[^\s\w]')
_CONTROL = {"if", "while", "for", "switch", "constexpr", "catch"}
_BEFORE_BLOCK = {")", ";", "{", "}", ":", "else", "do", "try", "const", "noexcept", "override",
                 "final", "mutable"}
_EXPRESSION_ENDS = {",", ")", "]", ".", "?", ":", "==", "&&", "||", "->", "+"}


class _Tokens:
    """The tokens of a file, each bracket with its partner, each lambda with its parts."""

    def __init__(self, code):
        # Directives are no expressions; a macro's body is beyond this.
        code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                      code, flags=re.MULTILINE)
        matches = list(_TOKEN.finditer(code))
        self.text = [m.group(0) for m in matches]
        self.offset = [m.start() for m in matches]
        self.partner = self._pair()
        self.lambdas = self._find_lambdas()  # index of "[" -> index of the body's "{", or None

    def __len__(self):
        return len(self.text)

    def at(self, index):
        return self.text[index] if 0 <= index < len(self.text) else ""

    def _pair(self):
        partner, stack = {}, []
        for index, token in enumerate(self.text):
            if token in "([{" and token:
                stack.append(index)
            elif token in _OPEN:
                while stack and self.text[stack[-1]] != _OPEN[token]:
                    stack.pop()
                if stack:
                    opener = stack.pop()
                    partner[opener], partner[index] = index, opener
        return partner

    def _find_lambdas(self):
        found = {}
        for index, token in enumerate(self.text):
            if token != "[" or index not in self.partner:
                continue
            before = self.at(index - 1)
            is_attribute = "[" in (before, self.at(index + 1))
            is_subscript = re.fullmatch(r"\w+|\)|\]|\"[^\"]*\"", before) and before not in (
                "return", "co_return", "co_await", "co_yield", "case", "auto")
            is_binding = before == "auto" or (before in "&&" and self.at(index - 2) == "auto")
            if not (is_attribute or is_subscript or is_binding):
                found[index] = self._body_of_lambda(self.partner[index] + 1)
        return found

    def _body_of_lambda(self, index):
        while index < len(self):
            token = self.at(index)
            if token == "{":
                return index
            if token == "(" and index in self.partner:
                index = self.partner[index]
            elif token in ")];,}":
                return None
            index += 1
        return None

    def captures(self, opener):
        return self.partner[opener] > opener + 1

    def opens_block(self, index):
        """Is this "{" a block, as opposed to a braced initializer?"""
        if index in self.lambdas.values() or self.at(index - 1) in _BEFORE_BLOCK or index == 0:
            return True
        # `auto f() -> awaitable<void> {`, `struct name : base {`, `namespace a::b {`
        for back in range(index - 1, max(index - 40, -1), -1):
            token = self.at(back)
            if token in ("->", "struct", "class", "union", "enum", "namespace"):
                return True
            if token in ("(", ")", ";", "{", "}", "=", ",", "return", "co_return", "co_await"):
                return False
        return False

    def full_expression(self, index):
        """(first, last) token of the full expression around a token."""
        first = index
        openers = []
        while first > 0:
            token = self.at(first - 1)
            if token == ";" or (token == "}" and self.at(first) not in _EXPRESSION_ENDS):
                break
            if token in _OPEN and first - 1 in self.partner:
                first = self.partner[first - 1]
                continue
            if token in "([{" and token:
                if token == "{" and self.opens_block(first - 1):
                    break
                if token == "(" and self.at(first - 2) in _CONTROL:
                    break
                openers.append(first - 1)
            first -= 1
        last = index
        while last + 1 < len(self):
            token = self.at(last + 1)
            if token == ";":
                break
            if token in "([{" and token and last + 1 in self.partner:
                last = self.partner[last + 1]
                continue
            if token in _OPEN:
                if self.partner.get(last + 1) not in openers:
                    break
            last += 1
        return first, last


def _builds_in_place(tokens, first, last):
    """What in a full expression is neither a name, a move nor a call: [(token index, what)]."""
    index = first
    while index <= last:
        token = tokens.at(index)
        if index in tokens.lambdas:
            if tokens.captures(index):
                yield index, "a capturing lambda"
            body = tokens.lambdas[index]
            if body is not None:
                index = tokens.partner.get(body, last)
        elif token == "{":
            yield index, "braces"
        elif token == "?":
            yield index, "?:"
        index += 1


@rule("co_await")
def co_await(file):
    """Arguments in a co_await expression are names, moves or calls."""
    if not file.is_cpp or "co_await" not in file.code:
        return
    tokens = _Tokens(file.code)
    for index, token in enumerate(tokens.text):
        if token == "co_await":
            for where, what in _builds_in_place(tokens, *tokens.full_expression(index)):
                line = file.line_at(tokens.offset[where])
                yield line, f"{what} beside co_await: g++ 12 miscompiles it, name it first"


@rule("catch_await")
def catch_await(file):
    """No co_await in a catch block (ill-formed; g++ 12 does not always say so)."""
    if not file.is_cpp or "co_await" not in file.code:
        return
    tokens = _Tokens(file.code)
    for index, token in enumerate(tokens.text):
        if token != "catch" or tokens.at(index + 1) != "(":
            continue
        body = tokens.partner.get(index + 1, len(tokens)) + 1
        for inner in range(body, tokens.partner.get(body, body)):
            if tokens.at(inner) == "co_await":
                yield file.line_at(tokens.offset[inner]), "co_await in a catch block"


@rule("lambda_coroutine")
def lambda_coroutine(file):
    """A capturing lambda coroutine outlives its closure (C++ Core Guidelines CP.51)."""
    if not file.is_cpp or "co_" not in file.code:
        return
    tokens = _Tokens(file.code)
    for opener, body in tokens.lambdas.items():
        if body is None or not tokens.captures(opener):
            continue
        index, end = body, tokens.partner.get(body, body)
        while index < end:
            inner = tokens.lambdas.get(index)
            if inner is not None:
                index = tokens.partner.get(inner, end)
            elif tokens.at(index) in ("co_await", "co_return", "co_yield"):
                yield (file.line_at(tokens.offset[opener]),
                       "a coroutine that is a capturing lambda: pass what it needs as parameters")
                break
            index += 1
