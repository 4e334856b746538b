"""From what a loop runs over to its nodes: items and their keys, matrices, takes, limits, and what is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rhflow.core.recipe.keys import key_of, short, written_key
from rhflow.core.recipe.loops import MAX_NODES, Binding, LoopError, cells, combine, items_of, takes_of
from tests.fakes import artifact, finished_step
from tests.support import pointed_at, problems_of


def keys(value: Any) -> list[str]:
    return [each.key for each in combine(items_of(value), None, None)]


@contextmanager
def refused(code: str, part: str) -> Iterator[pytest.ExceptionInfo[LoopError]]:
    """Expect a LoopError with this code about this key of the step."""
    with pytest.raises(LoopError) as caught:
        yield caught
    assert (caught.value.code, caught.value.part[0]) == (code, part)


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"key": "hero", "scene": "x"}, "hero"),
        ({"key": "Hero Shot!"}, "hero-shot"),
        ({"key": 7}, "7"),
        ({"key": 1.5}, "1.5"),
        ({"key": True}, "true"),
        ({"key": "镜头 1"}, "镜头-1"),
        ("a red fox", "a-red-fox"),
        (-1, "-1"),
        (1, "1"),
        (1.0, "1"),
        (2.5, "2.5"),
        (False, "false"),
    ],
)
def test_keys_that_can_be_read(item: Any, key: str) -> None:
    assert key_of(item) == key


@pytest.mark.parametrize(
    "item",
    [None, "", "!?", "a text that is longer than anybody wants in a name", 10**30, [], [1, 2], {}, {"scene": "x"},
     {"key": None}, {"key": ["a"]}],
)  # fmt: skip
def test_what_reads_badly_has_a_hash_of_its_content(item: Any) -> None:
    assert key_of(item) == short(item)
    assert len(key_of(item)) == 8


def test_the_hash_is_of_the_content_not_of_how_it_was_written() -> None:
    assert key_of({"a": 1, "b": [1.0, 2]}) == key_of({"b": [1, 2.0], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})
    assert key_of(artifact("a.png", content="x")) == key_of(artifact("b.png", content="x"))
    assert key_of(artifact("a.png", content="x")) != key_of(artifact("a.png", content="y"))


def test_a_pair_of_items_is_named_after_both() -> None:
    assert key_of([{"key": "dawn"}, {"key": "noon"}]) == "dawn-noon"
    assert key_of([{"key": "dawn"}, {"scene": "noon"}]) == short([{"key": "dawn"}, {"scene": "noon"}])


def test_what_steps_gave_can_stand_in_an_item() -> None:
    one, two = finished_step(artifact("a.png")), finished_step(artifact("b.png"))
    assert key_of({"from": one}) == key_of({"from": finished_step(artifact("a.png"))}) != key_of({"from": two})


@pytest.mark.parametrize("key", ["a/b\\c:d*e?", "..", "  spaced  out  ", "x" * 300, "CON\n\t", "[*]", "-", ""])
def test_a_key_is_fit_for_a_node_and_a_file_whatever_was_written(key: str) -> None:
    name = written_key(key)
    assert 0 < len(name) <= 49
    assert not set(name) & set("/\\:*?[]\n\t .")


def test_long_keys_differ_where_what_was_cut_off_differs() -> None:
    assert written_key("x" * 300) != written_key("x" * 299 + "y")


# --- items -----------------------------------------------------------------------------------------------------------


def test_a_list_gives_items_in_order() -> None:
    assert combine(items_of(["a", {"key": "b"}]), None, None) == [
        Binding("a", 0, "a"),
        Binding("b", 1, {"key": "b"}),
    ]


def test_a_map_gives_its_keys_unless_an_item_has_its_own() -> None:
    assert keys({"Day One": {"scene": "x"}, "b": {"key": "own"}, "c": None}) == ["day-one", "own", "c"]


def test_a_range() -> None:
    assert combine(items_of({"range": 2}), None, None) == [Binding("0", 0, 0), Binding("1", 1, 1)]
    assert keys({"range": "3"}) == ["0", "1", "2"]
    assert keys({"range": 0}) == []


def test_nothing_to_run_over_is_no_node() -> None:
    assert combine(items_of([]), None, None) == combine(items_of({}), None, 3) == []


def test_null_is_an_item_too() -> None:
    [first, second] = combine(items_of([None, "b"]), None, None)
    assert (first.item, second.item) == (None, "b")


def test_reordering_a_list_changes_no_key() -> None:
    items = ["a", "A!", 1, -1, "1", {"x": 1}, {"x": 2}, {"key": "k"}, "a long text that becomes a hash, surely", None]
    known = dict(zip(map(short, items), keys(items), strict=True))
    for seed in range(20):
        shuffled = random.Random(seed).sample(items, len(items))
        assert dict(zip(map(short, shuffled), keys(shuffled), strict=True)) == known


def test_different_items_with_one_name_both_get_a_piece_of_their_hash() -> None:
    assert keys(["A cat!", "a-cat"]) == [f"a-cat-{short('A cat!')}", f"a-cat-{short('a-cat')}"]
    assert keys([{"key": "a-cat"}, "A cat"]) == ["a-cat", f"a-cat-{short('A cat')}"]


def test_equal_items_are_numbered_and_never_take_the_name_of_another() -> None:
    assert keys(["a", "a", "b", "a"]) == ["a", "a-2", "b", "a-3"]
    assert sorted(keys(["a", "a", "a-2"])) == sorted(keys(["a-2", "a", "a"])) == ["a", "a-2", "a-3"]


def test_thousands_of_equal_items_are_no_problem() -> None:
    assert len(set(keys(["a"] * 20_000))) == 20_000


@pytest.mark.parametrize(
    "value",
    [[{"key": "a"}, {"key": "a"}], [{"key": "A"}, {"key": "a!"}], {"a": 1, "A": 2}, {"a": {"key": "b"}, "b": 1}],
)
def test_two_items_cannot_claim_one_key(value: Any) -> None:
    with refused("duplicate-item", "foreach"):
        items_of(value)


@pytest.mark.parametrize("value", [None, 3, 2.5, True, "words", artifact("a.png"), finished_step(artifact("a.png"))])
def test_what_is_no_list_and_no_map_is_refused(value: Any) -> None:
    with refused("bad-foreach", "foreach"):
        items_of(value)


@pytest.mark.parametrize("count", [-1, 1.5, "x", None, True, [3]])
def test_a_range_needs_a_whole_number(count: Any) -> None:
    with refused("bad-foreach", "foreach"):
        items_of({"range": count})


def test_hints_of_foreach() -> None:
    def hint(value: Any) -> str | None:
        with refused("bad-foreach", "foreach") as caught:
            items_of(value)
        return caught.value.hint

    assert hint('["a", "b"]') == "add `| fromjson` to read it as JSON"
    assert hint("words") == "write a list, as in `[words]`"
    assert hint(3) == "for so many items write `{range: 3}`"
    assert hint(None) is None


# --- matrix ----------------------------------------------------------------------------------------------------------

GRID = {"fruit": ["apple", "pear"], "animal": ["cat", "dog"]}


def test_every_combination_the_last_axis_fastest() -> None:
    found = combine(None, GRID, None)
    assert [each.key for each in found] == ["apple-cat", "apple-dog", "pear-cat", "pear-dog"]
    assert [each.index for each in found] == [0, 1, 2, 3]
    assert found[1].matrix == {"fruit": "apple", "animal": "dog"}


def test_exclude_takes_away_what_has_all_its_values() -> None:
    found = cells({**GRID, "exclude": [{"fruit": "apple", "animal": "cat"}, {"animal": "dog"}]})
    assert found == [{"fruit": "pear", "animal": "cat"}]


def test_include_adds_to_what_it_does_not_contradict_as_in_github_actions() -> None:
    include = [
        {"color": "green"}, {"color": "pink", "animal": "cat"}, {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"},
    ]  # fmt: skip
    assert cells({**GRID, "include": include}) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_include_alone_is_a_list_of_combinations() -> None:
    assert cells({"include": [{"a": 1}, {"a": 2, "b": 3}]}) == [{"a": 1}, {"a": 2, "b": 3}]


def test_everything_excluded_is_no_node() -> None:
    assert combine(None, {"a": [1], "exclude": [{"a": 1}]}, None) == []


def test_values_of_an_axis_may_be_mappings_with_a_key() -> None:
    looks = [{"key": "day", "text": "sun"}, {"key": "night", "text": "neon"}]
    found = combine(None, {"look": looks}, None)
    assert [(each.key, each.matrix) for each in found] == [("day", {"look": looks[0]}), ("night", {"look": looks[1]})]


@pytest.mark.parametrize(
    "matrix",
    [{"a": "soft"}, {"a": []}, {"a": None}, {"a": {"b": 1}}, {"a": [1], "exclude": [{"b": 1}]},
     {"a": [1], "exclude": [{}]}, {"a": [1], "include": [{}]}, {"a": [1], "include": ["x"]}],
)  # fmt: skip
def test_bad_matrices(matrix: dict[str, Any]) -> None:
    with refused("bad-matrix", "matrix"):
        cells(matrix)


# --- takes, and everything together ----------------------------------------------------------------------------------


def test_takes_count_from_one() -> None:
    found = combine(None, None, takes_of("3"))
    assert [(each.key, each.index, each.variation) for each in found] == [("1", 0, 1), ("2", 1, 2), ("3", 2, 3)]


@pytest.mark.parametrize("takes", [0, -1, 1.5, True, None, "x", "", "1.0", [2]])
def test_takes_must_be_a_whole_number(takes: Any) -> None:
    with refused("bad-variations", "variations"):
        takes_of(takes)


def test_items_times_matrix_times_takes() -> None:
    found = combine(items_of(["x", "y"]), {"look": ["day", "night"]}, 2)
    assert [each.key for each in found] == [
        "x-day-1", "x-day-2", "x-night-1", "x-night-2", "y-day-1", "y-day-2", "y-night-1", "y-night-2",
    ]  # fmt: skip
    assert [each.index for each in found] == list(range(8))
    assert (found[-1].item, found[-1].matrix, found[-1].variation) == ("y", {"look": "night"}, 2)


def test_keys_of_combinations_differ_also_where_their_parts_join_alike() -> None:
    found = [each.key for each in combine(items_of(["a", "a-b"]), {"m": ["b-c", "c"]}, None)]
    assert len(set(found)) == 4


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "make"),
    [
        ("foreach", lambda: items_of({"range": MAX_NODES + 1})),
        ("foreach", lambda: items_of({"range": "999999999"})),
        ("foreach", lambda: items_of([0] * (MAX_NODES + 1))),
        ("variations", lambda: takes_of(10**12)),
        ("matrix", lambda: cells({f"axis{at}": list(range(100)) for at in range(12)})),
        ("foreach", lambda: combine(items_of({"range": 1000}), None, 101)),
        ("matrix", lambda: combine(None, {"a": list(range(1000))}, 101)),
    ],
)
def test_there_is_an_end_to_it_and_it_comes_at_once(part: str, make: Any) -> None:
    with refused("too-many-nodes", part):
        make()


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loop", "code", "at"),
    [
        ("foreach: words", "bad-foreach", "words"),
        ("foreach: [{key: a}, {key: b}, {key: A}]", "duplicate-item", "A"),
        ("foreach: {a: 1, b: {key: a}}", "duplicate-item", "a"),
        ("foreach: {range: many}", "bad-foreach", "{range: many}"),
        ("matrix: {look: day}", "bad-matrix", "day"),
        ("matrix: {look: [day], exclude: [{look: x}, {lok: day}]}", "bad-matrix", "{lok: day}"),
        ("variations: '${{ 1.5 }}'", "bad-variations", "'${{ 1.5 }}'"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(loop: str, code: str, at: str) -> None:
    text = f"""
    steps:
      s:
        uses: text-to-image
        {loop}
        with: {{prompt: x}}
    """
    [problem] = problems_of(text)
    assert (problem.code, pointed_at(problem)) == (code, at)
    assert problem.message.startswith("step `s`: ")


def test_what_is_wrong_with_several_loops_is_told_at_once() -> None:
    text = """
    steps:
      a: {uses: text-to-image, foreach: "${{ 3 }}", with: {prompt: x}}
      b: {uses: text-to-image, variations: "${{ 0 }}", with: {prompt: x}}
      c: {uses: text-to-image, matrix: {x: y}, with: {prompt: x}}
    """
    assert [each.code for each in problems_of(text)] == ["bad-foreach", "bad-variations", "bad-matrix"]
