"""Calls that earlier runs left open: what a plan makes of them, and that what is paid already is not paid again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from rhflow.core.plan.budget import judge
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.plan.former import Earlier, OpenCall, standing
from rhflow.core.plan.plan import Decision, InDoubt, Plan, Resume, Run
from rhflow.engine.ports import Report
from tests.fakes import FakeExecutor
from tests.support import Bench, plan_of, statuses

HERE = "https://www.runninghub.cn"
TEXT = """
budget: {max_cost: 0.25 CNY, max_tasks: 1}
steps:
  a: {uses: text-to-image, with: {prompt: a}}
  b: {uses: text-to-image, with: {prompt: b}}
"""


@dataclass
class Desk:
    """What is open, by key; ``asked`` are the keys that somebody wanted to know of."""

    calls: Mapping[str, OpenCall] = field(default_factory=dict)
    asked: list[Sequence[str]] = field(default_factory=list)

    def __call__(self, keys: Sequence[str]) -> Mapping[str, OpenCall]:
        self.asked.append(list(keys))
        return {key: self.calls[key] for key in keys if key in self.calls}


def key_of(node: str, text: str = TEXT) -> str:
    decision = plan_of(text).decisions[node]
    assert isinstance(decision, Run)
    return decision.call.key


def earlier(former: OpenCall, *nodes: str, text: str = TEXT, **told: Any) -> Earlier:
    return Earlier(Desk({key_of(node, text): former for node in nodes}), HERE, **told)


def of(plan: Plan, node: str) -> Decision:
    return plan.decisions[node]


TASK = OpenCall("run-0", 100.0, "t1", HERE)
UNKNOWN = OpenCall("run-0", 100.0, None, HERE)


def test_a_task_of_an_earlier_run_is_taken_up_and_costs_nothing_new() -> None:
    bench = Bench(TEXT, earlier=earlier(TASK, "a"))
    plan = bench.plan()
    found = of(plan, "a")
    assert isinstance(found, Resume) and found.former is TASK
    assert isinstance(of(plan, "b"), Run)
    assert [(each.low, each.high) for each in plan.cost.sums] == [(Decimal("0.2"), Decimal("0.2"))]
    assert [each.low for each in plan.paid_already.sums] == [Decimal("0.2")]
    assert judge(bench.pipeline, plan).answer == "fits"
    assert judge(bench.pipeline, plan_of(TEXT)).answer == "exceeds"


async def test_a_run_does_not_count_what_it_takes_up() -> None:
    bench = Bench(TEXT, earlier=earlier(TASK, "a", "b"))
    assert statuses(await bench.run()) == {"a": "succeeded", "b": "succeeded"}
    assert bench.engine.over_budget is None
    assert Bench(TEXT).engine.over_budget is None
    bench = Bench(TEXT)
    assert statuses(await bench.run())["b"] == "not-run"
    assert bench.engine.over_budget is not None


def test_the_store_is_asked_once_and_only_for_what_would_run() -> None:
    desk = Desk()
    plan_of(TEXT, earlier=Earlier(desk, HERE))
    assert desk.asked == [[key_of("a"), key_of("b")]]


class Anew(FakeExecutor):
    """What was to be taken up turns out to have to be sent."""

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        await report("submit.intent", {})
        return await super().execute(call, report)


@pytest.mark.parametrize("jobs", [1, 3])
async def test_what_was_to_be_taken_up_is_not_sent_anew_beyond_the_budget(jobs: int) -> None:
    text = f"{TEXT}  same: {{uses: text-to-image, with: {{prompt: b}}}}\n"
    bench = Bench(text, pools={"account": jobs}, executor=Anew(), earlier=earlier(TASK, "b", text=text))
    assert statuses(await bench.run()) == {"a": "succeeded", "b": "not-run", "same": "not-run"}
    assert bench.engine.over_budget is not None and "its budget is 0.25 CNY" in bench.engine.over_budget.message
    assert [each.node for each in bench.journal.events if each.type == "submit.intent"] == ["a"]


async def test_what_is_in_the_store_is_reused_whatever_is_open() -> None:
    bench = Bench(TEXT.replace("0.25 CNY, max_tasks: 1", "9 CNY"))
    await bench.run()
    desk = Desk()
    bench.again(earlier=Earlier(desk, HERE)).plan()
    assert desk.asked == []


@pytest.mark.parametrize(("said", "kind"), [("fail", InDoubt), ("wait", InDoubt), ("resubmit", Run)])
def test_a_call_of_unknown_outcome_is_in_doubt_until_the_user_pays_again(said: Any, kind: type) -> None:
    plan = plan_of(TEXT, earlier=earlier(UNKNOWN, "a", on_unknown=said))
    found = of(plan, "a")
    assert isinstance(found, kind)
    if isinstance(found, Run):
        assert found.again and "run-0" in found.reasons[0] and found.estimate.low == Decimal("0.2")
    elif isinstance(found, InDoubt):
        assert (found.elsewhere, found.on_unknown, found.price.low) == (False, said, Decimal("0.2"))
        assert plan.cost.sums[0].high == Decimal("0.2"), "that of `b` alone"


def test_what_the_user_answers_counts_from_then_on() -> None:
    bench = Bench(TEXT, earlier=earlier(UNKNOWN, "a"))
    assert isinstance(bench.planner.decide(["a"])["a"], InDoubt)
    bench.planner.told("resubmit")
    assert isinstance(bench.planner.decide(["a"])["a"], Run)


def test_what_another_run_is_at_is_waited_for() -> None:
    busy = OpenCall("run-0", 100.0, None, "http://elsewhere", running=True)
    assert isinstance(of(plan_of(TEXT, earlier=earlier(busy, "a")), "a"), Resume)
    text = TEXT.replace(
        "{uses: text-to-image, with: {prompt: a}}", "{uses: text-to-image, cache: false, with: {prompt: a}}"
    )
    assert isinstance(of(plan_of(text, earlier=earlier(busy, "a", text=text)), "a"), Run)
    assert isinstance(of(plan_of(text, earlier=earlier(TASK, "a", text=text)), "a"), Resume)


@pytest.mark.parametrize(
    ("site", "task", "realm", "forgetful", "expected"),
    [
        (HERE, "t1", "live", False, "task"),
        (None, "t1", "live", False, "task"),
        (HERE, None, "live", False, "unknown"),
        ("https://other", "t1", "live", False, "elsewhere"),
        ("https://other", None, "live", False, "elsewhere"),
        ("http://127.0.0.1:1", "t1", "simulated", False, "lost"),
        (HERE, "t1", "simulated", False, "task"),
        (HERE, "t1", "simulated", True, "lost"),
    ],
)
def test_how_an_open_call_stands(
    site: str | None, task: str | None, realm: Any, forgetful: bool, expected: str
) -> None:
    call = OpenCall("run-0", 1.0, task, site)
    assert standing(call, site=HERE, realm=realm, forgetful=forgetful) == expected


def test_equal_calls_take_one_task_up_once() -> None:
    text = TEXT.replace("prompt: b", "prompt: a")
    plan = plan_of(text, earlier=earlier(TASK, "a", text=text))
    second = of(plan, "b")
    assert isinstance(of(plan, "a"), Resume)
    assert isinstance(second, Run) and second.reasons == ("the same call as `a`",)
