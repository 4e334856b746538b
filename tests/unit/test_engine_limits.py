"""Limits of a run: paid attempts and no more, named pools, and the budget before it starts and while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from rhflow.core.errors import Problem, RhflowError, StepTimeoutError, TransientError, UnknownOutcomeError
from rhflow.core.plan.budget import plan_problems
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Money, Outputs
from rhflow.engine.outcome import status_of
from tests.fakes import FakeExecutor, Make, default_outputs
from tests.support import Bench, statuses
from tests.unit.test_engine_loops import GROWS, broken


def passing(message: str = "busy") -> TransientError:
    return TransientError(Problem("api-1015", message))


def too_slow() -> StepTimeoutError:
    return StepTimeoutError(Problem("timeout", "not done"))


def attempts(*outcomes: RhflowError | None) -> Make:
    """Return what a call gives each time it is made: an error, or what it gives as a rule."""
    left = list(outcomes)

    def make(call: StepCall) -> Outputs:
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome
        return default_outputs(call)

    return make


def billed(amount: str | None) -> Callable[[StepCall], Any]:
    """Return what gives the usual outputs and a bill."""
    cost = None if amount is None else Money(Decimal(amount))
    return lambda call: StepResult(default_outputs(call), seconds=1.0, cost=cost)


# --- paid attempts ---------------------------------------------------------------------------------------------------

RETRY = "steps: {s: {uses: text-to-image, RETRY, with: {prompt: x}}, t: {uses: text-to-text, with: {prompt: y}}}"


def retried(rule: str, *outcomes: RhflowError | None, **told: Any) -> Bench:
    text = RETRY.replace("RETRY", rule)
    return Bench(text, executor=FakeExecutor({"s": attempts(*outcomes)}, seconds={"t": 0.0}), **told)


async def test_a_task_that_failed_is_paid_again_as_often_as_allowed() -> None:
    bench = retried("retry: {max: 2}", passing(), passing(), None)
    assert statuses(await bench.run())["s"] == "succeeded"
    assert bench.executor.nodes.count("s") == 3
    told = [event.data for event in bench.journal.events if event.data.get("status") == "RETRY"]
    assert [(each["left"], each["why"]) for each in told] == [(2, "busy"), (1, "busy")]


async def test_and_not_once_more() -> None:
    bench = retried("retry: {max: 2}", passing("1"), passing("2"), passing("3"))
    error = (await bench.run())["s"].error
    assert error is not None
    assert error.problems[0].message == "3"
    assert bench.executor.nodes.count("s") == 3


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("description: no rule", passing()),
        ("retry: {max: 0}", passing()),
        ("retry: {max: 3}", broken()),
        ("retry: {max: 3}", too_slow()),
        ("retry: {max: 3, on: [timeout]}", passing()),
        ("retry: {max: 3}", UnknownOutcomeError(Problem("submit-unknown", "who knows"))),
    ],
)
async def test_nothing_else_is_paid_again(rule: str, error: RhflowError) -> None:
    bench = retried(rule, error)
    assert statuses(await bench.run())["s"] in ("failed", "unknown")
    assert bench.executor.nodes.count("s") == 1


async def test_a_timeout_may_be_paid_again_and_gives_the_first_task_up() -> None:
    bench = retried("timeout: 5m, retry: {max: 1, on: [failed, timeout]}", too_slow(), None)
    assert statuses(await bench.run())["s"] == "succeeded"
    settled = [event.data["outcome"] for event in bench.journal.events if event.type == "submit.settled"]
    assert settled[0] == "abandoned"
    assert bench.executor.calls[0].timeout == 300.0


async def test_a_timeout_without_that_is_a_failure_that_leaves_the_task_to_be_resumed() -> None:
    bench = retried("timeout: 1.5, retry: {max: 1}", too_slow())
    assert statuses(await bench.run())["s"] == "failed"
    assert "submit.settled s" not in bench.log
    assert bench.executor.calls[0].timeout == 1.5


async def test_items_are_tried_again_one_by_one() -> None:
    text = 'steps: {s: {uses: text-to-image, foreach: [a, b], retry: {max: 1}, with: {prompt: "${{ item }}"}}}'
    bench = Bench(text, executor=FakeExecutor({"s[a]": attempts(passing(), None)}))
    assert statuses(await bench.run()) == {"s[a]": "succeeded", "s[b]": "succeeded"}
    assert sorted(bench.executor.nodes) == ["s[a]", "s[a]", "s[b]"]


async def test_once_the_run_is_to_stop_nothing_is_paid_again() -> None:
    bench = Bench(
        RETRY.replace("RETRY", "retry: {max: 3}"), executor=FakeExecutor({"s": attempts(passing(), None)}, held=["s"])
    )
    running = asyncio.create_task(bench.run())
    await bench.executor.begun("s")
    bench.engine.interrupt()
    bench.executor.release("s")
    assert statuses(await running)["s"] == "failed"
    assert bench.executor.nodes.count("s") == 1


# --- pools -----------------------------------------------------------------------------------------------------------

POOLED = """
steps:
  a: {uses: text-to-image, variations: 4, pool: gpu, with: {prompt: a}}
  b: {uses: text-to-image, variations: 4, with: {prompt: b}}
"""


async def test_a_named_pool_holds_one_at_a_time_unless_told_otherwise() -> None:
    bench = Bench(POOLED, executor=FakeExecutor(usual=1.0), pools={"account": 8})
    await bench.run()
    assert (bench.executor.most, bench.executor.now) == (5, 4.0)
    wider = Bench(POOLED, executor=FakeExecutor(usual=1.0), pools={"account": 8, "gpu": 2})
    await wider.run()
    assert (wider.executor.most, wider.executor.now) == (6, 2.0)


async def test_a_named_pool_is_a_limit_besides_the_usual_one() -> None:
    bench = Bench(POOLED, executor=FakeExecutor(usual=1.0), pools={"account": 2, "gpu": 8})
    await bench.run()
    assert bench.executor.most == 2


async def test_the_usual_pool_by_its_name_counts_once() -> None:
    text = "steps: {a: {uses: text-to-image, variations: 4, pool: account, with: {prompt: a}}}"
    bench = Bench(text, executor=FakeExecutor(usual=1.0), pools={"account": 2})
    await bench.run()
    assert bench.executor.most == 2


# --- budget ----------------------------------------------------------------------------------------------------------

COSTLY = """
budget: BUDGET
steps:
  s: {uses: text-to-image, variations: 5, RETRY with: {prompt: x}}
  up: {uses: upload, foreach: [], with: {file: "${{ item }}"}}
"""


def costly(budget: str, retry: str = "") -> str:
    return COSTLY.replace("BUDGET", budget).replace("RETRY", retry)


def refusals(text: str, *, allow_unknown: bool = False, **told: Any) -> list[str]:
    bench = Bench(text, **told)
    found = plan_problems(bench.pipeline, bench.plan(), allow_unknown=allow_unknown)
    assert all(each.span is not None for each in found)
    return [each.message for each in found]


def test_a_plan_above_its_budget_is_refused() -> None:
    assert refusals(costly("{max_cost: 1 CNY, max_tasks: 5}")) == []
    assert refusals(costly("{max_cost: 0.99 CNY}")) == ["the plan may cost 1 CNY, more than 0.99 CNY"]
    assert refusals(costly("{max_tasks: 4}")) == ["the plan makes 5 paid calls, more than 4"]
    assert len(refusals(costly("{max_cost: 0.5, max_tasks: 4}"))) == 2


def test_an_unknown_price_is_refused_unless_it_is_allowed() -> None:
    text = GROWS.replace("steps:\n", "budget: {max_cost: 100 CNY}\nsteps:\n", 1)
    [message] = refusals(text)
    assert message.startswith("what the plan costs is not known")
    assert refusals(text, allow_unknown=True) == []
    assert refusals(costly("{max_cost: 100 USD}")) == ["what the plan costs is not known: 1 CNY"]


def test_a_loop_that_may_grow_into_nothing_paid_is_no_reason_to_refuse() -> None:
    text = """
    budget: {max_cost: 1 CNY}
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      up: {uses: upload, foreach: "${{ steps.words.json }}", with: {file: "${{ item }}"}}
    """
    assert refusals(text) == []


def test_what_is_skipped_or_reused_does_not_count() -> None:
    assert refusals(costly("{max_cost: 0.5 CNY}", "if: variation < 3,")) == []


async def test_a_run_stops_when_its_money_is_spent() -> None:
    text = costly("{max_cost: 1 CNY}")
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"text-to-image": billed("0.4")}))
    results = await bench.run()
    assert list(statuses(results).values()) == ["succeeded"] * 3 + ["not-run"] * 2
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == "the run has cost 1.2 CNY, and its budget is 1 CNY"
    assert status_of(list(results.values()), interrupted=False, over_budget=True) == "over-budget"


async def test_a_bill_that_is_not_told_counts_as_much_as_the_list_says() -> None:
    text = costly("{max_cost: 0.4 CNY}")
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"text-to-image": billed(None)}))
    assert list(statuses(await bench.run()).values()).count("succeeded") == 2


async def test_money_of_another_kind_is_not_counted_as_if_it_were_the_same() -> None:
    coins = StepResult(Outputs(texts=("x",)), cost=Money(Decimal(50), "coins"))
    bench = Bench(costly("{max_cost: 1 CNY}"), executor=FakeExecutor({"text-to-image": coins}))
    assert set(statuses(await bench.run()).values()) == {"succeeded"}


async def test_a_run_makes_so_many_paid_calls_and_no_more() -> None:
    bench = Bench(costly("{max_tasks: 2}"))
    results = await bench.run()
    assert list(statuses(results).values()).count("succeeded") == 2
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == "the run has made 2 paid calls, and its budget is 2"


async def test_new_attempts_count_too() -> None:
    text = costly("{max_tasks: 5}", "retry: {max: 9},")
    failing = attempts(*[passing()] * 9, None)
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"s[1]": failing}))
    found = statuses(await bench.run())
    assert found["s[1]"] == "failed"
    assert bench.executor.nodes == ["s[1]"] * 5


async def test_what_is_reused_costs_nothing() -> None:
    first = Bench(costly("{max_tasks: 5}"))
    await first.run()
    again = first.again(costly("{max_tasks: 0}"))
    assert set(statuses(await again.run()).values()) == {"succeeded"}
