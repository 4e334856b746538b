"""YAML text to plain data: YAML 1.2 scalars, keys, anchors, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from rhflow.core.errors import Problem, RecipeError, Source
from rhflow.core.text.source import MAX_ALIAS_NODES, MAX_DEPTH, read
from tests.support import pointed_at

LOADERS = [pytest.param(yaml.CSafeLoader, id="c"), pytest.param(yaml.SafeLoader, id="python")]


def data(text: str) -> Any:
    return read(Source("t.yaml", text)).data


def refused(text: str, loader: Any = yaml.CSafeLoader) -> Problem:
    """Return the one problem that makes a text unreadable."""
    with pytest.raises(RecipeError) as caught:
        read(Source("t.yaml", text), loader=loader)
    [problem] = caught.value.problems
    return problem


SCALARS: list[tuple[str, object]] = [
    ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"),
    ("true", True), ("True", True), ("TRUE", True), ("tRue", "tRue"), ("false", False),
    ("null", None), ("Null", None), ("~", None), ("", None), ("none", "none"), ("nULL", "nULL"),
    ("16:9", "16:9"), ("1:30:00", "1:30:00"), ("2024-01-02", "2024-01-02"),
    ("2024-01-02 03:04:05", "2024-01-02 03:04:05"),
    ("012", 12), ("0o14", 12), ("0x1F", 31), ("0b11", "0b11"), ("1_000", "1_000"), ("+7", 7), ("-7", -7), ("0", 0),
    ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1.2.3", "1.2.3"), ("1e", "1e"),
    (".inf", math.inf), ("-.INF", -math.inf), ("+", "+"), (".", "."), ("0x", "0x"), ("0o9", "0o9"),
    ("'12'", "12"), ('"true"', "true"), ("''", ""), ("5s", "5s"), ("720p", "720p"), ("=", "="), ("９", "９"),
    ("!!str 12", "12"), ("! 12", "12"), ("!!int '12'", 12), ("!!float 3", 3.0), ("!!bool 'true'", True),
    ("!!null ''", None), ("a b  c", "a b  c"), ("$5 (word:1.2) {a|b}", "$5 (word:1.2) {a|b}"),
]  # fmt: skip


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text or "empty" for text, _ in SCALARS])
def test_scalars_follow_yaml_1_2(text: str, value: object, loader: Any) -> None:
    found = read(Source("t.yaml", f"v: {text}\n"), loader=loader).data["v"]
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(data("v: .nan")["v"])


def test_a_number_beyond_reason_stays_text() -> None:
    digits = "9" * 5000
    assert data(f"v: {digits}")["v"] == digits


@pytest.mark.parametrize(
    ("key", "read_as"), [("1", "1"), ("on", "on"), ("null", "null"), ("'a b'", "a b"), ("1.0", "1.0")]
)
def test_keys_are_always_text(key: str, read_as: str) -> None:
    assert data(f"{key}: x") == {read_as: "x"}


def test_an_empty_text_is_nothing() -> None:
    assert data("") is None
    assert data("# only a comment\n") is None
    assert data("---\n") is None


# --- anchors, aliases, merge keys ------------------------------------------------------------------------------------


def test_an_alias_is_a_copy_not_the_same_object() -> None:
    found = data("a: &x {k: [1, 2]}\nb: *x\n")
    assert found == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}}
    assert found["a"] is not found["b"]
    assert found["a"]["k"] is not found["b"]["k"]


def test_an_anchor_may_be_defined_again() -> None:
    assert data("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_merge_fills_in_what_is_not_there() -> None:
    found = data("base: &b {x: 1, y: 2}\nit: {<<: *b, y: 3, z: 4}\n")
    assert found["it"] == {"x": 1, "y": 3, "z": 4}


def test_merge_of_a_list_lets_the_earlier_win() -> None:
    found = data("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nit: {<<: [*a, *b]}\n")
    assert found["it"] == {"x": 1, "y": 2}


def test_merge_twice_and_inline() -> None:
    found = data("a: &a {x: 1}\nit:\n  <<: *a\n  <<: {x: 5, y: 6}\n  z: 7\n")
    assert found["it"] == {"x": 1, "y": 6, "z": 7}


def test_merge_of_a_merge() -> None:
    found = data("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nit: {<<: *b}\n")
    assert found["it"] == {"x": 1, "y": 2}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert data('it: {"<<": 1}') == {"it": {"<<": 1}}


@pytest.mark.parametrize(("text", "at"), [("a: {<<: 5}", "5"), ("a: &a {x: 1}\nb: {<<: [*a, word]}", "word")])
def test_merge_takes_mappings_only(text: str, at: str) -> None:
    problem = refused(text)
    assert problem.code == "bad-merge"
    assert pointed_at(problem) == at


def test_an_unknown_alias_is_refused() -> None:
    problem = refused("a: *nobody\n")
    assert problem.code in ("bad-alias", "yaml")
    assert pointed_at(problem).startswith("*nobody")


def test_an_anchor_inside_itself_is_refused() -> None:
    problem = refused("a: &a [1, *a]\n")
    assert problem.code == "bad-alias"
    assert problem.hint == "an anchor cannot be used inside itself"


def test_an_alias_cannot_be_a_key() -> None:
    assert refused("a: &a x\n? *a\n: 1\n").code == "bad-key"


# --- what is bounded -------------------------------------------------------------------------------------------------


def bomb(levels: int) -> str:
    lines = ["x0: &x0 [l, l, l, l, l, l, l, l, l, l]"]
    lines += [f"x{at}: &x{at} [{', '.join([f'*x{at - 1}'] * 10)}]" for at in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize("loader", LOADERS)
def test_a_bomb_of_aliases_is_refused_before_it_grows(loader: Any) -> None:
    problem = refused(bomb(30), loader)
    assert problem.code == "alias-bomb"
    assert problem.span is not None
    assert problem.span.line == 5  # 10^5 values on the fifth
    assert f"{MAX_ALIAS_NODES:,}" in problem.message


def test_many_aliases_below_the_bound_are_fine() -> None:
    found = data("a: &a {p: 1}\nlist:\n" + "  - *a\n" * 5000)
    assert len(found["list"]) == 5000


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_hundred_thousand_levels_are_refused(opening: str, loader: Any) -> None:
    problem = refused(opening * (100_000 if opening == "[" else 2_000), loader)
    assert problem.code in ("too-deep", "bad-key")


def test_depth_is_bounded_through_aliases_too() -> None:
    deep = MAX_DEPTH - 4
    parts = ["x0: &a0 " + "[" * deep + "1" + "]" * deep]
    parts += [f"x{at}: &a{at} " + "[" * deep + f"*a{at - 1}" + "]" * deep for at in range(1, 40)]
    assert refused("\n".join(parts)).code == "too-deep"


def test_depth_just_within_the_bound() -> None:
    found = data("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    depth = 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == MAX_DEPTH - 1


# --- what is refused -------------------------------------------------------------------------------------------------


def test_duplicate_keys_are_all_told() -> None:
    with pytest.raises(RecipeError) as caught:
        data("a: 1\nb: {k: 1, k: 2}\na: 3\na: 4\n")
    messages = [(problem.code, problem.message) for problem in caught.value.problems]
    assert messages == [
        ("duplicate-key", "the key `k` is already used on line 2"),
        ("duplicate-key", "the key `a` is already used on line 1"),
        ("duplicate-key", "the key `a` is already used on line 3"),
    ]


def test_a_key_that_only_looks_different_is_a_duplicate() -> None:
    assert refused("1: a\n'1': b\n").code == "duplicate-key"


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!mine 1", "!!binary aGk=", "!!int x"],
)
@pytest.mark.parametrize("loader", LOADERS)
def test_tags_that_build_things_are_refused(tag: str, loader: Any) -> None:
    problem = refused(f"a: {tag}\n", loader)
    assert problem.code == "bad-tag"
    assert problem.hint is not None


def test_a_tag_is_shown_as_it_was_written() -> None:
    assert refused("a: !!python/object:x {}\n").message == "the tag `!!python/object:x` is not allowed here"
    assert refused("a: !thing 1\n").message == "the tag `!thing` is not allowed here"


def test_several_documents_are_refused() -> None:
    problem = refused("a: 1\n---\nb: 2\n")
    assert (problem.code, pointed_at(problem)) == ("several-documents", "---")


def test_one_document_with_its_markers_is_fine() -> None:
    assert data("%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}


@pytest.mark.parametrize("text", ["? [a, b]\n: 1\n", "? {a: b}\n: 1\n"])
def test_a_key_must_be_a_word(text: str) -> None:
    assert refused(text).code == "bad-key"


def test_bare_braces_say_what_to_write() -> None:
    problem = refused("prompt: {{ params.x }}\n")
    assert pointed_at(problem) == "{{"
    assert "${{ … }}" in (problem.hint or "")


# --- one meaning whatever the parser ---------------------------------------------------------------------------------

RICH = (
    """\
%YAML 1.2
---
# a comment with 中文
base: &base {a: 1, "b": 'two', c: [~, !!str 3, *later_no]}
""".replace(", *later_no", "")
    + """\
"quoted \\u4e2d key": "line\\n\\t\\"x\\" \\
  folded"
block: |-
  one
    two: ${{ params.x }}

  三
folded: >+
  a
  b

list:
- x
-
  - nested
  - {<<: *base, a: 2}
- *base
? explicit
: value
empty:
"""
)


def test_both_parsers_give_the_same_data_and_places() -> None:
    source = Source("t.yaml", RICH)
    quick, plain = read(source, loader=yaml.CSafeLoader), read(source, loader=yaml.SafeLoader)
    assert quick.data == plain.data
    assert quick.keys == plain.keys
    assert quick.places.keys() == plain.places.keys()
    starts = {pointer: place[0] for pointer, place in quick.places.items()}
    assert starts == {pointer: place[0] for pointer, place in plain.places.items()}


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    located = read(Source("t.yaml", "\ufeffa: 1\r\nb:\r\n  c: x\r\n"))
    assert located.data == {"a": 1, "b": {"c": "x"}}
    span = located.span(("b", "c"))
    assert (span.line, span.column) == (3, 6)
    assert span.source.line(3) == "  c: x"
