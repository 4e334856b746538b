"""The loop: what runs together, what is recorded when, what equal calls share."""

from __future__ import annotations

import asyncio

from rhflow.core.plan.calls import StepResult
from rhflow.engine.flight import SingleFlight
from tests.fakes import FakeExecutor, FakeFlight, MemoryJournal, MemoryLocks, outputs_of
from tests.support import DIAMOND, WIDE, Bench, failure, files, statuses

# --- order -----------------------------------------------------------------------------------------------------------


async def test_a_diamond_runs_its_sides_together() -> None:
    bench = Bench(DIAMOND, executor=FakeExecutor(usual=5.0))
    results = await bench.run()
    assert statuses(results) == dict.fromkeys(["top", "left", "right", "bottom"], "succeeded")
    assert [line for line in bench.log if line.startswith(("start", "end"))] == [
        "start top", "end top", "start left", "start right", "end left", "end right", "start bottom", "end bottom",
    ]  # fmt: skip
    assert bench.executor.now == 15.0


async def test_as_many_run_as_the_pool_holds() -> None:
    bench = Bench(WIDE, executor=FakeExecutor(usual=1.0))
    await bench.run()
    assert bench.executor.most == 3
    assert bench.executor.now == 3.0  # 7 calls, 3 at a time


async def test_a_place_is_free_again_when_a_call_ends_not_when_all_have() -> None:
    bench = Bench(WIDE, executor=FakeExecutor(usual=1.0, seconds={"s0": 10.0}))
    await bench.run()
    assert bench.executor.most == 3
    assert bench.executor.now == 10.0


async def test_kinds_count_against_their_own_pools() -> None:
    text = WIDE + "".join(f"  up{at}: {{uses: upload, with: {{file: f{at}}}}}\n" for at in range(4))
    bench = Bench(text, local=files("f0", "f1", "f2", "f3"), executor=FakeExecutor(usual=1.0))
    await bench.run()
    assert bench.executor.most == 5  # 3 on the account, 2 transfers


async def test_the_longest_path_starts_first() -> None:
    text = """
    steps:
      short: {uses: text-to-image, with: {prompt: a}}
      long: {uses: text-to-image, with: {prompt: b}}
      clip: {uses: image-to-video, with: {prompt: c, image: "${{ steps.long.image }}"}}
    """
    bench = Bench(text, executor=FakeExecutor(usual=1.0), pools={"account": 1})
    await bench.run()
    assert bench.executor.nodes == ["long", "clip", "short"]


async def test_what_a_step_gave_goes_into_the_next() -> None:
    bench = Bench(DIAMOND)
    results = await bench.run()
    bottom = bench.executor.calls[-1]
    made = [results[side].entry.outputs.files[0] for side in ("left", "right")]  # type: ignore[union-attr]
    assert list(bottom.inputs["imageUrls"]) == made


# --- the cache -------------------------------------------------------------------------------------------------------


async def test_a_second_run_carries_nothing_out() -> None:
    first = Bench(DIAMOND)
    await first.run()
    second = first.again()
    results = await second.run()
    assert second.executor.calls == []
    assert all(each.cached for each in results.values())
    assert second.journal.of("node.reused") == ["top", "left", "right", "bottom"]


async def test_a_cache_hit_takes_no_place_in_a_pool() -> None:
    first = Bench(WIDE)
    await first.run()
    text = WIDE + "  held: {uses: text-to-image, with: {prompt: held}}\n"
    second = first.again(text, executor=FakeExecutor(held=["held"]), pools={"account": 1})
    running = asyncio.create_task(second.run())
    await second.executor.begun("held")
    assert len(second.journal.of("node.reused")) == 7  # all of them, while the only place was taken
    second.executor.release("held")
    assert set(statuses(await running).values()) == {"succeeded"}


async def test_results_are_kept_with_what_they_were_made_of() -> None:
    bench = Bench("steps: {a: {uses: text-to-image, with: {prompt: x}}}")
    entry = (await bench.run())["a"].entry
    assert entry is not None
    call = bench.executor.calls[0]
    assert bench.cache.kept[call.key] == entry
    assert (entry.key, entry.ingredients, entry.model) == (call.key, call.ingredients, "nano-banana-t2i-official")
    assert entry.created == 1_000_000.0


TWINS = """
steps:
  one: {uses: text-to-image, with: {prompt: same}}
  two: {uses: text-to-image, with: {prompt: same}}
"""


async def test_equal_calls_of_one_run_are_made_once() -> None:
    bench = Bench(TWINS, executor=FakeExecutor(usual=1.0), flight=SingleFlight(MemoryLocks()))
    results = await bench.run()
    assert bench.executor.nodes == ["one"]
    assert results["two"].cached
    assert results["one"].entry == results["two"].entry
    assert bench.journal.of("node.reused") == ["two"]
    assert bench.journal.of("node.started") == ["one"]


async def test_without_cache_equal_calls_are_made_each_but_never_at_the_same_time() -> None:
    text = TWINS.replace("uses", "cache: false, uses")
    bench = Bench(text, executor=FakeExecutor(usual=1.0), flight=SingleFlight(MemoryLocks()))
    await bench.run()
    assert bench.executor.nodes == ["one", "two"]
    assert bench.executor.most == 1


async def test_two_runs_that_need_the_same_make_it_once() -> None:
    locks = MemoryLocks()
    text = "steps: {one: {uses: text-to-image, with: {prompt: same}}}"
    executor = FakeExecutor(held=["one"])
    left = Bench(text, executor=executor, flight=SingleFlight(locks))
    right = Bench(text, executor=executor, flight=SingleFlight(locks), cache=left.cache)
    both = [asyncio.create_task(left.run()), asyncio.create_task(right.run())]
    await executor.begun("one")
    await locks.refused.wait()  # the other has come to the lock
    executor.release("one")
    results = [(await each)["one"] for each in both]
    assert executor.nodes == ["one"]
    assert sorted(each.cached for each in results) == [False, True]
    assert locks.held == set()


async def test_a_failed_call_frees_its_key_for_the_next() -> None:
    locks = MemoryLocks()
    script = {"one": failure()}
    bench = Bench(TWINS, executor=FakeExecutor(script), flight=SingleFlight(locks))
    await bench.run()
    assert locks.held == set()
    again = bench.again(executor=FakeExecutor(), flight=SingleFlight(locks))
    assert set(statuses(await again.run()).values()) == {"succeeded"}


async def test_every_call_holds_its_key() -> None:
    flight = FakeFlight()
    bench = Bench(DIAMOND, flight=flight)
    await bench.run()
    assert flight.keys == [call.key for call in bench.executor.calls]


# --- recording -------------------------------------------------------------------------------------------------------


async def test_a_paid_result_is_findable_before_it_is_settled_and_settled_before_it_is_told() -> None:
    result = StepResult(outputs_of("image", "x"), seconds=2.0, task_id="task-7")
    bench = Bench("steps: {a: {uses: text-to-image, with: {prompt: x}}}", executor=FakeExecutor({"a": result}))
    await bench.run()
    assert bench.log == [
        "node.started a", "start a", "end a", "put a", "submit.settled a", "node.finished a",
    ]  # fmt: skip
    settled = next(event for event in bench.journal.events if event.type == "submit.settled")
    assert settled.data == {"key": bench.executor.calls[0].key, "outcome": "succeeded"}


async def test_a_result_that_was_not_paid_for_is_not_settled() -> None:
    bench = Bench("steps: {a: {uses: upload, with: {file: f}}}", local=files("f"))
    await bench.run()
    assert bench.log == ["node.started a", "start a", "end a", "put a", "node.finished a"]


async def test_the_facts_of_a_finished_node() -> None:
    bench = Bench("steps: {a: {uses: text-to-image, with: {prompt: x}}}")
    await bench.run()
    started, finished = bench.journal.events
    assert (started.data["model"], started.data["kind"]) == ("nano-banana-t2i-official", "text-to-image")
    assert finished.data["files"] == ["a.png"]
    assert finished.data["seconds"] == 1.0


async def test_a_journal_that_yields_changes_nothing() -> None:
    pause = frozenset({"node.started", "node.finished", "node.reused"})
    bench = Bench(DIAMOND, executor=FakeExecutor(usual=1.0), journal=MemoryJournal(pause=pause))  # type: ignore[arg-type]
    assert set(statuses(await bench.run()).values()) == {"succeeded"}


async def test_what_is_reported_from_inside_a_call_carries_its_key() -> None:
    class Reporting(FakeExecutor):
        async def execute(self, call, report):  # type: ignore[no-untyped-def]
            await report("submit.intent", {"endpoint": "e"}, durable=True)
            return await super().execute(call, report)

    bench = Bench("steps: {a: {uses: text-to-image, with: {prompt: x}}}", executor=Reporting())
    await bench.run()
    intent = next(event for event in bench.journal.events if event.type == "submit.intent")
    call = bench.executor.calls[0]
    told = intent.data.pop("call")
    assert (intent.node, intent.data) == ("a", {"key": call.key, "endpoint": "e"})
    assert told["ingredients"] == call.ingredients, "with them the result can be kept without the recipe"
    assert (told["kind"], told["model"], told["price"]) == ("text-to-image", "nano-banana-t2i-official", "0.2 CNY")


# --- size ------------------------------------------------------------------------------------------------------------


async def test_a_thousand_cached_steps_in_a_row_need_no_depth() -> None:
    lines = ["  s0: {uses: text-to-text, with: {prompt: x}}"]
    lines += [
        f"  s{at}: {{uses: text-to-text, with: {{prompt: '${{{{ steps.s{at - 1}.text }}}}'}}}}" for at in range(1, 1500)
    ]
    bench = Bench("steps:\n" + "\n".join(lines))
    assert set(statuses(await bench.run()).values()) == {"succeeded"}
    again = bench.again()
    assert set(statuses(await again.run()).values()) == {"succeeded"}
    assert again.executor.calls == []
