"""The tokens of a template, as Jinja's lexer finds them and as the recipe language means them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment
from jinja2.lexer import TokenStream

from rhflow.core.expr.bounds import MAX_DIGITS, SandboxError

_BEGINS = ("variable_begin", "block_begin", "comment_begin", "raw_begin")
_ID_PART = re.compile(r"[a-z0-9_]+\Z")
_ESCAPE = re.compile(
    r"""\\(?:(?P<known>x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{|[0-3][0-7]{2}|[0-7]{1,2}(?![0-7])|"""
    r"""[\n\\'"abfnrtv])|(?P<begun>[xuUN])|(?P<other>.))""",
    re.DOTALL,
)


class Code:
    """The parts of a text that hold code, and the one that is being read."""

    def __init__(self) -> None:
        self._parts: list[list[str]] = []
        self._at = 0

    @property
    def current(self) -> str | None:
        """The code that is being read."""
        return "".join(self._parts[self._at - 1]) if self._at else None

    def lexed(self, kind: str, value: str) -> None:
        if kind in _BEGINS:
            self._parts.append([])
            self._at = len(self._parts)
        if self._parts and kind != "data":
            self._parts[-1].append(value)

    def rewind(self) -> None:
        self._at = 0

    def entered(self, kind: str) -> None:
        self._at += kind in _BEGINS


_Raw = tuple[int, str, str]


def tokens(env: Environment, text: str, code: Code) -> TokenStream:
    """Return the tokens of a text, with ``steps.two-words`` as one name: no subtraction is meant."""
    raw: list[_Raw] = []
    for token in env.lexer.tokeniter(text, None):
        code.lexed(*token[1:])
        raw.append(token)
    code.rewind()

    def followed() -> Iterator[_Raw]:
        for line, kind, value in _mended(raw):
            code.entered(kind)
            yield line, kind, value

    return TokenStream(env.lexer.wrap(followed()), None, None)


def _mended(raw: list[_Raw]) -> Iterator[_Raw]:
    """Yield the tokens with ids quoted, and with texts and numbers as Jinja's lexer takes them without a warning."""
    at = 0
    while at < len(raw):
        line, kind, value = raw[at]
        if kind == "string":
            value = _unescaped(value)
        elif kind in ("integer", "float") and len(value) > MAX_DIGITS:
            raise SandboxError("number-too-large", f"a number has at most {MAX_DIGITS} digits here")
        yield line, kind, value
        at += 1
        if kind == "name" and value == "steps" and (found := _hyphened(raw, at)) is not None:
            word, at = found
            yield from ((line, "operator", "["), (line, "string", f"'{word}'"), (line, "operator", "]"))


def _hyphened(raw: list[_Raw], at: int) -> tuple[str, int] | None:
    """Return the id after ``steps`` if it holds hyphens, and where it ends."""
    kinds = [(kind, value) for _, kind, value in raw[at : at + 2]]
    if len(kinds) < 2 or kinds[0] != ("operator", ".") or kinds[1][0] != "name":
        return None
    word, at = kinds[1][1], at + 2
    while at < len(raw) and raw[at][1:] == ("operator", "-"):
        word, at = f"{word}-", at + 1
        if at < len(raw) and raw[at][1] in ("name", "integer", "float") and _ID_PART.match(raw[at][2]):
            word, at = word + raw[at][2], at + 1
            if at < len(raw) and raw[at - 1][1] != "name" and raw[at][1] == "name":  # `2x` is two tokens
                word, at = word + raw[at][2], at + 1
    return (word, at) if "-" in word and word[0].islower() else None


def _unescaped(literal: str) -> str:
    r"""Return a quoted text with ``\d`` and the like written as ``\\d``: Python will stop to take them as they are."""

    def mend(match: re.Match[str]) -> str:
        if (what := match["begun"]) is not None:
            message = f"`\\{what}` begins an escape that is not complete"
            raise SandboxError("template-syntax", message, hint="write `\\\\` for a backslash")
        return match[0] if match["known"] is not None else f"\\{match[0]}"

    return _ESCAPE.sub(mend, literal)
