"""Writes docs/errors.md from the golden errors of the tests and from the source; ``--check`` fails when it is stale.

A problem that a recipe can bring about is shown as it was printed. Of the others, which need a service, a store or a
command line, the words are taken from where they are raised, with ``…`` for what is only known then.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rhflow.runninghub.wire.codes import CODES, HTTP_CODES, ApiCode

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "errors.md"
GOLDEN = ROOT / "tests" / "golden" / "errors"
HEAD = """\
# What rhflow says, and when

Made by `python tools/error_index.py` from the tests and the source.

A problem says what is wrong, where, and what to type instead; all problems of a recipe are told at once. The word in
brackets after `error` or `warning` is its code, which stays the same whatever the words: this page is sorted by it. The
exit codes are in [cli.md](cli.md#exit-codes).
"""
_RAISERS = ("Problem", "problem", "key_problem", "_problem", "_BadParamError", "wrong")


def examples() -> dict[str, str]:
    """Return for each code the shortest problem that the tests hold, as it is printed."""
    found: dict[str, list[str]] = {}
    for path in sorted(GOLDEN.glob("*.txt")):
        for shown in re.split(r"\n\n(?=(?:error|warning)\[)", path.read_text(encoding="utf-8").rstrip()):
            found.setdefault(shown[shown.index("[") + 1 : shown.index("]")], []).append(shown)
    return {code: min(shown, key=lambda text: (len(text), text)) for code, shown in found.items()}


def patterns() -> dict[str, str]:
    """Return for each code that the source spells out the words that go with it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "rhflow").rglob("*.py")):
        for code, words in _raised(ast.parse(path.read_text(encoding="utf-8"))):
            if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", code):
                found.setdefault(code, words)
    return found


def _raised(tree: ast.Module) -> Iterator[tuple[str, str]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        said = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            match node:
                case ast.Call(args=[ast.Constant(value=str(code)), message, *_]) if _name(node.func) in _RAISERS:
                    words = _words(said.get(message.id, message) if isinstance(message, ast.Name) else message)
                    if words is not None:
                        yield code, words


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _words(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
        case _:
            return None


def page() -> str:
    """Return the page."""
    shown = examples()
    parts = [HEAD, "## In a recipe\n"]
    parts += [f"### {code}\n\n```\n{text}\n```\n" for code, text in sorted(shown.items())]
    rest = {code: words for code, words in sorted(patterns().items()) if code not in shown}
    parts.append("## Elsewhere\n")
    parts.append(_table(("code", "says"), ((f"`{code}`", words) for code, words in rest.items())))
    parts.append(
        "## From the service\n\n`api-` and the code that the service gave, which also stands below the message.\n"
    )
    parts.append(_table(("code", "means", "what to do"), map(_row, [*CODES.values(), *HTTP_CODES.values()])))
    return "\n".join(parts)


def _row(code: ApiCode) -> tuple[str, str, str]:
    name = "minus-1" if code.code == "-1" else code.code
    return f"`api-{name}`", code.meaning, code.advice


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def main() -> int:
    """Write the page, or say whether it is stale."""
    text = page()
    if "--check" in sys.argv:
        return int(not TARGET.is_file() or text != TARGET.read_text(encoding="utf-8"))
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
