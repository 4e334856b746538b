"""What Jinja's parser says, in words for people who do not write programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from rhflow.core.errors import did_you_mean
from rhflow.core.expr.bounds import SandboxError

_KINDS = {
    "end of print statement": "`}}`",
    "end of statement block": "`%}`",
    "begin of print statement": "`${{`",
    "begin of statement block": "`{%`",
    "begin of comment": "`{#`",
    "end of comment": "`#}`",
    "template data / text": "text",
    "end of template": "the end of the text",
    "name": "a name",
    "string": "a text in quotes",
    "integer": "a number",
    "float": "a number",
}
_CLOSERS = ("`}}`", "`%}`", "`)`", "`]`", "`}`", "the end of the text")


def _worded(token: str) -> str:
    return _KINDS.get(token, f"`{token}`")


def _expected(wanted: str, got: str) -> tuple[str, str | None]:
    wanted, got = _worded(wanted), _worded(got)
    if got in _CLOSERS:
        return f"{wanted} is missing before {got}", None
    if got == "`=`":
        return "`=` cannot stand in an expression", "write `==` to compare"
    if wanted in ("`}}`", "`%}`"):
        hint = "put an operator between two values, such as `~` to join texts; put quotes around a text"
        return f"{got} cannot follow here: the expression should end with {wanted}", hint
    return f"{got} stands where {wanted} should be", None


def _unexpected(got: str) -> tuple[str, str | None]:
    got = _worded(got)
    if got in _CLOSERS:
        return f"something is missing before {got}", None
    return f"{got} cannot stand here", None


def _character(shown: str) -> tuple[str, str | None]:
    if shown in ("'", '"'):
        return "a text in quotes is not closed", f"add `{shown}` at its end"
    hints = {"&": "write `and`", "?": "write `a if condition else b`", "!": "write `not`", "\\": None}
    return f"the character `{shown}` cannot stand in an expression", hints.get(shown)


_RULES: tuple[tuple[str, Callable[..., tuple[str, str | None]]], ...] = (
    (r"expected token '(.+)', got '(.+)'", _expected),
    (r"unexpected end of template, expected '(.+)'\.", lambda what: (f"{_worded(what)} is missing at the end", None)),
    (r"Expected an expression, got '(.+)'", lambda got: (f"an expression is missing before {_worded(got)}", None)),
    (r"unexpected '(.+)', expected '(.+)'", lambda got, wanted: (f"`{got}` stands where `{wanted}` should be", None)),
    (r"unexpected '(.+)'", _unexpected),
    (r"unexpected char ['\"]\\?(.+)['\"] at \d+", _character),
    (
        r"Missing end of comment tag",
        lambda: ("`{#` begins a comment that never ends", "close it with `#}`, or write `${{ '{#' }}`"),
    ),
    (r"Missing end of raw directive", lambda: ("`{% raw %}` is never closed", "add `{% endraw %}`")),
    (r"can(?:'|no)t assign to '(.+)'", lambda what: (f"a {what} cannot be given a value", "use a name")),
    (r"Invalid character in identifier", lambda: ("a name has letters, digits and `_` only", None)),
    (r"expected name or number", lambda: ("a name is missing after the dot", None)),
    (r"expected subscript expression", lambda: ("a name is missing after the dot", None)),
    (r"You cannot chain multiple tests with is", lambda: ("`is` can be used once", "join two tests with `and`")),
    (r"invalid syntax for function call.*", lambda: ("values by name come last in the brackets of a call", None)),
)


def in_plain_words(said: str) -> tuple[str, str | None]:
    """Return a message and a hint for what Jinja's parser says."""
    for pattern, words in _RULES:
        if (match := re.fullmatch(pattern, said, re.DOTALL)) is not None:
            return words(*match.groups())
    return f"this expression cannot be read: {said[:1].lower()}{said[1:]}".rstrip("."), None


_ELSEWHERE = {
    **dict.fromkeys(("macro", "call"), "give a text a name under `vars`, or with `{% set %}`"),
    **dict.fromkeys(("include", "import", "from", "extends", "block"), "read another text with `file(…)`"),
    "print": "write `${{ … }}`",
    "do": "write `${{ … }}`, or `{% set %}`",
    **dict.fromkeys(("elseif", "elsif"), "write `{% elif … %}`"),
    "while": "write `{% for … in … %}`",
}
_INNER = {"else": "if", "elif": "if", "endif": "if", "endfor": "for", "endset": "set", "endwith": "with"}


def tag_problem(name: str | None, inside: str | None, known: Collection[str]) -> SandboxError:
    """Return the problem of ``{% name %}``, or of the end of the text, inside a block that is still open or in none."""
    closing = "" if inside is None else f"end{inside}"
    if name is None:
        message = f"`{{% {inside} %}}` is never closed"
        return SandboxError("template-syntax", message, hint=f"add `{{% {closing} %}}`", snippet=inside)
    if name in _INNER or name == "endfilter":
        opened = _INNER.get(name, "filter")
        if inside is None:
            return SandboxError("template-syntax", f"`{{% {name} %}}` has no `{{% {opened} %}}` before it")
        message = f"`{{% {name} %}}` stands inside `{{% {inside} %}}`, which is not closed"
        return SandboxError("template-syntax", message, hint=f"add `{{% {closing} %}}` before it")
    hint = _ELSEWHERE.get(name) or did_you_mean(name, known, limit=8)
    return SandboxError("forbidden", f"`{{% {name} %}}` is not part of the language", hint=hint, snippet=name)
