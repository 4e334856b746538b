"""Loops as nodes and edges: spread out at once, tied item by item, or grown once the items are known."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from rhflow.core.errors import RecipeError, UsageError
from rhflow.core.graph.draw import dot, mermaid
from rhflow.core.graph.edges import linked_to
from rhflow.core.graph.expand import grow
from rhflow.core.graph.graph import Node
from rhflow.core.graph.select import Selection, select
from rhflow.core.recipe.loops import Binding, combine, items_of
from tests.support import good, problems_of
from tests.unit.loops_support import FILM, WORDS, edges, graph, roles

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
          b: {{uses: upscale, foreach: {foreach}, with: {{image: "${{{{ item.image | default(item) }}}}"}}}}
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


# --- one item, read by its key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read", ["steps.still['Dawn'].image", "steps.still.dawn.image", "steps.still['dawn'].image | default(none)"]
)
def test_an_item_that_is_read_by_its_key_is_all_that_is_waited_for(read: str) -> None:
    found = graph(FILM + f'  cover: {{uses: upscale, with: {{image: "${{{{ {read} }}}}"}}}}\n')
    assert found.before["cover"] == ["still[dawn]"]


@pytest.mark.parametrize(
    "read", ["steps.still.images[0]", "steps.still.items[0].image", "steps.still[params.one].image"]
)
def test_what_is_no_key_that_is_known_is_the_whole_loop(read: str) -> None:
    text = FILM.replace("params: {", "params: {one: dawn, ")
    found = graph(text + f'  cover: {{uses: upscale, with: {{image: "${{{{ {read} }}}}"}}}}\n')
    assert found.before["cover"] == ["still"]


def test_an_item_of_a_loop_that_is_not_known_yet_is_waited_for_with_the_whole() -> None:
    found = graph(WORDS + '  cover: {uses: upscale, with: {image: "${{ steps.still.dawn.image }}"}}\n')
    assert found.before["cover"] == ["still"]


def test_what_grows_waits_for_the_items_that_it_reads() -> None:
    text = """
    steps:
      cast: {uses: text-to-image, foreach: [Ann, Bob], with: {prompt: "${{ item }}"}}
      words: {uses: text-to-text, with: {prompt: JSON}}
      shot:
        uses: image-to-image
        foreach: ${{ steps.words.json }}
        with: {prompt: "${{ item }}", image: "${{ steps.cast.ann.image }}"}
    """
    found = graph(text)
    grow(found, "shot[*]", combine(items_of(["x"]), None, None), lambda _: {})
    assert found.before["shot[x]"] == ["shot[*]", "cast[ann]"]


def test_items_may_read_one_another_by_their_keys() -> None:
    text = """
    steps:
      wide: {uses: text-to-image, with: {prompt: a street}}
      shot:
        uses: image-to-image
        foreach: {far: "${{ steps.wide.image }}", near: "${{ steps.shot.far.image }}"}
        with: {prompt: closer, image: "${{ item }}"}
    """
    found = graph(text)
    assert (found.before["shot[far]"], found.before["shot[near]"]) == (["wide"], ["shot[far]"])
    assert found.order.index("shot[far]") < found.order.index("shot[near]") < found.order.index("shot")


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


@pytest.mark.parametrize(
    ("foreach", "hint"),
    [
        ("{cvs: shots.csv}", "did you mean `csv`? a loop over this one item is written `[shots.csv]`"),
        ("{jsnol: shots.jsonl}", "did you mean `jsonl`?"),
        ("{gob: 'shots/*.png'}", "did you mean `glob`?"),
        ("{rnage: 5}", "did you mean `range`?"),
        ("{cvs: '${{ params.table }}'}", "did you mean `csv`?"),
        ("{globe: a spinning globe}", None),
        ("{hero: shots.csv}", None),
        ("{cvs: shots.csv, hero: marble}", None),
        ("{range: 2}", None),
        ('"${{ vars.orange }}"', None),
    ],
)
def test_a_source_that_is_misspelt_is_no_map_of_one_item(foreach: str, hint: str | None) -> None:
    prompt = "${{ item }} ${{ params.table }}"
    step = f"{{uses: text-to-image, foreach: {foreach}, with: {{prompt: '{prompt}'}}}}"
    text = f"params: {{table: a.csv}}\nvars: {{orange: {{orange: 5}}}}\nsteps: {{a: {step}}}"
    found = problems_of(text)
    assert [each.code for each in found] == ["bad-foreach"] * (hint is not None)
    assert all(hint in str(each.hint) for each in found if hint is not None)


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


def chosen(text: str, **told: Any) -> set[str]:
    """Return the nodes that may run of a selection."""
    wanted = select(graph(text), Selection(**told)).wanted
    assert wanted is not None
    return set(wanted.nodes)


def test_a_part_from_a_step_on_takes_in_the_loops_that_will_read_it() -> None:
    assert chosen(BODY, start=("photo",)) == {"photo", "still[*]", "still", "clip[*]", "clip"}
    assert chosen(BODY, start=("still",)) == {"still[*]", "still", "clip[*]", "clip"}
    assert select(graph(BODY), Selection(only=("clip",))).needed.nodes == {"photo", "words", "still[*]"}


def test_a_part_up_to_a_loop_takes_in_what_its_nodes_will_read() -> None:
    assert chosen(BODY, until=("clip",)) == {"photo", "words", "still[*]", "clip[*]", "clip"}


CHAIN = """
steps:
  a: {uses: text-to-image, with: {prompt: x}}
  b: {uses: image-to-image, with: {prompt: x, image: "${{ steps.a.image }}"}}
  c: {uses: image-to-image, with: {prompt: x, image: "${{ steps.b.image }}"}}
  side: {uses: image-to-image, with: {prompt: x, image: "${{ steps.a.image }}"}}
"""


def test_from_and_until_together_are_what_lies_between() -> None:
    assert chosen(CHAIN, start=("b",), until=("b",)) == {"b"}
    assert chosen(CHAIN, start=("a",), until=("b",)) == {"a", "b"}
    assert chosen(CHAIN, start=("a",), until=("b", "side")) == {"a", "b", "side"}
    assert chosen(CHAIN, start=("b",), until=("c",), only=("side",)) == {"b", "c", "side"}
    assert chosen(BODY, start=("still[x]",), until=("clip",)) == {"still[*]", "clip[*]", "clip"}


def test_what_lies_nowhere_between_is_told_with_what_does() -> None:
    with pytest.raises(UsageError, match="`a` needs nothing of what comes from `c`") as found:
        chosen(CHAIN, start=("c",), until=("a",))
    assert "`--from a --until c`" in str(found.value.problems[0].hint)
    with pytest.raises(UsageError, match="`side` needs nothing of what comes from `b`") as found:
        chosen(CHAIN, start=("b",), until=("side",))
    assert "--only" in str(found.value.problems[0].hint)


def test_single_items_stay_single_whatever_else_is_said_of_their_loop() -> None:
    def runs(item: str, **told: Any) -> tuple[bool, bool]:
        found = graph(BODY)
        node = replace(found.nodes["clip[*]"], id=f"clip[{item}]", role="call")
        part = select(found, Selection(**told))
        return part.runs(node), part.forces(node)

    assert [runs(item, until=("clip",), force=("clip[a]",)) for item in "ab"] == [(True, True), (True, False)]
    assert [runs(item, only=("clip[a]",), until=("clip",)) for item in "ab"] == [(True, False), (True, False)]
    assert [runs(item, only=("clip[a]", "clip[b]")) for item in "abc"] == [(True, False), (True, False), (False, False)]
    with pytest.raises(UsageError, match="nothing lies between"):
        runs("a", start=("clip[a]",), until=("clip[b]",))


def test_what_does_not_run_cannot_be_made_anew() -> None:
    with pytest.raises(UsageError, match="`--force a` makes nothing anew") as found:
        chosen(CHAIN, only=("c",), force=("a",))
    assert "`--only a`" in str(found.value.problems[0].hint)
    part = select(graph(CHAIN), Selection(only=("c",), force_all=True))
    assert {name for name, node in part.graph.nodes.items() if part.forces(node)} == {"c"}


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


def test_a_loop_that_cannot_be_spread_out_with_these_parameters() -> None:
    with pytest.raises(RecipeError) as caught:
        graph(FILM, shots="dawn")
    assert [each.code for each in caught.value.problems] == ["bad-foreach"]
