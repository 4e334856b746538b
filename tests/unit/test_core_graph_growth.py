"""Loops that grow once their items are known, and circles through what they will read."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.core.graph.expand import grow
from rhflow.core.graph.graph import Graph
from rhflow.core.recipe.loops import combine, items_of
from tests.support import problems_of
from tests.unit.loops_support import FILM, WORDS, edges, graph, roles

# --- loops that grow -------------------------------------------------------------------------------------------------


def test_a_loop_over_what_a_step_gives_begins_as_one_node_and_so_does_one_that_follows_it() -> None:
    found = graph(WORDS)
    assert roles(found) == {
        "words": "call", "still[*]": "loop", "still": "all", "clip[*]": "loop", "clip": "all",
    }  # fmt: skip
    assert edges(found) == {
        ("words", "still[*]"), ("still[*]", "still"), ("still[*]", "clip[*]"), ("clip[*]", "clip"),
    }  # fmt: skip
    assert list(found.calls()) == ["words", "still[*]", "clip[*]"]


def nothing(scope: str) -> dict[str, Any]:
    return {}


def grown(found: Graph, loop: str, keys: str) -> list[str]:
    """Let a loop have items with these keys, and return the nodes that are new."""
    return grow(found, loop, combine(items_of(list(keys)), None, None), nothing)


def test_growing_adds_nodes_right_after_their_loop_and_ties_them_in() -> None:
    found = graph(WORDS)
    assert grown(found, "still[*]", "ab") == ["still[a]", "still[b]"]
    assert found.order == ["words", "still[*]", "still[a]", "still[b]", "still", "clip[*]", "clip"]
    assert found.before["still[a]"] == ["still[*]"]
    assert found.before["still"] == ["still[*]", "still[a]", "still[b]"]
    assert list(found.calls()) == ["words", "still[a]", "still[b]", "clip[*]"]
    assert found.cone("still[a]") == {"still"}


def test_growing_again_adds_nothing() -> None:
    found = graph(WORDS)
    bindings = combine(items_of(["a", "b"]), None, None)
    assert grow(found, "still[*]", bindings, nothing) == ["still[a]", "still[b]"]
    before = (list(found.order), dict(found.items), sorted(edges(found)))
    assert grow(found, "still[*]", bindings, nothing) == []
    assert (list(found.order), dict(found.items), sorted(edges(found))) == before


def test_growing_by_nothing_ends_the_loop_all_the_same() -> None:
    found = graph(WORDS)
    assert grow(found, "still[*]", [], nothing) == []
    assert list(found.calls()) == ["words", "clip[*]"]


def test_a_chain_that_grows_is_a_chain() -> None:
    text = WORDS.replace("still: {uses: text-to-image,", "still: {uses: text-to-image, chain: true,")
    found = graph(text)
    grown(found, "still[*]", "abc")
    assert found.before["still[c]"] == ["still[*]", "still[b]"]
    assert found.nodes["still[c]"].prev == "still[b]"


def test_what_grows_keeps_the_edges_of_its_step() -> None:
    text = WORDS.replace('with: {prompt: "${{ item.scene }}"}', 'needs: [other], with: {prompt: "${{ item.scene }}"}')
    text += "  other: {uses: text-to-image, with: {prompt: x}}\n"
    found = graph(text)
    grown(found, "still[*]", "a")
    assert set(found.before["still[a]"]) == {"still[*]", "other"}


@pytest.mark.parametrize(
    "loop",
    [
        'foreach: "${{ steps.words.json }}"',
        'foreach: {range: "${{ steps.words.json.count }}"}',
        'matrix: {look: "${{ steps.words.json }}"}',
        'variations: "${{ steps.words.json.count }}"',
        'foreach: [a, b], variations: "${{ steps.words.json.count }}"',
    ],
)
def test_whatever_depends_on_a_step_grows(loop: str) -> None:
    found = graph(f"""
    steps:
      words: {{uses: text-to-text, with: {{prompt: JSON}}}}
      s: {{uses: text-to-image, {loop}, with: {{prompt: x}}}}
    """)
    assert found.before["s[*]"] == ["words"]


def test_a_known_loop_with_takes_that_are_not_known_waits_for_both() -> None:
    text = FILM + "  words: {uses: text-to-text, with: {prompt: JSON}}\n"
    text = text.replace(
        "    foreach: ${{ steps.still.items }}\n",
        "    foreach: ${{ steps.still.items }}\n    variations: ${{ steps.words.json }}\n",
    )
    assert set(graph(text).before["clip[*]"]) == {"still", "words"}


def test_growing_by_thousands() -> None:
    found = graph(WORDS)
    bindings = combine(items_of({"range": 5000}), None, None)
    assert len(grow(found, "still[*]", bindings, nothing)) == 5000
    assert len(found.before["still"]) == 5001


# --- circles ---------------------------------------------------------------------------------------------------------


def circle(text: str) -> str:
    [problem] = problems_of(text)
    assert problem.code == "cycle"
    return problem.message


def test_a_loop_over_its_own_items() -> None:
    text = """
    steps:
      fine: {uses: text-to-image, foreach: [a], with: {prompt: x}}
      self: {uses: text-to-image, foreach: "${{ steps.self.items }}", with: {prompt: x}}
    """
    assert circle(text) == "step `self` reads itself"


def test_a_loop_that_reads_itself_is_named_not_another_loop() -> None:
    text = """
    steps:
      alpha: {uses: text-to-image, foreach: [a], with: {prompt: x}}
      still: {uses: image-to-image, foreach: [a], with: {prompt: x, images: "${{ steps.still.images }}"}}
    """
    assert circle(text) == "step `still` reads itself"


def test_two_loops_over_each_other() -> None:
    text = """
    steps:
      a: {uses: upscale, foreach: "${{ steps.b.items }}", with: {image: "${{ item.image }}"}}
      b: {uses: upscale, foreach: "${{ steps.a.items }}", with: {image: "${{ item.image }}"}}
    """
    assert circle(text) == "step `a` waits for itself: `a` → `b` → `a`"


def test_a_circle_through_a_known_loop() -> None:
    text = """
    steps:
      a: {uses: upscale, foreach: [x, y], with: {image: "${{ steps.c.image }}"}}
      b: {uses: upscale, foreach: "${{ steps.a.items }}", with: {image: "${{ item.image }}"}}
      c: {uses: image-to-image, with: {prompt: x, images: "${{ steps.b.images }}"}}
    """
    assert circle(text) == "step `a` waits for itself: `a` → `b` → `c` → `a`"


def test_a_circle_through_what_a_loop_will_read_once_it_has_grown() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      a: {uses: upscale, foreach: "${{ steps.words.json }}", with: {image: "${{ steps.b.image }}"}}
      b: {uses: image-to-image, with: {prompt: x, images: "${{ steps.a.images }}"}}
    """
    assert circle(text) == "step `a` waits for itself: `a` → `b` → `a`"


def test_items_that_wait_for_each_other_are_a_circle() -> None:
    text = """
    steps:
      a: {uses: upscale, foreach: [x, y], with: {image: "${{ steps.b['y'].image }}"}}
      b: {uses: upscale, foreach: [x, y], with: {image: "${{ steps.a['x'].image }}"}}
    """
    assert circle(text) == "step `a` waits for itself: `a` → `b` → `a`"
