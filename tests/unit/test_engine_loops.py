"""Loops while they run: what grows, and what a failed item means for the others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rhflow.core.errors import Problem, RecipeError, StepError, UnknownOutcomeError
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import Fail
from rhflow.core.values import Outputs
from rhflow.engine.outcome import status_of
from tests.fakes import FakeExecutor
from tests.support import Bench, statuses

FILM = """
steps:
  still: {uses: text-to-image, foreach: [a, b, c], ON_ERROR, with: {prompt: "${{ item }}"}}
  clip: {uses: image-to-video, foreach: "${{ steps.still.items }}", with: {prompt: x, image: "${{ item.image }}"}}
  sheet: {uses: image-to-image, with: {prompt: all, images: "${{ steps.still.images }}"}}
  reel: {uses: text-to-text, with: {prompt: "${{ steps.clip.videos | length }} clips"}}
  other: {uses: text-to-text, with: {prompt: on its own}}
outputs:
  clips: ${{ steps.clip.files }}
"""
GROWS = """
steps:
  words: {uses: text-to-text, with: {prompt: JSON}}
  still: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item.scene }}"}}
  clip: {uses: image-to-video, foreach: "${{ steps.still.items }}", with: {prompt: x, image: "${{ item.image }}"}}
  reel: {uses: text-to-text, with: {prompt: "${{ steps.clip.files | length }} clips"}}
"""


def film(on_error: str) -> str:
    return FILM.replace("ON_ERROR", f"on_error: {on_error}")


def said(value: Any) -> Outputs:
    return Outputs(texts=(json.dumps(value),))


def broken(message: str = "no") -> StepError:
    return StepError(Problem("task-failed", message))


def prompts(bench: Bench) -> dict[str, Any]:
    return {call.node: call.inputs.get("prompt") for call in bench.executor.calls}


# --- growing ---------------------------------------------------------------------------------------------------------


async def test_a_list_that_a_step_says_becomes_nodes_while_the_run_goes_on() -> None:
    bench = Bench(GROWS, executor=FakeExecutor({"words": said([{"scene": "sea", "key": "s"}, {"scene": "hills"}])}))
    results = await bench.run()
    assert set(statuses(results).values()) == {"succeeded"}
    assert [node.split("[")[0] for node in results] == ["words", "still", "still", "clip", "clip", "reel"]
    assert prompts(bench)["still[s]"] == "sea"
    assert prompts(bench)["reel"] == "2 clips"


async def test_items_that_grew_go_on_alone_not_in_step() -> None:
    seconds = {"still[slow]": 60.0, "still[fast]": 1.0, "clip[fast]": 1.0}
    listed = [{"key": "slow", "scene": "a"}, {"key": "fast", "scene": "b"}]
    bench = Bench(GROWS, executor=FakeExecutor({"words": said(listed)}, seconds=seconds))
    await bench.run()
    assert bench.log.index("end clip[fast]") < bench.log.index("end still[slow]")


async def test_a_list_of_nothing() -> None:
    bench = Bench(GROWS, executor=FakeExecutor({"words": said([])}))
    assert statuses(await bench.run()) == {"words": "succeeded", "still": "empty", "clip": "empty", "reel": "succeeded"}
    assert prompts(bench)["reel"] == "0 clips"


async def test_a_loop_that_cannot_grow_fails_and_takes_along_what_needs_it() -> None:
    for rule, others in (("fail", "not-run"), ("continue", "succeeded")):
        text = GROWS.replace("still: {", f"still: {{on_error: {rule}, ")
        text += "  slow: {uses: text-to-text, needs: [words], with: {prompt: x}}\n"
        bench = Bench(text, executor=FakeExecutor({"words": said("no list")}))
        found = statuses(await bench.run())
        assert found == {
            "words": "succeeded", "still[*]": "failed", "clip[*]": "skipped", "reel": "skipped", "slow": others,
        }  # fmt: skip


async def test_a_loop_that_cannot_grow_may_count_as_skipped() -> None:
    bench = Bench(
        GROWS.replace("still: {", "still: {on_error: skip, "), executor=FakeExecutor({"words": said("no list")})
    )
    results = await bench.run()
    assert statuses(results) == {"words": "succeeded", "still[*]": "skipped", "clip[*]": "skipped", "reel": "skipped"}
    assert status_of(list(results.values()), interrupted=False) == "succeeded"


async def test_a_loop_over_a_step_that_failed_never_counts_as_empty() -> None:
    bench = Bench(GROWS.replace("words: {", "words: {on_error: continue, "), executor=FakeExecutor({"words": broken()}))
    assert statuses(await bench.run()) == {
        "words": "failed", "still[*]": "skipped", "clip[*]": "skipped", "reel": "skipped",
    }  # fmt: skip


@pytest.mark.parametrize(("rule", "how"), [("continue", "failed"), ("skip", "skipped")])
async def test_a_list_that_cannot_be_read_stops_nothing_else_the_second_time_either(rule: str, how: str) -> None:
    text = GROWS.replace("still: {", f"still: {{on_error: {rule}, ")
    first = Bench(text, executor=FakeExecutor({"words": said("no list")}))
    await first.run()
    more = text + "  other: {uses: text-to-text, with: {prompt: more}}\n"
    plan = first.again(more).plan()
    assert isinstance(plan.decisions["still[*]"], Fail)
    second = first.again(more)
    assert statuses(await second.run()) == {
        "words": "succeeded", "still[*]": how, "clip[*]": "skipped", "reel": "skipped", "other": "succeeded",
    }  # fmt: skip
    assert second.executor.nodes == ["other"]


async def test_where_others_may_not_go_on_it_is_told_before_anything_runs() -> None:
    first = Bench(GROWS, executor=FakeExecutor({"words": said("no list")}))
    await first.run()
    with pytest.raises(RecipeError) as caught:
        first.again().plan()
    assert [each.code for each in caught.value.problems] == ["bad-foreach"]


async def test_what_failed_in_the_plan_may_succeed_in_the_run() -> None:
    text = GROWS.replace("still: {", "still: {on_error: continue, ")
    first = Bench(text, executor=FakeExecutor({"words": said("no list")}))
    await first.run()
    second = first.again(executor=FakeExecutor({"words": said([{"scene": "sea"}])}))
    second.plan()
    second.cache.kept.clear()  # somebody emptied the store meanwhile
    assert set(statuses(await second.run()).values()) == {"succeeded"}


async def test_several_loops_grow_out_of_one_list() -> None:
    text = (
        GROWS
        + '  sound: {uses: text-to-music, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item.scene }}"}}\n'
    )
    bench = Bench(text, executor=FakeExecutor({"words": said([{"scene": "sea", "key": "s"}])}))
    assert statuses(await bench.run())["sound[s]"] == "succeeded"


async def test_matrix_and_takes_may_grow_too() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      a:
        uses: text-to-image
        matrix: {look: "${{ steps.words.json }}"}
        variations: ${{ steps.words.json | length }}
        with: {prompt: "${{ matrix.look }}"}
    """
    bench = Bench(text, executor=FakeExecutor({"words": said(["day", "night"])}))
    found = list(await bench.run())
    assert found == ["words", "a[day-1]", "a[day-2]", "a[night-1]", "a[night-2]"]


async def test_an_interrupt_while_a_loop_grows_starts_none_of_its_nodes() -> None:
    bench = Bench(GROWS, executor=FakeExecutor({"words": said([{"scene": "x"}])}, held=["words"]))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("words")
    bench.engine.interrupt()
    bench.executor.release("words")
    assert statuses(await running) == {
        "words": "succeeded", "still[*]": "not-run", "clip[*]": "not-run", "reel": "not-run",
    }  # fmt: skip


# --- a failed item ---------------------------------------------------------------------------------------------------


async def test_fail_starts_nothing_new_and_lets_what_runs_end() -> None:
    seconds = {"still[a]": 1.0, "still[b]": 5.0, "still[c]": 5.0, "other": 9.0}
    bench = Bench(film("fail"), pools={"account": 3}, executor=FakeExecutor({"still[a]": broken()}, seconds=seconds))
    found = statuses(await bench.run())
    assert found == {
        "still[a]": "failed", "still[b]": "succeeded", "still[c]": "succeeded",
        "clip[a]": "skipped", "clip[b]": "not-run", "clip[c]": "not-run",
        "sheet": "skipped", "reel": "skipped", "other": "not-run",
    }  # fmt: skip


async def test_continue_lets_siblings_and_others_go_on_and_skips_what_lacks_the_item() -> None:
    bench = Bench(film("continue"), executor=FakeExecutor({"still[b]": broken()}))
    results = await bench.run()
    assert statuses(results) == {
        "still[a]": "succeeded", "still[b]": "failed", "still[c]": "succeeded",
        "clip[a]": "succeeded", "clip[b]": "skipped", "clip[c]": "succeeded",
        "sheet": "skipped", "reel": "skipped", "other": "succeeded",
    }  # fmt: skip
    assert status_of(list(results.values()), interrupted=False) == "failed"
    why = {event.node: event.data["why"] for event in bench.journal.events if event.type == "node.skipped"}
    assert why == {"clip[b]": "`still[b]` failed", "sheet": "`still` is incomplete", "reel": "`clip` is incomplete"}


async def test_skip_goes_on_as_if_the_item_had_been_left_out() -> None:
    bench = Bench(film("skip"), executor=FakeExecutor({"still[b]": broken("not today")}))
    results = await bench.run()
    assert statuses(results) == {
        "still[a]": "succeeded", "still[b]": "skipped", "still[c]": "succeeded",
        "clip[a]": "succeeded", "clip[b]": "skipped", "clip[c]": "succeeded",
        "sheet": "succeeded", "reel": "succeeded", "other": "succeeded",
    }  # fmt: skip
    assert status_of(list(results.values()), interrupted=False) == "succeeded"
    assert results["still[b]"].error is not None
    assert prompts(bench)["reel"] == "2 clips"
    sheet = next(call for call in bench.executor.calls if call.node == "sheet")
    assert len(sheet.inputs["imageUrls"]) == 2


async def test_every_item_failed() -> None:
    for rule, how in (("continue", "failed"), ("skip", "skipped")):
        bench = Bench(film(rule), executor=FakeExecutor({f"still[{key}]": broken() for key in "abc"}))
        found = statuses(await bench.run())
        assert [found[f"still[{key}]"] for key in "abc"] == [how] * 3
        assert (found["clip[a]"], found["sheet"], found["reel"]) == ("skipped", "skipped", "skipped")
        assert found["other"] == "succeeded"


async def test_a_later_loop_may_take_what_there_is() -> None:
    text = film("continue").replace("clip: {", "clip: {on_error: skip, ")
    bench = Bench(text, executor=FakeExecutor({"still[b]": broken()}))
    found = statuses(await bench.run())
    assert (found["sheet"], found["reel"]) == ("skipped", "succeeded")
    assert prompts(bench)["reel"] == "2 clips"


async def test_a_step_may_ask_how_the_loop_ended_and_use_what_there_is() -> None:
    text = (
        film("continue")
        + """
  rest:
    uses: text-to-text
    if: steps.still.status == 'failed'
    with: {prompt: "${{ steps.still.images | length }}: ${{ steps.still.items | map(attribute='status') | join(' ') }}"}
"""
    )
    text = text.replace("outputs:\n  clips: ${{ steps.clip.files }}\n", "")
    bench = Bench(text, executor=FakeExecutor({"still[b]": broken()}))
    await bench.run()
    assert prompts(bench)["rest"] == "2: succeeded failed succeeded"


async def test_what_is_left_of_a_loop_can_be_delivered() -> None:
    bench = Bench(film("continue"), executor=FakeExecutor({"still[b]": broken()}))
    results = await bench.run()
    outputs = bench.pipeline.outputs
    assert outputs is not None
    made = [results[f"clip[{key}]"].entry for key in "ac"]
    files = [file for entry in made if entry is not None for file in entry.outputs.files]
    assert bench.planner.value_of(outputs["clips"].value) == files


async def test_an_item_that_reads_a_step_that_failed_is_skipped_and_the_loop_is_gathered_all_the_same() -> None:
    text = """
    steps:
      x: {uses: text-to-image, on_error: continue, with: {prompt: x}}
      y: {uses: text-to-image, with: {prompt: y}}
      big:
        uses: upscale
        foreach: [{key: x, of: ["${{ steps.x.image }}"], say: a}, {key: y, of: ["${{ steps.y.image }}"], say: b}]
        with: {image: "${{ item.of[0] }}"}
      words:
        uses: text-to-text
        if: steps.big.status == 'failed'
        with: {prompt: "${{ steps.big.items | map(attribute='item.say') | join }}"}
    """
    bench = Bench(text, executor=FakeExecutor({"x": broken()}))
    assert statuses(await bench.run()) == {
        "x": "failed", "y": "succeeded", "big[x]": "skipped", "big[y]": "succeeded", "words": "succeeded",
    }  # fmt: skip
    assert prompts(bench)["words"] == "ab"


async def test_a_chain_ends_at_the_item_that_failed() -> None:
    text = """
    steps:
      s: {uses: text-to-text, foreach: [a, b, c], chain: true, on_error: continue, with: {prompt: "${{ item }}"}}
    """
    bench = Bench(text, executor=FakeExecutor({"s[b]": broken()}))
    assert statuses(await bench.run()) == {"s[a]": "succeeded", "s[b]": "failed", "s[c]": "skipped"}


async def test_an_unknown_outcome_stops_the_run_whatever_the_author_allowed() -> None:
    lost = UnknownOutcomeError(Problem("submit-unknown", "who knows"))
    bench = Bench(film("continue"), pools={"account": 1}, executor=FakeExecutor({"still[a]": lost}))
    found = statuses(await bench.run())
    assert found["still[a]"] == "unknown"
    assert found["still[b]"] == "not-run"


async def test_run_again_makes_only_what_failed_and_what_needs_it() -> None:
    first = Bench(film("continue"), executor=FakeExecutor({"still[b]": broken()}))
    await first.run()
    again = first.again()
    assert set(statuses(await again.run()).values()) == {"succeeded"}
    assert sorted(again.executor.nodes) == ["clip[b]", "reel", "sheet", "still[b]"]


# --- size ------------------------------------------------------------------------------------------------------------


async def test_three_thousand_items() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      a: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "number ${{ item }}"}}
      n: {uses: text-to-text, with: {prompt: "${{ steps.a.files | length }}"}}
    """
    bench = Bench(text, pools={"account": 50}, executor=FakeExecutor({"words": said(list(range(3000)))}))
    assert set(statuses(await bench.run()).values()) == {"succeeded"}
    assert prompts(bench)["n"] == "3000"
    again = bench.again()
    await again.run()
    assert again.executor.calls == []


async def test_a_chain_of_five_hundred() -> None:
    text = """
    steps:
      s:
        uses: text-to-text
        foreach: {range: 500}
        chain: true
        with: {prompt: "${{ (prev.text | int) + 1 if prev else 0 }}"}
    """

    def echo(call: StepCall) -> Outputs:
        return Outputs(texts=(call.inputs["prompt"],))

    bench = Bench(text, executor=FakeExecutor({"text-to-text": echo}))
    results = await bench.run()
    last = results["s[499]"].entry
    assert last is not None
    assert last.outputs.texts == ("499",)
    again = bench.again()
    await again.run()
    assert again.executor.calls == []
