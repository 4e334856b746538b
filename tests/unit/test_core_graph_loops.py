"""Loops as nodes and edges: spread out at once, tied item by item, or grown once the items are known."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rhflow.core.errors import RecipeError
from rhflow.core.graph.draw import dot, mermaid
from rhflow.core.graph.edges import linked_to
from rhflow.core.graph.expand import expand, grow
from rhflow.core.graph.graph import Graph, Node
from rhflow.core.graph.select import Selection, select
from rhflow.core.recipe.loops import Binding, combine, items_of
from tests.support import good, problems_of

FILM = """
params: {shots: [dawn, noon]}
steps:
  photo: {uses: upload, with: {file: a.png}}
  still:
    uses: image-to-image
    foreach: ${{ params.shots }}
    with: {prompt: "${{ item }}", image: "${{ steps.photo.image }}"}
  clip:
    uses: image-to-video
    foreach: ${{ steps.still.items }}
    with: {prompt: push in, image: "${{ item.image }}"}
  sheet:
    uses: image-to-image
    with: {prompt: all of them, images: "${{ steps.still.images }}"}
"""
WORDS = """
steps:
  words: {uses: text-to-text, with: {prompt: a list in JSON}}
  still: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item.scene }}"}}
  clip:
    uses: image-to-video
    foreach: ${{ steps.still.items }}
    with: {prompt: push in, image: "${{ item.image }}"}
"""


def graph(text: str, **params: Any) -> Graph:
    """Return the graph of a recipe, with its parameters or else their defaults."""
    pipeline = good(text)
    defaults = {name: param.default for name, param in pipeline.params.items()}
    return expand(pipeline, {"params": defaults | params, "vars": {}, "env": {}, "run": {}})


def edges(found: Graph) -> set[tuple[str, str]]:
    return set(found.edges())


def roles(found: Graph) -> dict[str, str]:
    return {name: node.role for name, node in found.nodes.items()}


# --- loops that are known --------------------------------------------------------------------------------------------


def test_a_loop_is_a_node_per_item_and_one_for_all_of_them() -> None:
    found = graph(FILM)
    assert found.order == [
        "photo", "still[dawn]", "still[noon]", "still", "clip[dawn]", "clip[noon]", "clip", "sheet",
    ]  # fmt: skip
    assert [name for name, role in roles(found).items() if role == "all"] == ["still", "clip"]
    assert list(found.calls()) == ["photo", "still[dawn]", "still[noon]", "clip[dawn]", "clip[noon]", "sheet"]
    assert found.items == {"still": ["still[dawn]", "still[noon]"], "clip": ["clip[dawn]", "clip[noon]"]}


def test_items_are_tied_one_by_one_and_who_reads_the_whole_waits_for_all() -> None:
    assert edges(graph(FILM)) == {
        ("photo", "still[dawn]"), ("photo", "still[noon]"), ("still[dawn]", "still"), ("still[noon]", "still"),
        ("still[dawn]", "clip[dawn]"), ("still[noon]", "clip[noon]"), ("clip[dawn]", "clip"), ("clip[noon]", "clip"),
        ("still", "sheet"),
    }  # fmt: skip


def test_a_parameter_decides_on_the_items() -> None:
    found = graph(FILM, shots=["a", "b", "c"])
    assert found.items["clip"] == ["clip[a]", "clip[b]", "clip[c]"]


def test_a_link_with_takes_of_its_own_follows_the_same_items() -> None:
    text = FILM.replace(
        "    foreach: ${{ steps.still.items }}\n", "    foreach: ${{ steps.still.items }}\n    variations: 2\n"
    )
    found = graph(text)
    assert found.items["clip"] == ["clip[dawn-1]", "clip[dawn-2]", "clip[noon-1]", "clip[noon-2]"]
    assert found.before["clip[noon-2]"] == ["still[noon]"]


def test_links_go_on_through_loops_of_any_kind() -> None:
    text = """
    steps:
      a: {uses: text-to-image, matrix: {look: [day, night]}, variations: 2, with: {prompt: "${{ matrix.look }}"}}
      b: {uses: upscale, foreach: "${{ steps.a.items }}", with: {image: "${{ item.image }}"}}
      c: {uses: upscale, foreach: "${{ steps.b.items }}", with: {image: "${{ item.image }}"}}
    """
    found = graph(text)
    assert found.before["c[night-2]"] == ["b[night-2]"]
    assert found.before["b[night-2]"] == ["a[night-2]"]


def test_only_all_items_as_they_are_make_a_link() -> None:
    def link(foreach: str) -> str | None:
        text = f"""
        steps:
          a: {{uses: text-to-image, foreach: [x], with: {{prompt: x}}}}
          b: {{uses: upscale, foreach: {foreach}, with: {{image: "${{{{ item.image }}}}"}}}}
        """
        return linked_to(good(text).steps["b"])

    assert link("'${{ steps.a.items }}'") == "a"
    assert link("'${{ steps.a.items | reverse }}'") is None
    assert link("'${{ steps.a.items[:1] }}'") is None
    assert link("'${{ steps.a.items if true else [] }}'") is None
    assert link("'${{ steps.a.images }}'") is None


def test_a_selection_of_items_waits_for_all_of_them() -> None:
    text = FILM.replace("foreach: ${{ steps.still.items }}", "foreach: ${{ steps.still.items | reverse }}")
    found = graph(text)
    assert roles(found)["clip[*]"] == "loop"
    assert found.before["clip[*]"] == ["still"]


def test_an_empty_loop_has_a_node_that_waits_for_nothing() -> None:
    found = graph(FILM, shots=[])
    assert list(found.calls()) == ["photo", "sheet"]
    assert found.before["still"] == found.before["clip"] == []
    assert found.before["sheet"] == ["still"]


def test_needs_of_a_loop_hold_for_every_item_and_on_a_loop_for_the_whole() -> None:
    text = """
    steps:
      first: {uses: text-to-image, foreach: [a, b], with: {prompt: x}}
      second: {uses: text-to-image, foreach: [c, d], needs: [first], with: {prompt: y}}
    """
    found = graph(text)
    assert found.before["second[c]"] == found.before["second[d]"] == ["first"]
    assert found.before["second"] == ["second[c]", "second[d]"]


def test_an_item_waits_only_for_the_steps_that_it_reads() -> None:
    text = """
    steps:
      x: {uses: text-to-image, with: {prompt: x}}
      y: {uses: text-to-image, with: {prompt: y}}
      big:
        uses: upscale
        foreach: [{key: a, image: "${{ steps.x.image }}"}, {key: b, image: "${{ steps.y.image }}"}, {key: c, image: d}]
        with: {image: "${{ item.image }}"}
    """
    found = graph(text)
    assert [found.before[f"big[{key}]"] for key in "abc"] == [["x"], ["y"], []]


def test_items_that_are_known_are_worked_out_so_that_their_keys_can_be_read() -> None:
    text = """
    params: {name: Hero Shot, other: noon}
    steps:
      a: {uses: text-to-image, foreach: ["${{ params.other }}", {key: "${{ params.name }}"}], with: {prompt: x}}
    """
    found = graph(text)
    assert found.items["a"] == ["a[noon]", "a[hero-shot]"]
    assert [found.nodes[each].binding for each in found.items["a"]] == [
        Binding("noon", 0, "noon"),
        Binding("hero-shot", 1, {"key": "Hero Shot"}),
    ]


def test_the_keys_of_items_that_read_steps_do_not_depend_on_their_place() -> None:
    items = ['{image: "${{ steps.x.image }}", say: one}', '{image: "${{ steps.x.image }}", say: two}']

    def keys(listed: list[str]) -> dict[str, str]:
        found = graph(f"""
        steps:
          x: {{uses: text-to-image, with: {{prompt: x}}}}
          s: {{uses: upscale, foreach: [{", ".join(listed)}], with: {{image: "${{{{ item.image }}}}"}}}}
        """)
        return {found.nodes[each].binding.item["say"]: each for each in found.items["s"]}  # type: ignore[union-attr]

    assert keys(items) == keys(items[::-1])


# --- chains ----------------------------------------------------------------------------------------------------------


def test_a_chain_ties_every_node_to_the_one_before() -> None:
    text = 'steps: {s: {uses: text-to-image, foreach: [a, b, c], chain: true, with: {prompt: "${{ item }}"}}}'
    found = graph(text)
    assert [found.before[each] for each in found.items["s"]] == [[], ["s[a]"], ["s[b]"]]
    assert [found.nodes[each].prev for each in found.items["s"]] == [None, "s[a]", "s[b]"]
    assert found.before["s"] == ["s[a]", "s[b]", "s[c]"]


def test_without_chain_nothing_is_before() -> None:
    found = graph("steps: {s: {uses: text-to-image, variations: 3, with: {prompt: x}}}")
    assert {found.nodes[each].prev for each in found.items["s"]} == {None}


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


# --- parts of it -----------------------------------------------------------------------------------------------------

BODY = """
steps:
  photo: {uses: upload, with: {file: a.png}}
  words: {uses: text-to-text, with: {prompt: JSON}}
  still:
    uses: image-to-image
    foreach: ${{ steps.words.json }}
    with: {prompt: "${{ item }}", image: "${{ steps.photo.image }}"}
  clip: {uses: image-to-video, foreach: "${{ steps.still.items }}", with: {prompt: x, image: "${{ item.image }}"}}
  other: {uses: text-to-text, foreach: "${{ steps.words.json }}", with: {prompt: x}}
"""


def test_a_part_from_a_step_on_takes_in_the_loops_that_will_read_it() -> None:
    found = graph(BODY)
    chosen = select(found, Selection(start=("photo",))).wanted
    assert chosen == {"photo", "still[*]", "still", "clip[*]", "clip"}
    assert select(found, Selection(start=("still",))).wanted == {"still[*]", "still", "clip[*]", "clip"}
    assert select(found, Selection(only=("clip",))).needed == {"photo", "words", "still[*]"}


def test_a_part_up_to_a_loop_takes_in_what_its_nodes_will_read() -> None:
    chosen = select(graph(BODY), Selection(until=("clip",))).wanted
    assert chosen == {"photo", "words", "still[*]", "clip[*]", "clip"}


def test_drawings_show_a_step_once_whatever_it_runs_over() -> None:
    def label(node: Node) -> str:
        return node.id

    assert mermaid(graph(BODY), label, {"clip": "done"}).splitlines() == [
        "flowchart LR", '  n0["photo"]', '  n1["words"]', '  n2[["still"]]', '  n3[["clip"]]:::done', '  n4[["other"]]',
        "  n0 --> n2", "  n1 --> n2", "  n1 --> n4", "  n2 --> n3",
    ]  # fmt: skip
    assert mermaid(graph(FILM), label, {}).count("-->") == 3
    assert '"photo" -> "still";' in dot(graph(FILM), label, {})


# --- order and size --------------------------------------------------------------------------------------------------


def test_steps_may_stand_in_any_order() -> None:
    head, _, body = FILM.partition("steps:\n")
    steps = re.split(r"^(?=  \w)", body, flags=re.MULTILINE)[1:]
    found = graph(f"{head}steps:\n{''.join(reversed(steps))}")
    assert edges(found) == edges(graph(FILM))
    place = {node: at for at, node in enumerate(found.order)}
    assert all(place[earlier] < place[later] for earlier, later in found.edges())


def test_a_thousand_loops_each_over_the_one_before_written_backwards() -> None:
    line = '  sX: {uses: upscale, foreach: "${{ steps.sY.items }}", with: {image: "${{ item.image }}"}}\n'
    lines = [line.replace("X", str(at)).replace("Y", str(at - 1)) for at in range(1000, 0, -1)]
    found = graph("steps:\n" + "".join(lines) + "  s0: {uses: text-to-image, variations: 2, with: {prompt: x}}\n")
    assert found.before["s1000[2]"] == ["s999[2]"]
    assert found.order.index("s0[1]") < found.order.index("s500[1]") < found.order.index("s1000[1]")


def test_growing_by_thousands() -> None:
    found = graph(WORDS)
    bindings = combine(items_of({"range": 5000}), None, None)
    assert len(grow(found, "still[*]", bindings, nothing)) == 5000
    assert len(found.before["still"]) == 5001


def test_a_loop_that_cannot_be_spread_out_with_these_parameters() -> None:
    with pytest.raises(RecipeError) as caught:
        graph(FILM, shots="dawn")
    assert [each.code for each in caught.value.problems] == ["bad-foreach"]
