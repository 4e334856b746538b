"""A pipeline as a step: what goes in, what comes out, what it waits for, and what happens when a part of it fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rhflow.core.errors import Problem, RecipeError, StepError, UsageError
from rhflow.core.graph.select import Selection, select
from rhflow.core.plan.plan import Reuse, Run, Wait
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor
from tests.support import Bench, files, pointed_at, problems_of, statuses

SHOT = """\
rhflow: 1
params:
  subject: {type: string}
  ratio: {type: string, enum: ["1:1", "16:9"], default: "1:1"}
  base: {type: image, default: logo.png}
  token: {type: string, default: x, secret: true}
vars:
  look: ${{ params.subject }}, in ink
  more: ${{ vars.look }}, framed
steps:
  still: {uses: image-to-image, with: {prompt: "${{ vars.more }}", images: ["${{ params.base }}"]}}
  words: {uses: image-to-text, with: {image: "${{ steps.still.image }}", prompt: "say ${{ params.token }}"}}
  apart: {uses: text-to-image, with: {prompt: "a frame", aspect_ratio: "${{ params.ratio }}"}}
outputs:
  picture: ${{ steps.still.image }}
  caption: ${{ steps.words.text }}
  frame: ${{ steps.apart.image }}
"""
PARTS = {"./shot.yaml": SHOT}
ONE = """
params: {what: a boat}
steps:
  draw: {uses: text-to-image, with: {prompt: sea}}
  one: {uses: ./shot.yaml, with: {subject: "${{ params.what }}", base: "${{ steps.draw.image }}"}}
  last: {uses: text-to-text, with: {prompt: "join ${{ steps.one.caption }}"}}
outputs: {all: "${{ steps.one.files }}"}
"""
MANY = """
steps:
  many:
    uses: ./shot.yaml
    foreach: [{key: red, subject: a red boat}, {key: blue, subject: a blue boat}]
    with: {subject: "${{ item.subject }}"}
    EXTRA
  last: {uses: text-to-text, with: {prompt: "${{ steps.many.items | length }} shots, ${{ steps.many.red.caption }}"}}
"""
LATE = """
steps:
  list: {uses: text-to-text, with: {prompt: JSON}}
  many:
    uses: ./shot.yaml
    foreach: ${{ steps.list.json }}
    with: {subject: "${{ item.scene }}"}
  last: {uses: text-to-text, with: {prompt: "${{ steps.many.files | length }} pictures"}}
"""
MID = """\
rhflow: 1
params: {who: {type: string}}
steps: {in: {uses: ./shot.yaml, with: {subject: "${{ params.who }}"}}}
outputs: {p: "${{ steps.in.picture }}"}
"""
NESTED = """
steps:
  a: {uses: ./mid.yaml, with: {who: x}}
  b: {uses: upscale, with: {image: "${{ steps.a.p }}", scale: 2x}}
"""
LOGO = files("logo.png")


def bench(text: str, script: dict[str, Any] | None = None, **told: Any) -> Bench:
    return Bench(text, parts=PARTS, local=LOGO, executor=FakeExecutor(script or {}), **told)


def many(extra: str = "") -> str:
    return MANY.replace("    EXTRA\n", f"    {extra}\n" if extra else "")


def prompts(found: Bench) -> dict[str, Any]:
    return {call.node: call.inputs.get("prompt") for call in found.executor.calls}


def broken() -> StepError:
    return StepError(Problem("task-failed", "no"))


# --- in and out ------------------------------------------------------------------------------------------------------


async def test_parameters_are_filled_from_inputs_and_outputs_are_read_like_those_of_a_step() -> None:
    found = bench(ONE, {"one/words": Outputs(texts=("a boat in ink",))})
    results = await found.run()
    assert list(results) == ["draw", "one/still", "one/words", "one/apart", "last"]
    assert set(statuses(results).values()) == {"succeeded"}
    assert prompts(found)["one/still"] == "a boat, in ink, framed"
    assert prompts(found)["last"] == "join a boat in ink"
    drawn = next(call for call in found.executor.calls if call.node == "one/still").inputs
    assert results["draw"].entry is not None
    assert results["draw"].entry.outputs.files[0] in next(iter(v for v in drawn.values() if isinstance(v, list)))


async def test_what_needs_nothing_from_outside_does_not_wait() -> None:
    found = bench(ONE)
    plan = found.plan()
    assert isinstance(plan.decisions["one/apart"], Run)
    assert isinstance(plan.decisions["one/still"], Wait)
    assert plan.decisions["one/still"].on == ("draw",)


async def test_a_second_run_reuses_all_and_a_changed_input_reruns_its_cone() -> None:
    found = bench(ONE)
    await found.run()
    assert all(isinstance(each, Reuse) for each in found.again().plan().decisions.values())
    changed = found.again(params={"what": "a ship"}).plan().decisions
    assert {node for node, each in changed.items() if isinstance(each, Reuse)} == {"draw", "one/apart"}


async def test_the_same_pipeline_inside_and_outside_makes_the_same_calls() -> None:
    frame = "  frame: {uses: text-to-image, with: {prompt: a frame, aspect_ratio: '1:1'}}\n"
    found = bench(ONE.replace("steps:\n", f"steps:\n{frame}"))
    await found.run()
    assert sorted(each for each in prompts(found) if prompts(found)[each] == "a frame") == ["frame"]


async def test_without_outputs_the_steps_inside_are_the_outputs() -> None:
    bare = SHOT[: SHOT.index("outputs:")]
    text = ONE.replace("steps.one.caption", "steps.one.words.text").replace("steps.one.files", "steps.one.still.image")
    found = Bench(text, parts={"./shot.yaml": bare}, executor=FakeExecutor({"one/words": Outputs(texts=("hm",))}))
    await found.run()
    assert prompts(found)["last"] == "join hm"


async def test_a_pipeline_in_a_pipeline() -> None:
    found = Bench(NESTED, parts={**PARTS, "./mid.yaml": MID}, local=LOGO)
    results = await found.run()
    assert list(results) == ["a/in/still", "a/in/words", "a/in/apart", "b"]
    assert prompts(found)["a/in/still"] == "x, in ink, framed"


async def test_facts_of_a_pipeline_are_those_of_all_its_steps() -> None:
    found = bench(ONE)
    await found.run()
    view = found.planner.views["one"]
    assert view["status"] == "succeeded"
    assert view["cached"] is False
    assert len(view["images"]) == 2
    assert view["image"] == view["picture"]


# --- loops -----------------------------------------------------------------------------------------------------------


async def test_a_loop_over_a_pipeline_has_one_for_each_item() -> None:
    found = bench(many(), {"many[red]/words": Outputs(texts=("red!",))})
    results = await found.run()
    assert [node for node in results if node.endswith("still")] == ["many[red]/still", "many[blue]/still"]
    assert prompts(found)["many[blue]/still"] == "a blue boat, in ink, framed"
    assert prompts(found)["last"] == "2 shots, red!"


async def test_a_loop_over_what_a_step_gives_grows_by_whole_pipelines() -> None:
    said = Outputs(texts=(json.dumps([{"key": "a", "scene": "tea"}, {"key": "b", "scene": "milk"}]),))
    found = bench(LATE, {"list": said})
    assert "many[*]" in found.plan().decisions
    results = await found.run()
    assert {"many[a]/still", "many[b]/apart"} <= results.keys()
    assert prompts(found)["many[b]/still"] == "milk, in ink, framed"
    assert prompts(found)["last"] == "4 pictures"
    assert all(isinstance(each, Reuse) for each in found.again().plan().decisions.values())


async def test_a_loop_follows_the_items_of_an_earlier_one() -> None:
    text = """
    steps:
      still: {uses: text-to-image, foreach: [x, y], with: {prompt: "${{ item }}"}}
      shot:
        uses: ./shot.yaml
        foreach: ${{ steps.still.items }}
        with: {subject: "${{ item.item }}", base: "${{ item.image }}"}
      clip: {uses: image-to-video, foreach: "${{ steps.shot.items }}", with: {prompt: p, image: "${{ item.picture }}"}}
    """
    found = bench(text)
    assert found.graph.before["clip[x]"] == ["shot[x]"]
    assert found.graph.before["shot[x]/"] == ["still[x]"]
    results = await found.run()
    assert set(statuses(results).values()) == {"succeeded"}
    assert prompts(found)["shot[y]/still"] == "y, in ink, framed"


async def test_a_chain_of_pipelines_goes_one_by_one() -> None:
    before = "${{ item.subject }} after ${{ prev.status if prev else 0 }}"
    found = bench(many("chain: true").replace("${{ item.subject }}", before))
    await found.run()
    assert prompts(found)["many[red]/still"] == "a red boat after 0, in ink, framed"
    assert prompts(found)["many[blue]/still"] == "a blue boat after succeeded, in ink, framed"


# --- conditions and failures -----------------------------------------------------------------------------------------


async def test_a_false_condition_skips_everything_inside_and_what_reads_it() -> None:
    found = bench(ONE.replace("uses: ./shot.yaml,", "uses: ./shot.yaml, if: params.what == 'tea',"))
    results = await found.run()
    assert statuses(results) == {
        "draw": "succeeded", "one/still": "skipped", "one/words": "skipped", "one/apart": "skipped", "last": "skipped",
    }  # fmt: skip


async def test_the_condition_of_an_item_skips_that_item() -> None:
    found = bench(many("if: item.key == 'red'"), {"many[red]/words": Outputs(texts=("r",))})
    results = await found.run()
    assert {node for node, status in statuses(results).items() if status == "skipped"} == {
        "many[blue]/still", "many[blue]/words", "many[blue]/apart",
    }  # fmt: skip


async def test_needs_of_the_step_hold_everything_inside_back() -> None:
    found = bench(ONE.replace("uses: ./shot.yaml,", "uses: ./shot.yaml, needs: [draw],"))
    assert isinstance(found.plan().decisions["one/apart"], Wait)


@pytest.mark.parametrize(("rule", "status"), [("continue", "failed"), ("skip", "skipped")])
async def test_a_failed_part_fails_its_pipeline_by_the_rule_of_the_step(rule: str, status: str) -> None:
    found = bench(many(f"on_error: {rule}"), {"many[red]/still": broken()})
    results = await found.run()
    assert statuses(results)["many[red]/still"] == status
    assert statuses(results)["many[red]/words"] == "skipped"
    assert statuses(results)["many[blue]/words"] == "succeeded"
    assert found.planner.endings["many[red]"] == status
    assert "many[blue]" not in found.planner.endings


async def test_without_a_rule_a_failed_part_stops_the_run() -> None:
    found = bench(ONE, {"one/still": broken()})
    results = await found.run()
    assert statuses(results)["one/still"] == "failed"
    assert statuses(results)["last"] == "skipped"


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("steps: {a: {uses: ./shot.yaml}}", "missing-input", "a"),
        ("steps: {a: {uses: ./shot.yaml, with: {subject: x, rato: '1:1'}}}", "unknown-input", "rato"),
        ("steps: {a: {uses: ./shot.yaml, with: {subject: x, ratio: '4:3'}}}", "bad-param", "'4:3'"),
        ("steps: {a: {uses: ./shot.yaml, with: {subject: x}, retry: {max: 1}}}", "not-here", "retry"),
        (ONE.replace("one.caption", "one.captoin"), "unknown-output", "steps.one.captoin"),
        (ONE.replace("base: \"${{ steps.draw.image }}\"", "base: '${{ steps.list.text }}'").replace(
            "steps:\n", "steps:\n  list: {uses: text-to-text, with: {prompt: x}}\n"), "bad-param", None),
    ],
)  # fmt: skip
def test_what_is_given_is_checked_against_the_parameters(text: str, code: str, at: str | None) -> None:
    found = [each for each in problems_of(text, parts=PARTS) if each.severity == "error"]
    assert [each.code for each in found] == [code]
    assert at is None or pointed_at(found[0]) == at


async def test_a_value_known_at_run_time_is_held_to_the_rules_too() -> None:
    text = LATE.replace('subject: "${{ item.scene }}"', 'subject: x, ratio: "${{ item }}"')
    found = bench(text, {"list": Outputs(texts=('["4:3"]',))})
    results = await found.run()
    failed = [each for each in results.values() if each.error is not None]
    assert failed and "must be one of `1:1`, `16:9`, not `4:3`" in str(failed[0].error)


async def test_no_text_that_a_step_gave_is_taken_for_a_path() -> None:
    text = LATE.replace('{subject: "${{ item.scene }}"}', '{subject: x, base: "${{ item }}"}')
    found = bench(text, {"list": Outputs(texts=('["logo.png"]',))})
    results = await found.run()
    failed = [each for each in results.values() if each.error is not None]
    assert failed and "must be a file or a link" in str(failed[0].error)


async def test_secrets_of_a_part_are_kept_nowhere() -> None:
    found = bench(ONE.replace("base:", "token: hush-hush, base:"))
    await found.run()
    kept = found.cache.entries([call.key for call in found.executor.calls]).values()
    assert prompts(found)["one/words"] == "say hush-hush"
    assert "hush-hush" not in str([entry.ingredients for entry in kept])


def test_a_secret_of_the_outer_recipe_stays_one_inside() -> None:
    found = bench(
        ONE.replace("params: {what: a boat}", "params: {what: {type: string, default: hush-hush, secret: true}}")
    )
    kept = [each.call.ingredients for each in found.plan().decisions.values() if isinstance(each, Run)]
    assert kept and "hush-hush" not in str(kept)


# --- one item, read by its key ---------------------------------------------------------------------------------------

BY_KEY = """
steps:
  still: {uses: text-to-image, foreach: [sea, hills], with: {prompt: "${{ item }}"}}
  many:
    uses: ./pair.yaml
    foreach: [one, two]
    with: {base: "${{ steps.still.sea.image }}"}
  last: {uses: text-to-text, with: {prompt: "say ${{ steps.many.two.said }}"}}
"""
PAIR = """\
rhflow: 1
params: {base: {type: image}}
steps:
  take: {uses: image-to-text, foreach: [wide, near], with: {image: "${{ params.base }}", prompt: "${{ item }}"}}
  join: {uses: text-to-text, with: {prompt: "${{ steps.take['near'].text }}"}}
  rest: {uses: text-to-text, with: {prompt: "${{ steps.take.texts | join(', ') }}"}}
outputs: {said: "${{ steps.join.text }}"}
"""


async def test_items_are_read_by_their_keys_inside_from_outside_and_of_pipelines() -> None:
    found = Bench(BY_KEY, parts={"./pair.yaml": PAIR}, executor=FakeExecutor(held=["still[hills]"]))
    assert found.graph.before["many[one]/take[near]"] == ["still[sea]", "many[one]/"]
    assert found.graph.before["many[one]/join"] == ["many[one]/take[near]", "many[one]/"]
    assert found.graph.before["last"] == ["many[two]"]
    running = asyncio.create_task(found.run())
    await found.executor.begun("last")
    found.executor.release("still[hills]")
    assert set(statuses(await running).values()) == {"succeeded"}


# --- selecting -------------------------------------------------------------------------------------------------------


def test_a_step_that_is_a_pipeline_selects_all_inside() -> None:
    graph = bench(many()).graph
    chosen = select(graph, Selection(only=("many[red]",)))
    calls = {node for node in graph.calls() if chosen.runs(graph.nodes[node])}
    assert calls == {"many[red]/still", "many[red]/words", "many[red]/apart"}
    chosen = select(graph, Selection(until=("many[red]/words",)))
    assert {node for node in graph.calls() if chosen.runs(graph.nodes[node])} == {"many[red]/still", "many[red]/words"}
    with pytest.raises(UsageError, match="there is no step `many/stil`"):
        select(graph, Selection(only=("many/stil",)))


def test_a_circle_through_a_pipeline_is_told() -> None:
    text = ONE.replace("prompt: sea", "prompt: '${{ steps.one.caption }}'")
    with pytest.raises(RecipeError, match="waits for itself"):
        raise RecipeError(problems_of(text, parts=PARTS))
