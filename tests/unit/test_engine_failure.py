"""The loop when something goes wrong: failures, unforeseen errors, interrupts and cancellation."""

from __future__ import annotations

import asyncio

import pytest

from rhflow.core.errors import Problem, StoreError, UnknownOutcomeError
from rhflow.core.events import Event
from rhflow.core.values import Outputs
from rhflow.engine.flight import SingleFlight
from rhflow.engine.outcome import NodeResult, status_of
from tests.fakes import FakeExecutor, MemoryJournal, MemoryLocks
from tests.support import DIAMOND, WIDE, Bench, failure, statuses

# --- failure ---------------------------------------------------------------------------------------------------------


async def test_after_a_failure_nothing_starts_and_what_runs_ends() -> None:
    text = DIAMOND + WIDE.removeprefix("steps:\n")
    executor = FakeExecutor({"top": failure("bad prompt")}, usual=2.0, seconds={"top": 1.0})
    bench = Bench(text, executor=executor)
    results = await bench.run()
    assert bench.executor.nodes == ["top", "s0", "s1"]
    found = statuses(results)
    assert found["top"] == "failed"
    assert {found["left"], found["right"], found["bottom"]} == {"skipped"}
    assert {found["s0"], found["s1"]} == {"succeeded"}
    assert {found[f"s{at}"] for at in range(2, 7)} == {"not-run"}
    assert results["top"].error is not None
    assert results["top"].error.problems[0].message == "bad prompt"
    assert bench.journal.of("node.skipped") == ["left", "right", "bottom"]
    assert status_of(list(results.values()), interrupted=False) == "failed"


async def test_what_ended_beside_a_failure_is_kept() -> None:
    bench = Bench(WIDE, executor=FakeExecutor({"s0": failure()}, usual=1.0))
    await bench.run()
    again = bench.again(executor=FakeExecutor())
    await again.run()
    assert again.executor.nodes == ["s0", "s3", "s4", "s5", "s6"]


async def test_two_failures_at_once_are_both_told() -> None:
    bench = Bench(WIDE, executor=FakeExecutor({"s0": failure("one"), "s1": failure("two")}, usual=1.0))
    results = await bench.run()
    assert [node for node, each in results.items() if each.status == "failed"] == ["s0", "s1"]
    assert bench.journal.of("node.failed") == ["s0", "s1"]


async def test_an_unknown_outcome_is_not_a_failure() -> None:
    unknown = UnknownOutcomeError(Problem("submit-unknown", "nobody knows"))
    bench = Bench(DIAMOND, executor=FakeExecutor({"top": unknown}))
    results = await bench.run()
    assert statuses(results) == {"top": "unknown", "left": "skipped", "right": "skipped", "bottom": "skipped"}
    assert status_of(list(results.values()), interrupted=False) == "unknown"


@pytest.mark.parametrize("keep_open", [False, True])
async def test_a_call_that_is_left_open_stops_only_what_depends_on_it(keep_open: bool) -> None:
    unknown = UnknownOutcomeError(Problem("submit-unknown", "nobody knows"))
    text = DIAMOND + "  other: {uses: text-to-text, with: {prompt: x}}\n"
    bench = Bench(text, executor=FakeExecutor({"top": unknown}), pools={"account": 1}, keep_open=keep_open)
    found = statuses(await bench.run())
    assert found.pop("other") == ("succeeded" if keep_open else "not-run")
    assert found == {"top": "unknown", "left": "skipped", "right": "skipped", "bottom": "skipped"}


@pytest.mark.parametrize("at", range(1, 16))
async def test_a_journal_that_fails_ends_the_run_and_leaves_nothing_running(at: int) -> None:
    left = at

    def fail(event: Event) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise StoreError(Problem("store-full", "the disk is full"))

    text = DIAMOND + WIDE.removeprefix("steps:\n")
    bench = Bench(text, executor=FakeExecutor(usual=1.0), journal=MemoryJournal(on_record=fail))
    with pytest.raises(StoreError, match="the disk is full"):
        await bench.run()
    assert not [task for task in asyncio.all_tasks() if task.get_name() in bench.graph.nodes]
    again = bench.again(executor=FakeExecutor())
    assert set(statuses(await again.run()).values()) == {"succeeded"}
    assert not set(again.executor.nodes) & {node for node in bench.graph.nodes if f"put {node}" in bench.log}


async def test_inputs_that_turn_out_wrong_fail_their_node_only() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: x}}
      bad: {uses: text-to-image, with: {prompt: x, aspect_ratio: "${{ steps.words.text }}"}}
      worse: {uses: text-to-image, with: {prompt: x, aspect_ratio: "${{ steps.words.text }}"}}
      fine: {uses: text-to-image, with: {prompt: "${{ steps.words.text }}"}}
    """
    bench = Bench(text, executor=FakeExecutor({"words": Outputs(texts=("7:1",))}))
    results = await bench.run()
    assert statuses(results) == {"words": "succeeded", "bad": "failed", "worse": "failed", "fine": "not-run"}
    assert bench.executor.nodes == ["words"]  # nothing is paid for beside a known failure


class UnforeseenError(Exception):
    """Something nobody thought of."""


async def test_what_nobody_thought_of_is_raised_after_what_runs_has_ended() -> None:
    bug = UnforeseenError("oh")
    bench = Bench(WIDE, executor=FakeExecutor({"s0": bug}, usual=5.0, seconds={"s0": 1.0}))
    with pytest.raises(UnforeseenError) as caught:
        await bench.run()
    assert caught.value is bug
    assert bench.log.index("end s0") < bench.log.index("node.finished s1") < bench.log.index("node.finished s2")
    assert bench.journal.of("node.failed") == ["s0"]
    assert bench.executor.nodes == ["s0", "s1", "s2"]


async def test_a_step_that_is_cancelled_from_inside_does_not_hang_the_run() -> None:
    bench = Bench(DIAMOND, executor=FakeExecutor({"top": asyncio.CancelledError()}))
    with pytest.raises(RuntimeError, match="step `top` was cancelled from inside"):
        await asyncio.wait_for(bench.run(), timeout=60)


# --- interrupt and cancel --------------------------------------------------------------------------------------------


async def test_an_interrupt_starts_nothing_more_and_finishes_what_runs() -> None:
    bench = Bench(WIDE, executor=FakeExecutor(held=["s0", "s1", "s2"]))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("s2")
    bench.engine.interrupt()
    for node in ("s2", "s0", "s1"):
        bench.executor.release(node)
    results = await running
    assert statuses(results) == {f"s{at}": "succeeded" if at < 3 else "not-run" for at in range(7)}
    assert bench.executor.nodes == ["s0", "s1", "s2"]
    assert status_of(list(results.values()), interrupted=bench.engine.interrupted) == "interrupted"


async def test_an_interrupt_drops_what_waits_for_a_place_of_the_account() -> None:
    text = WIDE + "budget: {max_tasks: 9}\n"
    bench = Bench(text, executor=FakeExecutor(held=["s0"], crowded=["s1", "s2"]))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("s2")
    bench.engine.interrupt()
    bench.executor.release("s0")
    results = await running
    assert statuses(results) == {"s0": "succeeded"} | {f"s{at}": "not-run" for at in range(1, 7)}
    assert bench.journal.of("node.skipped") == ["s1", "s2"]
    assert status_of(list(results.values()), interrupted=True) == "interrupted"


async def test_a_failure_drops_what_waits_for_a_place_and_what_would_have_followed() -> None:
    text = """
    steps:
      bad: {uses: text-to-image, with: {prompt: x}}
      late: {uses: text-to-image, with: {prompt: y}}
      same: {uses: text-to-image, with: {prompt: y}}
      after: {uses: upscale, with: {image: "${{ steps.late.image }}", scale: 2x}}
    """
    executor = FakeExecutor({"bad": failure()}, seconds={"bad": 1.0}, crowded=["late"])
    found = statuses(await Bench(text, executor=executor).run())
    assert found == {"bad": "failed", "late": "not-run", "same": "not-run", "after": "not-run"}


async def test_an_interrupt_before_the_start_runs_nothing() -> None:
    bench = Bench(DIAMOND)
    bench.engine.interrupt()
    assert set(statuses(await bench.run()).values()) == {"not-run"}
    assert bench.executor.calls == []


async def test_an_interrupt_too_late_changes_nothing() -> None:
    bench = Bench(DIAMOND, executor=FakeExecutor(held=["bottom"]))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("bottom")
    bench.engine.interrupt()
    bench.executor.release("bottom")
    results = list((await running).values())
    assert status_of(results, interrupted=True) == "succeeded"


async def test_an_interrupt_while_nodes_are_settled_still_starts_nothing() -> None:
    first = Bench("steps: {cached: {uses: text-to-image, with: {prompt: cached}}}")
    await first.run()
    text = WIDE + "  cached: {uses: text-to-image, with: {prompt: cached}}\n"
    second = first.again(text)

    def interrupt(event: Event) -> None:
        if event.type == "node.reused":
            second.engine.interrupt()

    second.journal.on_record = interrupt
    results = await second.run()
    assert second.executor.calls == []
    assert statuses(results) == {f"s{at}": "not-run" for at in range(7)} | {"cached": "succeeded"}


async def test_a_cancelled_run_cancels_its_calls_and_leaves_no_task_behind() -> None:
    bench = Bench(WIDE, executor=FakeExecutor(held=["s0", "s1", "s2"]), flight=SingleFlight(MemoryLocks()))
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("s2")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {"end s0", "end s1", "end s2"} <= set(bench.log)
    assert bench.cache.kept == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_how_a_run_ended() -> None:
    def of(*found: str, interrupted: bool = False) -> str:
        return status_of([NodeResult("n", each) for each in found], interrupted=interrupted)  # type: ignore[arg-type]

    assert of("succeeded", "skipped") == "succeeded"
    assert of("succeeded", "failed", "not-run") == "failed"
    assert of("failed", "unknown") == "unknown"
    assert of("succeeded", "not-run", interrupted=True) == "interrupted"
    assert of("succeeded", interrupted=True) == "succeeded"
    assert of() == "succeeded"
