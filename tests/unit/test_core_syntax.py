"""What is not YAML: a place, the parser's words, and a hint for the usual slips."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rhflow.core.errors import Problem, RecipeError, Source
from rhflow.core.text.source import read

LOADERS = [pytest.param(yaml.CSafeLoader, id="c"), pytest.param(yaml.SafeLoader, id="python")]


def refused(text: str, loader: Any) -> Problem:
    """Return the one problem that makes a text unreadable."""
    with pytest.raises(RecipeError) as caught:
        read(Source("t.yaml", text), loader=loader)
    [problem] = caught.value.problems
    return problem


SLIPS: dict[str, tuple[str, tuple[int, int], str]] = {
    "tab": ("a:\n\tb: 1\n", (2, 1), "indent with spaces"),
    "full-width colon": ("a: 1\nb：2\n", (2, 2), "full-width `：`"),
    "full-width colon above": ("a:\n  with：\n    p: 1\n", (2, 7), "full-width `：`"),
    "expression in brackets": ("a: [${{ params.x }}]\n", (1, 6), "quotes around a value with `${{ … }}`"),
    "colon in a text": ("prompt: a cat: sitting\n", (1, 14), "quotes around a value that holds `: `"),
    "no colon": ("a: 1\nb 2\nc: 3\n", (2, 1), "write `key: value`"),
    "deeper than it may be": ("a: 1\n  b: 2\n", (2, 4), "the line above has a value already"),
    "neither here nor there": ("a:\n  b: 1\n c: 2\n", (3, 2), "check the indentation"),
    "list and mapping": ("- a\nb: 1\n", (2, 1), "check the indentation"),
    "open quote": ("a: 'x\nb: 1\n", (1, 4), "close the quote that begins here"),
    "open bracket": ("a: [1, 2\nb: 3\n", (2, 2), "close the bracket"),
    "windows path": ('a: "C:\\q"\n', (1, 0), "write `\\\\` for a backslash"),
    "at sign": ("a: @x\n", (1, 4), "a text that begins with `@`"),
}


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.parametrize("loader", LOADERS)
def test_the_usual_slips_have_a_hint(name: str, loader: Any) -> None:
    text, place, hint = SLIPS[name]
    problem = refused(text, loader)
    assert problem.code == "yaml"
    assert hint in (problem.hint or "")
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == place or place[1] == 0  # the two differ by a column there


@pytest.mark.parametrize("character", ["\x07", "\x00", "\x9f"])
@pytest.mark.parametrize("loader", LOADERS)
def test_an_unprintable_character_is_pointed_at(character: str, loader: Any) -> None:
    problem = refused(f"名: 1\nb: x{character}y\n", loader)
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (2, 5)
    assert f"U+{ord(character):04X}" in problem.message


@pytest.mark.parametrize(
    "text", ["a: 'x", 'a: "x', "a: [1, 2", "a: {b: 1", "a: &", "a: *", "a: !<", '"\\q"', "- a\nb: 1", "@x", "`x"]
)
@pytest.mark.parametrize("loader", LOADERS)
def test_whatever_is_no_yaml_has_a_place(text: str, loader: Any) -> None:
    problem = refused(text, loader)
    assert problem.span is not None
    assert problem.span.line in (1, 2)
