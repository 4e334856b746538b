"""Plans of loops: what is skipped and what goes on all the same, what is made again, and takes of the same call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rhflow.core.plan.plan import Plan, Reuse, Run, Skip
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor, FakeModels
from tests.support import Bench, plan_of, statuses
from tests.unit.loops_support import kinds, prompts
from tests.unit.test_core_calls import DRAW, PAINT
from tests.unit.test_core_plan_whole_loops import SHOTS


def skips(plan: Plan) -> dict[str, str]:
    return {node: each.why for node, each in plan.decisions.items() if isinstance(each, Skip)}


# --- if --------------------------------------------------------------------------------------------------------------


def test_false_is_skipped_and_so_is_what_reads_it() -> None:
    text = """
    params: {big: false}
    steps:
      draw: {uses: text-to-image, with: {prompt: x}}
      large: {uses: upscale, if: params.big, with: {image: "${{ steps.draw.image }}"}}
      larger: {uses: upscale, with: {image: "${{ steps.large.image }}"}}
      after: {uses: text-to-text, needs: [larger], with: {prompt: x}}
      other: {uses: upscale, if: "${{ not params.big }}", with: {image: "${{ steps.draw.image }}"}}
    """
    plan = plan_of(text)
    assert skips(plan) == {
        "large": "its `if` is false", "larger": "`large` was skipped", "after": "`larger` was skipped",
    }  # fmt: skip
    assert kinds(plan)["other"] == "Wait"
    assert kinds(plan_of(text, params={"big": True}))["larger"] == "Wait"


def test_what_is_skipped_costs_nothing() -> None:
    text = """
    params: {clip: false}
    steps:
      draw: {uses: text-to-image, with: {prompt: x}}
      clip: {uses: image-to-video, if: params.clip, with: {prompt: x, image: "${{ steps.draw.image }}"}}
    """
    assert str(plan_of(text).cost) == "0.2 CNY"
    assert plan_of(text, params={"clip": True}).cost != plan_of(text).cost


@pytest.mark.parametrize(
    ("written", "runs"),
    [("true", True), ("false", False), ("${{ '' }}", False), ("${{ 0 }}", False), ("${{ [] }}", False),
     ("${{ none }}", False), ("${{ 'false' }}", True), ("1 < 2 and not false", True),
     ("|\n          ${{ false }}\n", False)],
)  # fmt: skip
def test_what_is_true(written: str, runs: bool) -> None:
    text = f"""
    steps:
      s:
        uses: text-to-text
        if: {written}
        with: {{prompt: x}}
    """
    assert (kinds(plan_of(text))["s"] == "Run") is runs


def test_items_are_skipped_one_by_one() -> None:
    text = SHOTS.replace("foreach: ${{ params.shots }}", "foreach: ${{ params.shots }}\n    if: key != 'hand'")
    plan = plan_of(text)
    assert skips(plan) == {"still[hand]": "its `if` is false", "clip[hand]": "`still[hand]` was skipped"}
    assert kinds(plan)["poster"] == "Wait"


async def test_who_reads_the_whole_goes_on_with_those_that_are_there() -> None:
    text = SHOTS.replace("foreach: ${{ params.shots }}", "foreach: ${{ params.shots }}\n    if: key != 'hand'")
    bench = Bench(text)
    results = await bench.run()
    assert statuses(results)["poster"] == "succeeded"
    poster = next(call for call in bench.executor.calls if call.node == "poster")
    assert len(poster.inputs["imageUrls"]) == 2


def test_a_loop_of_which_every_item_is_skipped_is_skipped() -> None:
    text = SHOTS.replace("foreach: ${{ params.shots }}", "foreach: ${{ params.shots }}\n    if: false")
    assert skips(plan_of(text)) == {
        **{f"still[{key}]": "its `if` is false" for key in ("hero", "hand", "macro")},
        **{f"clip[{key}]": f"`still[{key}]` was skipped" for key in ("hero", "hand", "macro")},
        "poster": "`still` was skipped",
    }


def test_a_loop_that_would_grow_is_skipped_as_a_whole_where_no_item_is_asked() -> None:
    text = """
    params: {more: false}
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      a: {uses: text-to-image, foreach: "${{ steps.words.json }}", if: params.more, with: {prompt: "${{ item }}"}}
      b: {uses: text-to-image, foreach: "${{ steps.words.json }}", if: item != 'x', with: {prompt: "${{ item }}"}}
      c: {uses: upscale, foreach: "${{ steps.a.items }}", with: {image: "${{ item.image }}"}}
      d: {uses: image-to-image, with: {prompt: x, images: "${{ steps.a.images }}"}}
    """
    plan = plan_of(text)
    assert skips(plan) == {"a[*]": "its `if` is false", "c[*]": "`a[*]` was skipped", "d": "`a` was skipped"}
    assert kinds(plan)["b[*]"] == "Later"


def test_a_skipped_step_can_be_looked_at_by_its_status() -> None:
    text = """
    params: {big: false}
    steps:
      draw: {uses: text-to-image, if: params.big, with: {prompt: x}}
      other: {uses: text-to-image, if: params.big, with: {prompt: y}}
      none: {uses: text-to-text, if: steps.draw.status == 'skipped', with: {prompt: no picture}}
      some: {uses: text-to-text, if: steps.draw.status == 'succeeded', with: {prompt: a picture}}
      both: {uses: text-to-text, if: steps.draw.status == 'skipped', needs: [other], with: {prompt: x}}
    """
    plan = plan_of(text)
    assert kinds(plan)["none"] == "Run"
    assert skips(plan)["some"] == "its `if` is false"
    assert skips(plan)["both"] == "`other` was skipped"


def test_the_status_of_an_item_lets_its_follower_run() -> None:
    text = """
    steps:
      a: {uses: text-to-image, foreach: [x, y], if: key == 'x', with: {prompt: "${{ item }}"}}
      b:
        uses: text-to-text
        foreach: ${{ steps.a.items }}
        if: item.status == 'skipped'
        with: {prompt: "why not ${{ item.key }}?"}
    """
    plan = plan_of(text)
    assert prompts(plan) == {"a[x]": "x", "b[y]": "why not y?"}
    assert kinds(plan)["b[x]"] == "Wait"


def test_a_chain_ends_where_one_is_skipped() -> None:
    text = """
    steps:
      s: {uses: text-to-text, foreach: [a, b, c], chain: true, if: key != 'b', with: {prompt: "${{ item }}"}}
    """
    assert skips(plan_of(text)) == {"s[b]": "its `if` is false", "s[c]": "`s[b]` was skipped"}


# --- what is made again ----------------------------------------------------------------------------------------------


async def done(bench: Bench) -> Bench:
    await bench.run()
    return bench


SHOT_LIST = [
    {"key": "hero", "scene": "on marble"},
    {"key": "hand", "scene": "in a hand"},
    {"key": "macro", "scene": "cap"},
]


async def test_reordering_reruns_only_what_reads_the_order() -> None:
    first = await done(Bench(SHOTS, params={"shots": SHOT_LIST}))
    plan = first.again(params={"shots": SHOT_LIST[::-1]}).plan()
    assert {node for node, each in plan.decisions.items() if not isinstance(each, Reuse)} == {"poster"}
    assert list(plan.decisions)[:3] == ["still[macro]", "still[hand]", "still[hero]"]


async def test_editing_one_item_reruns_only_its_cone() -> None:
    first = await done(Bench(SHOTS, params={"shots": SHOT_LIST}))
    changed = [SHOT_LIST[0], {"key": "hand", "scene": "in two hands"}, SHOT_LIST[2]]
    again = first.again(params={"shots": changed})
    plan = again.plan()
    left = {node: each for node, each in plan.decisions.items() if not isinstance(each, Reuse)}
    assert left.keys() == {"still[hand]", "clip[hand]", "poster"}
    still = left["still[hand]"]
    assert isinstance(still, Run)
    assert still.reasons == ("`prompt` changed",)


async def test_adding_and_removing_items_touches_no_other() -> None:
    first = await done(Bench(SHOTS, params={"shots": SHOT_LIST}))
    changed = [{"key": "new", "scene": "in snow"}, SHOT_LIST[2]]
    plan = first.again(params={"shots": changed}).plan()
    assert kinds(plan) == {
        "still[new]": "Run", "still[macro]": "Reuse", "clip[new]": "Wait", "clip[macro]": "Reuse", "poster": "Wait",
    }  # fmt: skip


async def test_items_without_keys_may_be_reordered_too() -> None:
    text = SHOTS.replace("{prompt: all of them,", "{prompt: all,")
    shots = [{"scene": "a long description of the first"}, {"scene": "another one"}]
    first = await done(Bench(text, params={"shots": shots}))
    plan = first.again(params={"shots": shots[::-1]}).plan()
    assert {node for node, each in plan.decisions.items() if not isinstance(each, Reuse)} == {"poster"}


async def test_renaming_a_key_reruns_nothing() -> None:
    first = await done(Bench(SHOTS, params={"shots": SHOT_LIST}))
    renamed = [{**SHOT_LIST[0], "key": "first"}, *SHOT_LIST[1:]]
    assert first.again(params={"shots": renamed}).plan().count(Reuse) == 7


async def test_a_loop_that_grew_is_reused_without_a_call() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      still: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item }}"}}
      clip: {uses: image-to-video, foreach: "${{ steps.still.items }}", with: {prompt: x, image: "${{ item.image }}"}}
    """
    said = {"words": Outputs(texts=('```json\n["a", "b"]\n```',))}
    first = await done(Bench(text, executor=FakeExecutor(said)))
    plan = first.again().plan()
    assert kinds(plan) == dict.fromkeys(["words", "still[a]", "still[b]", "clip[a]", "clip[b]"], "Reuse")
    second = first.again()
    await second.run()
    assert second.executor.calls == []


# --- takes -----------------------------------------------------------------------------------------------------------


def seeds(text: str) -> list[Any]:
    """Return the seed that each take of a step is sent."""
    plan = plan_of(text, models=MODELS)
    return [each.call.inputs.get("seed") for each in plan.decisions.values() if isinstance(each, Run)]


TAKES = "steps: {s: {uses: text-to-image, model: MODEL, variations: 3, with: {prompt: x, SEED}}}"
_LIMITED = tuple(replace(each, minimum=1, maximum=10) if each.name == "seed" else each for each in DRAW.fields)
MODELS = FakeModels(DRAW, replace(PAINT, fields=_LIMITED))


def test_every_take_is_a_call_of_its_own_and_counts_up_from_the_seed() -> None:
    text = TAKES.replace("MODEL", "draw")
    assert seeds(text.replace("SEED", "seed: 40")) == [40, 41, 42]
    plan = plan_of(text.replace(", SEED", ""), models=MODELS)
    calls = [each.call for each in plan.decisions.values() if isinstance(each, Run)]
    assert len({call.key for call in calls}) == 3
    assert [call.ingredients["variation"] for call in calls] == [1, 2, 3]
    assert all("seed" not in call.inputs for call in calls)


def test_a_seed_that_means_any_is_left_alone() -> None:
    assert seeds(TAKES.replace("MODEL", "draw").replace("SEED", "seed: -1")) == [-1, -1, -1]


def test_a_seed_stays_within_what_the_model_takes() -> None:
    assert seeds(TAKES.replace("MODEL", "paint").replace("SEED", "seed: 9")) == [9, 10, 1]


async def test_more_takes_keep_those_that_are_there() -> None:
    text = TAKES.replace("MODEL", "draw").replace("SEED", "seed: 1")
    first = await done(Bench(text, models=MODELS))
    plan = first.again(text.replace("variations: 3", "variations: 5")).plan()
    assert (plan.count(Reuse), plan.count(Run)) == (3, 2)
