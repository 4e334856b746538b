"""Dotted paths mean the same whoever reads them: the quick way, the whole language, and Jinja itself."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

import jinja2
from hypothesis import given
from hypothesis import strategies as st

from rhflow.core.errors import RecipeError
from rhflow.core.recipe.template import Template, parse_text, resolve
from rhflow.core.values import text_of
from tests.fakes import artifact, finished_step

WORDS = st.sampled_from(["a", "b", "look", "two_words", "x1", "_u"])
ODD = st.sampled_from(["two words", "a-b", "ключ", "1st", "", "items", "keys", "get", "name", "files", "0"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6), st.just("${{ params.a }}"), st.just("<b>&'\""),
)  # fmt: skip


def values(keys: st.SearchStrategy[str], *, files: bool) -> st.SearchStrategy[Any]:
    """Return values such as parameters and steps hold."""
    leaves = SCALARS | st.just(artifact("a.png", width=3)) if files else SCALARS
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )


@st.composite
def paths(draw: st.DrawFn, names: dict[str, Any], keys: st.SearchStrategy[str]) -> list[str | int]:
    """Return a way through ``names``: a right one for the most part."""
    path: list[str | int] = [draw(st.sampled_from(sorted(names)))]
    value = names[str(path[0])]
    for _ in range(draw(st.integers(0, 4))):
        match value:
            case dict() if value and draw(st.integers(0, 9)):
                step: str | int = draw(st.sampled_from(sorted(value)))
                value = value[step]
            case list() if value and draw(st.integers(0, 9)):
                step = draw(st.integers(0, len(value) - 1))
                value = value[step]
            case _ if draw(st.booleans()):
                step, value = draw(keys | st.integers(0, 3)), None
            case _:
                return path
        path.append(step)
    return path


@st.composite
def written(draw: st.DrawFn, path: Sequence[str | int]) -> str:
    """Return a path as an author may write it."""
    text = str(path[0])
    for step in path[1:]:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() and step.isascii() and not keyword.iskeyword(step) and draw(st.booleans()):
            text += f".{step}"
        else:
            text += draw(st.sampled_from(["['{}']", '["{}"]'])).format(step)
    return text


LITERALS = st.text("ab ,.$%{}|#()\n'\"猫<>", max_size=8).filter(
    lambda text: not any(mark in text for mark in ("{{", "{%", "{#")) and not text.endswith(("$", "{"))
)


@st.composite
def templates(draw: st.DrawFn, names: dict[str, Any], keys: st.SearchStrategy[str]) -> tuple[str, str]:
    """Return a text of literals and paths, and the same text in which no path is a plain one."""
    plain, wrapped = draw(LITERALS), ""
    wrapped = plain
    for _ in range(draw(st.integers(1, 3))):
        path = draw(written(draw(paths(names, keys))))
        space = draw(st.sampled_from(["", " ", "  "]))
        after = draw(LITERALS)
        plain += "${{" + space + path + space + "}}" + after
        wrapped += "${{" + space + "(" + path + ")" + space + "}}" + after
    return plain, wrapped


def outcome(template: Template | str, names: dict[str, Any]) -> tuple[str, Any]:
    """Return a value with its type, or that there is none."""
    try:
        value = resolve(template, names)
    except RecipeError:
        return "refused", None
    return type(value).__name__, value


@given(st.data())
def test_the_quick_way_and_the_whole_language_agree(data: st.DataObject) -> None:
    keys = WORDS | ODD
    names = {
        "params": data.draw(st.dictionaries(keys, values(keys, files=True), min_size=1, max_size=4), label="params"),
        "steps": {"draw": finished_step(artifact("a.png"), artifact("b.mp4"), texts=('{"a": [1]}',))},
    }
    plain, wrapped = data.draw(templates(names, keys), label="templates")
    quick, slow = parse_text(plain), parse_text(wrapped)
    assert isinstance(quick, Template)
    assert isinstance(slow, Template)
    assert quick.parts is not None
    assert slow.parts is None
    assert quick.exact == slow.exact
    assert set(quick.refs) == set(slow.refs)
    assert outcome(quick, names) == outcome(slow, names)


def _finalize(value: Any) -> Any:
    return value if isinstance(value, jinja2.Undefined) else text_of(value)


@given(st.data())
def test_the_quick_way_and_jinja_agree(data: st.DataObject) -> None:
    names = {"params": data.draw(st.dictionaries(WORDS, values(WORDS, files=False), min_size=1, max_size=4))}
    plain, _ = data.draw(templates(names, WORDS), label="templates")
    jinja = jinja2.Environment(
        variable_start_string="${{", variable_end_string="}}", undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True, finalize=_finalize,
    )  # fmt: skip
    try:
        expected: tuple[str, Any] = ("str", jinja.from_string(plain).render(names))
    except jinja2.UndefinedError:
        expected = ("refused", None)
    found, value = outcome(parse_text(plain), names)
    assert (found, value) == expected or (text_of(value) == expected[1] and found != "refused")


@given(st.text("ab$ {}%#\n'猫", max_size=12))
def test_a_text_without_expressions_is_itself(text: str) -> None:
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        assert parse_text(text) == text


@given(st.text(max_size=30), SCALARS)
def test_what_a_value_holds_is_never_read_as_a_template(text: str, value: Any) -> None:
    names = {"params": {"a": text, "b": [value]}}
    assert resolve(parse_text("${{ params.a }}"), names) == text
    assert resolve(parse_text("x${{ params.a }}y"), names) == f"x{text}y"
    assert resolve(parse_text("x${{ (params.a) }}y"), names) == f"x{text}y"
    assert resolve(parse_text("${{ params.b[0] }}"), names) == value
