"""A parameter's value by its declared type: typed on a command line, or written in a recipe."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rhflow.core.recipe.document import Param
from rhflow.core.recipe.params import parse_param


def param(kind: str, **rules: Any) -> Param:
    return Param("p", kind, ("params", "p"), **rules)


TAKEN: list[tuple[str, Any, Any]] = [
    ("string", "x", "x"), ("string", 5, "5"), ("string", 1.5, "1.5"), ("string", True, "true"), ("string", "", ""),
    ("integer", "5", 5), ("integer", " -7 ", -7), ("integer", 5.0, 5), ("integer", "5.0", 5), ("integer", "1e3", 1000),
    ("integer", "9007199254740993", 9007199254740993), ("number", "2", 2), ("number", "2.5", 2.5), ("number", 3, 3),
    ("boolean", True, True), ("boolean", "TRUE", True), ("boolean", "false", False),
    ("image", "a.png", "a.png"), ("video", "https://x/y", "https://x/y"), ("audio", "s.mp3", "s.mp3"),
    ("file", "f", "f"),
    ("list", "a, b", ["a", "b"]), ("list", '["a", 1]', ["a", 1]), ("list", [1], [1]), ("list", "one", ["one"]),
    ("object", '{"a": 1}', {"a": 1}), ("object", {"a": 1}, {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "value"), TAKEN)
def test_what_a_type_takes(kind: str, given: Any, value: Any) -> None:
    found = parse_param(param(kind), given)
    assert found == value
    assert type(found) is type(value)


REFUSED: list[tuple[str, Any, str]] = [
    ("string", ["x"], "must be text, not `['x']`"), ("string", None, "must be text, not `None`"),
    ("integer", "5.5", "must be a whole number, not `5.5`"), ("integer", "five", "must be a whole number, not `five`"),
    ("integer", True, "must be a whole number, not `True`"), ("integer", "", "must be a whole number, not ``"),
    ("integer", "9" * 5000, "must be a whole number, not `" + "9" * 60 + "…`"),
    ("number", "nan", "must be a number, not `nan`"), ("number", "-inf", "must be a number, not `-inf`"),
    ("number", math.inf, "must be a number, not `inf`"), ("number", "1_0x", "must be a number, not `1_0x`"),
    ("boolean", "yes", "must be true or false, not `yes`"), ("boolean", 1, "must be true or false, not `1`"),
    ("image", 5, "must be a path or a link, not `5`"), ("list", "{}", "must be a list, not `{}`"),
    ("object", "a=b", "must be an object, not `a=b`"), ("object", "[1]", "must be an object, not `[1]`"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "words"), REFUSED)
def test_what_a_type_refuses(kind: str, given: Any, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_param(param(kind), given)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("rules", "given", "words"),
    [
        ({"enum": ("a", "b")}, "c", "must be one of `a`, `b`, not `c`"),
        ({"pattern": "[a-z]+"}, "abc1", "must match `[a-z]+`, not `abc1`"),
        ({"pattern": "b"}, "abc", "must match `b`, not `abc`"),
    ],
)
def test_the_rules_of_a_text(rules: dict[str, Any], given: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_param(param("string", **rules), given)
    assert str(caught.value) == words


def test_the_limits_of_a_number() -> None:
    limited = param("number", minimum=0, maximum=1.5)
    assert [parse_param(limited, each) for each in ("0", 1.5)] == [0, 1.5]
    with pytest.raises(ValueError, match="must be at least 0, not `-1`"):
        parse_param(limited, "-1")
    with pytest.raises(ValueError, match=r"must be at most 1\.5, not `2`"):
        parse_param(limited, 2)


@pytest.mark.parametrize(("kind", "given"), [("string", "720"), ("string", 720), ("integer", "720"), ("number", 720.0)])
def test_choices_are_read_by_the_declared_type_too(kind: str, given: Any) -> None:
    assert parse_param(param(kind, enum=(720, 1080)), given) in (720, "720")


def test_a_choice_is_not_mistaken_for_another_type() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        parse_param(param("string", enum=("16:9",)), 969)


@pytest.mark.parametrize(
    "secret",
    [
        param("string", secret=True, pattern="sk-.*"), param("integer", secret=True), param("boolean", secret=True),
        param("string", secret=True, enum=("x",)), param("object", secret=True), param("image", secret=True),
    ],
)  # fmt: skip
def test_a_secret_is_not_told(secret: Param) -> None:
    given: Any = "hunter2" if secret.type != "image" else ["hunter2"]
    with pytest.raises(ValueError) as caught:
        parse_param(secret, given)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|aa)+", "(a*)*b", "(.*)*(.*)*(.*)*c"])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    """Each would take Python's own engine years; that this one ends is all there is to see."""
    with pytest.raises(ValueError, match="must match"):
        parse_param(param("string", pattern=pattern), "a" * 5000 + "!")
