"""Whole loops and single items of them, read by other steps: what is waited for, and what comes of it when it runs."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from rhflow.core.errors import Problem, RecipeError, StepError, UsageError
from rhflow.core.graph.select import Selection
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.plan import Skip, Wait
from rhflow.core.plan.planner import Planner
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor, artifact, outputs_of
from tests.support import Bench, plan_of, problems_of, statuses
from tests.unit.loops_support import kinds, prompts, prompts_run

SHOTS = """
params:
  shots:
    type: list
    default: [{key: hero, scene: on marble}, {key: hand, scene: in a hand}, {key: macro, scene: the cap}]
steps:
  still:
    uses: text-to-image
    foreach: ${{ params.shots }}
    with: {prompt: "${{ item.scene }}"}
  clip:
    uses: image-to-video
    foreach: ${{ steps.still.items }}
    with: {prompt: "${{ item.item.scene }}", image: "${{ item.image }}"}
  poster:
    uses: image-to-image
    with: {prompt: all of them, images: "${{ steps.still.images }}"}
"""


async def test_a_whole_loop_in_the_order_of_its_items() -> None:
    text = (
        SHOTS
        + """
  words:
    uses: text-to-text
    with: {prompt: "${{ steps.still.status }} ${{ steps.still.items | map(attribute='key') | join('+') }}"}
  one:
    uses: upscale
    with: {image: "${{ steps.still['hand'].image }}"}
  last:
    uses: upscale
    with: {image: "${{ steps.still.items[2].image }}"}
  pairs:
    uses: start-end-to-video
    foreach: ${{ steps.still.items | pairs }}
    with: {prompt: "${{ key }}", first_frame: "${{ item[0].image }}", last_frame: "${{ item[1].image }}"}
"""
    )
    bench = Bench(text, executor=FakeExecutor(usual=1.0, seconds={"still[hero]": 9.0}))
    results = await bench.run()
    made = {
        node: each.entry.outputs.files[0] for node, each in results.items() if each.entry and each.entry.outputs.files
    }
    calls = {call.node: call.inputs for call in bench.executor.calls}
    stills = [made[f"still[{key}]"] for key in ("hero", "hand", "macro")]
    assert list(calls["poster"]["imageUrls"]) == stills
    assert calls["words"]["prompt"] == "succeeded hero+hand+macro"
    assert calls["one"]["imageUrl"] == stills[1]
    assert calls["last"]["imageUrl"] == stills[2]
    assert [node for node in calls if node.startswith("pairs")] == ["pairs[hero-hand]", "pairs[hand-macro]"]
    assert stills[2] in calls["pairs[hand-macro]"].values()


async def test_an_item_tells_its_facts() -> None:
    text = """
    steps:
      a: {uses: text-to-image, foreach: [x, y], matrix: {look: [day]}, variations: 1, with: {prompt: "${{ item }}"}}
      b:
        uses: text-to-text
        foreach: ${{ steps.a.items }}
        with: {prompt: "${{ item.key }} ${{ item.index }} ${{ item.item }} ${{ item.matrix.look }} ${{ item.variation }} ${{ item.status }} ${{ item.image.name }}"}
    """  # noqa: E501
    sent = await prompts_run(text, executor=FakeExecutor({"text-to-image": outputs_of("image", "x", name="p")}))
    assert sent["b[y-day-1]"] == "y-day-1 1 y day 1 succeeded p.png"


async def test_files_of_a_loop_are_flattened() -> None:
    text = """
    steps:
      a: {uses: text-to-image, foreach: [x, y], with: {prompt: "${{ item }}"}}
      t: {uses: text-to-text, foreach: [x, y], with: {prompt: "${{ item }}"}}
      n:
        uses: text-to-text
        with: {prompt: "${{ steps.a.files | map(attribute='name') | join(' ') }} / ${{ steps.t.texts | join(' ') }}"}
    """
    two = {f"a[{key}]": Outputs(tuple(artifact(f"{key}{at}.png") for at in (1, 2))) for key in "xy"}
    said = {f"t[{key}]": Outputs(texts=(key.upper(),)) for key in "xy"}
    sent = await prompts_run(text, executor=FakeExecutor(two | said))
    assert sent["n"] == "x1.png x2.png y1.png y2.png / X Y"


async def test_a_key_is_found_as_it_was_written() -> None:
    text = """
    steps:
      a: {uses: text-to-text, foreach: [{key: Hero Shot}, {key: 2}], with: {prompt: "${{ key }}"}}
      b: {uses: text-to-text, with: {prompt: "${{ steps.a['Hero Shot'].text }} ${{ steps.a['hero-shot'].text }} ${{ steps.a[2].text }}"}}
    """  # noqa: E501
    said = FakeExecutor({"a[hero-shot]": Outputs(texts=("one",)), "a[2]": Outputs(texts=("two",))})
    assert (await prompts_run(text, executor=said))["b"] == "one one two"


COVER = """
params: {scenes: [dawn, noon]}
steps:
  still: {uses: text-to-image, foreach: "${{ params.scenes }}", with: {prompt: "${{ item }}"}}
  cover: {uses: image-to-image, with: {prompt: "${{ steps.still.noon.key }}", image: "${{ steps.still.noon.image }}"}}
  all: {uses: image-to-image, with: {prompt: all, images: "${{ steps.still.images }}"}}
"""


async def test_what_reads_an_item_by_its_key_begins_when_that_has_ended() -> None:
    bench = Bench(COVER, executor=FakeExecutor(held=["still[dawn]"]))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("cover")
    assert bench.executor.nodes == ["still[dawn]", "still[noon]", "cover"]
    bench.executor.release("still[dawn]")
    results = await running
    assert set(statuses(results).values()) == {"succeeded"}
    [cover] = [call for call in bench.executor.calls if call.node == "cover"]
    assert cover.inputs["prompt"] == "noon"


async def test_an_item_that_failed_does_not_hold_up_who_reads_another() -> None:
    broken = FakeExecutor({"still[dawn]": StepError(Problem("task-failed", "no"))})
    text = COVER.replace("foreach:", "on_error: continue, foreach:")
    results = await Bench(text, executor=broken).run()
    assert statuses(results) == {
        "still[dawn]": "failed", "still[noon]": "succeeded", "cover": "succeeded", "all": "skipped",
    }  # fmt: skip
    results = await Bench(text.replace("noon.", "dawn."), executor=broken).run()
    assert results["cover"].status == "skipped"


def test_a_plan_says_which_item_is_waited_for_and_of_what_kind_it_will_be() -> None:
    cover = plan_of(COVER).decisions["cover"]
    assert isinstance(cover, Wait)
    assert cover.on == ("still[noon]",)
    wrong = COVER + '  big: {uses: upscale, with: {video: "${{ steps.still.noon.image }}"}}\n'
    assert [each.message for each in problems_of(wrong)] == ["step `big`: `video`: takes a video, not an image"]


async def test_a_part_needs_only_the_item_that_it_reads() -> None:
    bench = Bench(COVER.replace("dawn, ", ""))
    await bench.run()
    more = bench.again(COVER)
    for step, found in (("cover", None), ("all", "`still[dawn]` is needed and has no result yet")):
        world = replace(more.planner.world, selection=Selection(only=(step,)))
        planner = Planner(more.pipeline, more.graph, more.planner.calls, world)
        if found is None:
            assert kinds(dry_run(planner)) == {"still[noon]": "Reuse", "cover": "Reuse"}
        else:
            with pytest.raises(UsageError, match=re.escape(found)):
                dry_run(planner)


def test_a_part_that_reads_a_key_that_no_item_has_is_told_so() -> None:
    bench = Bench(COVER, params={"scenes": ["dawn", "nooon"]})
    world = replace(bench.planner.world, selection=Selection(only=("cover",)))
    with pytest.raises(RecipeError, match="step `still` has no item `noon`"):
        dry_run(Planner(bench.pipeline, bench.graph, bench.planner.calls, world))


def test_a_condition_may_look_at_one_item() -> None:
    text = """
    steps:
      a: {uses: text-to-image, foreach: [x, y], if: key == 'x', with: {prompt: "${{ item }}"}}
      b: {uses: text-to-text, if: steps.a.y.status == 'skipped', with: {prompt: "why not ${{ steps.a.y.key }}?"}}
      c: {uses: upscale, with: {image: "${{ steps.a.y.image }}"}}
      d: {uses: upscale, with: {image: "${{ steps.a.x.image }}"}}
    """
    plan = plan_of(text)
    assert prompts(plan) == {"a[x]": "x", "b": "why not y?"}
    assert plan.decisions["c"] == Skip("`a[y]` was skipped")
    assert isinstance(plan.decisions["d"], Wait)


async def test_items_that_read_one_another() -> None:
    text = """
    steps:
      shot:
        uses: text-to-text
        foreach: {far: a street, near: "closer than ${{ steps.shot.far.text }}", last: "${{ steps.shot.near.text }}"}
        with: {prompt: "${{ item }}"}
    """
    said = FakeExecutor({"shot[far]": Outputs(texts=("one",)), "shot[near]": Outputs(texts=("two",))})
    assert await prompts_run(text, executor=said) == {
        "shot[far]": "a street", "shot[near]": "closer than one", "shot[last]": "two",
    }  # fmt: skip


def test_a_key_that_no_item_has_is_told_before_anything_runs() -> None:
    text = """
    params: {shots: {type: list}}
    steps:
      a: {uses: text-to-image, foreach: "${{ params.shots }}", with: {prompt: "${{ item }}"}}
      b: {uses: upscale, with: {image: "${{ steps.a['nooon'].image }}"}}
    """
    assert "b" in plan_of(text, params={"shots": ["dawn", "nooon"]}).decisions
    with pytest.raises(RecipeError) as caught:
        plan_of(text, params={"shots": ["dawn", "noon"]})
    [problem] = caught.value.problems
    assert (problem.code, problem.hint) == ("unknown-item", "did you mean `noon`?")


async def test_an_empty_loop_succeeds_with_empty_lists() -> None:
    text = """
    params: {shots: []}
    steps:
      a: {uses: text-to-image, foreach: "${{ params.shots }}", with: {prompt: "${{ item }}"}}
      b: {uses: upscale, foreach: "${{ steps.a.items }}", with: {image: "${{ item.image }}"}}
      c:
        uses: text-to-text
        with: {prompt: "${{ steps.a.status }} ${{ steps.b.items | length }} ${{ steps.b.files }}"}
    """
    assert await prompts_run(text) == {"c": "succeeded 0 []"}
