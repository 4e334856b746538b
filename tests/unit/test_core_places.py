"""Every value and key of a recipe keeps its place, and problems find theirs."""

from __future__ import annotations

import pytest

from rhflow.core.errors import Source, Span
from rhflow.core.text.located import Located, Pointer
from rhflow.core.text.source import read


def located(text: str) -> Located:
    return read(Source("t.yaml", text))


def text_at(span: Span) -> str:
    """Return the text that a span covers, lines and all."""
    starts = span.source.line_starts
    begin, end = starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
    return span.source.text[begin:end]


TEXT = """\
plain: word here
"quoted": 'single'
double: "tab\\there"
number: 12
nothing:
list: [a, {b: c}]
deep:
  - x
  -   y: z
block: |
  one
  two
folded: >-
  three
  four
long: goes on
  and on
宽: 中文 value
"""
PLACES: dict[Pointer, str] = {
    ("plain",): "word here",
    ("quoted",): "'single'",
    ("double",): '"tab\\there"',
    ("number",): "12",
    ("nothing",): "",
    ("list",): "[a, {b: c}]",
    ("list", 0): "a",
    ("list", 1): "{b: c}",
    ("list", 1, "b"): "c",
    ("deep", 0): "x",
    ("deep", 1, "y"): "z",
    ("block",): "|\n  one\n  two\n",
    ("long",): "goes on\n  and on",
    ("宽",): "中文 value",
}
KEYS: dict[Pointer, str] = {
    ("plain",): "plain", ("quoted",): '"quoted"', ("list", 1, "b"): "b", ("deep", 1, "y"): "y", ("宽",): "宽",
}  # fmt: skip


@pytest.mark.parametrize("pointer", PLACES, ids=str)
def test_the_place_of_a_value(pointer: Pointer) -> None:
    assert text_at(located(TEXT).span(pointer)) == PLACES[pointer]


@pytest.mark.parametrize("pointer", KEYS, ids=str)
def test_the_place_of_a_key(pointer: Pointer) -> None:
    assert text_at(located(TEXT).key_span(pointer)) == KEYS[pointer]


def test_lines_and_columns_count_from_one() -> None:
    span = located(TEXT).span(("plain",))
    assert (span.line, span.column, span.end_line, span.end_column) == (1, 8, 1, 17)


def test_an_empty_value_stands_after_its_colon() -> None:
    span = located("a:\nb: 1\n").span(("a",))
    assert (span.line, span.column) == (1, 3)


def test_a_block_begins_at_its_mark_and_ends_with_its_last_line() -> None:
    span = located(TEXT).span(("folded",))
    assert text_at(span).startswith(">-\n  three")
    assert (span.line, span.end_line) == (13, 15)


def test_a_missing_place_is_that_of_the_nearest_parent() -> None:
    found = located(TEXT)
    assert found.span(("list", 1, "b", "c", 9)) == found.span(("list", 1, "b"))
    assert found.span(("absent",)) == found.span(())
    assert found.key_span(("deep", 0)) == found.span(("deep", 0))


def test_characters_outside_the_basic_plane_count_as_one() -> None:
    span = located("a: 🎨🎨\nb: {c: 🎨, d: x}\n").span(("b", "d"))
    assert (span.line, span.column) == (2, 14)
    assert text_at(span) == "x"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(end: str) -> None:
    found = located(end.join(["a: 1", "b:", "  c: x", ""]))
    span = found.span(("b", "c"))
    assert (span.line, span.column) == (3, 6)
    assert span.source.line(3) == "  c: x"


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029"])
def test_what_editors_do_not_call_a_line_end_is_none(odd: str) -> None:
    found = located(f'a: "x{odd}y"\nb: z\n')
    assert found.span(("b",)).line == 2
    assert found.source.line(2) == "b: z"
    assert found.source.line(1) == f'a: "x{odd}y"'


def test_a_byte_order_mark_takes_no_column() -> None:
    span = located("\ufeffa: 1\n").key_span(("a",))
    assert (span.line, span.column) == (1, 1)


# --- what is written once and stands twice ---------------------------------------------------------------------------


def test_an_alias_stands_where_it_is_used_and_its_parts_where_they_were_written() -> None:
    found = located("a: &x {k: [1, two]}\nb: *x\n")
    assert text_at(found.span(("b",))) == "*x"
    assert found.span(("b", "k", 1)) == found.span(("a", "k", 1))
    assert found.key_span(("b", "k")) == found.key_span(("a", "k"))


def test_merged_members_stand_where_they_were_written() -> None:
    found = located("a: &a\n  x: one\n  y: {z: two}\nit:\n  <<: *a\n  x: three\n")
    assert text_at(found.span(("it", "x"))) == "three"
    assert found.span(("it", "y", "z")) == found.span(("a", "y", "z"))
    assert found.key_span(("it", "y")) == found.key_span(("a", "y"))


def test_members_merged_from_a_list_stand_where_they_were_written() -> None:
    found = located("a: &a {x: one}\nb: &b {x: no, y: two}\nit: {<<: [*a, *b, {z: three}]}\n")
    assert text_at(found.span(("it", "x"))) == "one"
    assert text_at(found.span(("it", "y"))) == "two"
    assert text_at(found.span(("it", "z"))) == "three"
    assert found.span(("it", "x")).line == 1


def test_members_of_a_second_merge_stand_where_they_were_written() -> None:
    found = located("a: &a {x: one}\nb: &b {y: two}\nit:\n  <<: *a\n  <<: *b\n")
    assert (text_at(found.span(("it", "x"))), text_at(found.span(("it", "y")))) == ("one", "two")


# --- a part of a value -----------------------------------------------------------------------------------------------


def found_in(value: str, snippet: str) -> tuple[int, str]:
    """Return the column (from 0, in the value) and text of a snippet found in a value."""
    span = located(f"v: {value}\n").find(("v",), snippet)
    return span.column - 4, text_at(span)


def test_a_snippet_is_found_in_expressions_first() -> None:
    assert found_in("a cat, ${{ cat }}", "cat") == (11, "cat")
    assert found_in("a cat {% if cat %}", "cat") == (12, "cat")


def test_a_snippet_is_found_as_a_whole_word() -> None:
    assert found_in("${{ params.subject }} ${{ params.sub }}", "params.sub") == (26, "params.sub")
    assert found_in("${{ vars.cat }} ${{ cat }}", "cat") == (20, "cat")
    assert found_in("${{ concat }} ${{ cat }}", "cat") == (18, "cat")


def test_bare_braces_are_not_those_of_an_expression() -> None:
    assert found_in("${{ a }} {{ b }}", "{{") == (9, "{{")


def test_a_snippet_that_is_not_there_gives_the_whole_value() -> None:
    assert found_in("${{ a }}", "steps.b") == (0, "${{ a }}")


def test_a_snippet_in_a_block_keeps_its_line() -> None:
    span = located("v: |\n  one\n  two ${{ cat }}\n").find(("v",), "cat")
    assert (span.line, span.column) == (3, 11)


def test_a_snippet_is_not_looked_for_in_the_next_value() -> None:
    found = located("v: none\nw: ${{ cat }}\n")
    assert found.find(("v",), "cat") == found.span(("v",))
