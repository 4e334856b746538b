"""Limits of a run: paid attempts and no more, named pools, and the budget before it starts and while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from rhflow.core.cost import UNKNOWN, Estimate
from rhflow.core.errors import Problem, RhflowError, StepTimeoutError, TransientError, UnknownOutcomeError
from rhflow.core.plan.budget import judge
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Money, Outputs
from rhflow.engine.outcome import status_of, told_of
from rhflow.engine.ports import Report
from tests.fakes import FakeExecutor, Make, MemoryCache, default_outputs
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
    found = judge(bench.pipeline, bench.plan(), allow_unknown=allow_unknown).problems
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
    assert refusals(text.replace("100 CNY", "0.01 CNY"), allow_unknown=True) == [
        "the plan costs at least 0.02 CNY, more than 0.01 CNY"
    ]


def test_every_currency_has_a_limit_of_its_own() -> None:
    assert refusals(costly("{max_cost: 100 USD}")) == ["the plan may cost 1 CNY, and the budget names no CNY"]
    assert len(refusals(costly("{max_cost: 100 USD}"), allow_unknown=True)) == 1, "it is not the price that is unknown"
    assert refusals(costly("{max_cost: 100 USD + 1 CNY}")) == []
    growing = GROWS.replace("steps:\n", "budget: {max_cost: 100 USD}\nsteps:\n", 1)
    assert refusals(growing) == [
        "what the plan costs is not known: at least 0.02 CNY",
        "the plan costs at least 0.02 CNY, and the budget names no CNY",
    ]
    assert refusals(costly("{max_cost: 100 USD + 0.5 CNY+0.4CNY}")) == ["the plan may cost 1 CNY, more than 0.9 CNY"]


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
    assert list(statuses(results).values()) == ["succeeded"] * 3 + ["not-run"] * 2 + ["empty"]
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == "the run has cost 1.2 CNY, and its budget is 1 CNY"
    assert status_of(list(results.values()), interrupted=False, over_budget=True) == "over-budget"


async def test_a_bill_that_is_not_told_counts_as_much_as_the_list_says() -> None:
    text = costly("{max_cost: 0.4 CNY}")
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"text-to-image": billed(None)}))
    assert list(statuses(await bench.run()).values()).count("succeeded") == 2


@pytest.mark.parametrize("jobs", [1, 5])
async def test_calls_at_the_same_time_cannot_exceed_the_budget_together(jobs: int) -> None:
    text = costly("{max_cost: 0.7 CNY}")
    bench = Bench(text, pools={"account": jobs}, executor=FakeExecutor({"text-to-image": billed("0.2")}))
    assert list(statuses(await bench.run()).values()) == ["succeeded"] * 3 + ["not-run"] * 2 + ["empty"]
    problem = bench.engine.over_budget
    assert problem is not None
    told = {
        1: "the run has cost 0.6 CNY, the next call may cost 0.2, and its budget is 0.7 CNY",
        5: "the run has cost 0 CNY, what is open may cost 0.6, the next call may cost 0.2, and its budget is 0.7 CNY",
    }
    assert problem.message == told[jobs]


async def test_a_price_that_was_learnt_holds_its_place_in_the_budget() -> None:
    text = """
    budget: {max_cost: 20 coins}
    steps: {s: {uses: comfyui, variations: 5, with: {workflow: "7"}}}
    """
    bills = [Money(Decimal(each), "coins") for each in (4, 7)]
    cache = MemoryCache(billed={"comfyui workflow=7": bills})
    dearer = StepResult(Outputs(texts=("x",)), cost=Money(Decimal(8), "coins"))
    bench = Bench(text, pools={"account": 1}, cache=cache, executor=FakeExecutor({"comfyui": dearer}))
    assert list(statuses(await bench.run()).values()) == ["succeeded"] * 2 + ["not-run"] * 3
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == (
        "the run has cost 16 coins, the next call may cost 7, and its budget is 20 coins"
    )


@pytest.mark.parametrize(
    ("error", "made"),
    [(broken(), 5), (too_slow(), 2), (UnknownOutcomeError(Problem("submit-unknown", "who knows")), 1)],
)
async def test_what_failed_gives_its_money_back_and_what_may_be_charged_yet_does_not(
    error: RhflowError, made: int
) -> None:
    text = costly("{max_cost: 0.4 CNY}", "on_error: continue,")
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"text-to-image": error}))
    await bench.run()
    assert len(bench.executor.nodes) == made


class Accepting(FakeExecutor):
    """The service accepts every call, and has a say on its end where a test wants that."""

    ends = False

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        await report("submit.intent", {})
        await report("submit.accepted", {"task_id": "7"})
        if self.ends:
            await report("submit.settled", {"outcome": "failed"})
        return await super().execute(call, report)


@pytest.mark.parametrize(("ends", "made"), [(True, 5), (False, 2)], ids=("the task failed", "its result is not had"))
async def test_a_task_that_was_accepted_counts_until_it_has_failed_at_the_service(ends: bool, made: int) -> None:
    executor = Accepting({"text-to-image": broken()})
    executor.ends = ends
    text = costly("{max_cost: 0.4 CNY}", "on_error: continue,")
    bench = Bench(text, pools={"account": 1}, executor=executor)
    await bench.run()
    assert len(bench.executor.nodes) == made
    assert (bench.engine.over_budget is None) == ends


async def test_a_task_that_is_given_up_for_a_new_one_counts_too() -> None:
    text = costly("{max_cost: 0.5 CNY}", "on_error: continue, retry: {max: 4, on: [timeout]},")
    bench = Bench(text, pools={"account": 1}, executor=FakeExecutor({"text-to-image": too_slow()}))
    await bench.run()
    assert bench.executor.nodes == ["s[1]", "s[1]"]


async def test_a_bill_without_a_list_price_is_noted_to_learn_from() -> None:
    text = 'steps: {a: {uses: comfyui, with: {workflow: "7"}}, b: {uses: text-to-image, with: {prompt: x}}}'
    bench = Bench(text)
    await bench.run()
    labels = {each.node: each.data.get("label") for each in bench.journal.events if each.type == "node.finished"}
    assert labels == {"a": "comfyui workflow=7", "b": None}
    told = [told_of(call, UNKNOWN if call.node == "a" else Estimate()) for call in bench.executor.calls]
    assert sorted(str(each.get("label")) for each in told) == ["None", "comfyui workflow=7"], "also without its recipe"


async def test_a_limit_that_is_reached_stops_only_what_costs_that_money() -> None:
    text = """
    budget: {max_cost: 0.4 CNY + 8 coins}
    steps:
      draw: {uses: text-to-image, variations: 2, with: {prompt: x}}
      flow: {uses: comfyui, variations: 3, needs: [draw], with: {workflow: "7"}}
    """
    cache = MemoryCache(billed={"comfyui workflow=7": [Money(Decimal(4), "coins")]})
    coins = StepResult(Outputs(texts=("x",)), cost=Money(Decimal(4), "coins"))
    script = {"text-to-image": billed("0.2"), "comfyui": coins}
    bench = Bench(text, pools={"account": 1}, cache=cache, executor=FakeExecutor(script))
    assert list(statuses(await bench.run()).values()) == ["succeeded"] * 4 + ["not-run"]
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == "the run has cost 8 coins, and its budget is 8 coins"


async def test_a_bill_in_money_that_the_budget_does_not_name_is_the_last_one() -> None:
    coins = StepResult(Outputs(texts=("x",)), cost=Money(Decimal(50), "coins"))
    one = {"account": 1}
    bench = Bench(costly("{max_cost: 1 CNY}"), pools=one, executor=FakeExecutor({"text-to-image": coins}))
    assert list(statuses(await bench.run()).values()).count("succeeded") == 1
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == "the run has cost 50 coins, and the budget names no coins"
    named = Bench(costly("{max_cost: 1 CNY + 250 coins}"), pools=one, executor=FakeExecutor({"text-to-image": coins}))
    assert "not-run" not in statuses(await named.run()).values()


async def test_a_bill_of_money_and_coins_counts_as_both() -> None:
    both = StepResult(Outputs(texts=("x",)), cost=Money(Decimal("0.2"), also=(Money(Decimal(5), "coins"),)))
    cache = MemoryCache(billed={"comfyui workflow=7": [Money(Decimal("0.2"), also=(Money(Decimal(5), "coins"),))]})
    text = """
    budget: {max_cost: 10 CNY + 12 coins}
    steps: {flow: {uses: comfyui, variations: 3, with: {workflow: "7"}}}
    """
    assert refusals(text, cache=cache) == ["the plan may cost 15 coins (judging by the last calls), more than 12 coins"]
    bench = Bench(text, pools={"account": 1}, cache=cache, executor=FakeExecutor({"comfyui": both}))
    assert list(statuses(await bench.run()).values()) == ["succeeded"] * 2 + ["not-run"]
    assert bench.engine.over_budget is not None
    assert bench.engine.over_budget.message == (
        "the run has cost 10 coins, the next call may cost 5, and its budget is 12 coins"
    )


def test_a_budget_of_nothing_lets_nothing_begin_whose_price_is_unknown() -> None:
    growing = GROWS.replace("steps:\n", "budget: {max_cost: 0}\nsteps:\n", 1)
    assert "what the plan costs is not known: at least 0.02 CNY" in refusals(growing, allow_unknown=True)


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
    assert set(statuses(await again.run()).values()) == {"succeeded", "empty"}
