"""Whether a plan, or a run so far, stays within its budget. An unknown price is never counted as nothing."""

from __future__ import annotations

from decimal import Decimal

from rhflow.core.cost import Estimate, plain
from rhflow.core.errors import Problem
from rhflow.core.plan.plan import Later, Plan, Run, Wait
from rhflow.core.recipe.document import Budget, Pipeline
from rhflow.core.values import Money

_RAISE = "raise it under `budget`, or leave something out"


def plan_problems(pipeline: Pipeline, plan: Plan, *, allow_unknown: bool) -> list[Problem]:
    """Return why a plan may not start: its upper bound is above the budget, or not known."""
    budget, found = pipeline.budget, []
    tasks = sum(_paid(each) for each in plan.decisions.values())
    if budget.max_tasks is not None and tasks > budget.max_tasks:
        found.append(
            _problem(pipeline, "max_tasks", f"the plan makes {tasks} paid calls, more than {budget.max_tasks}")
        )
    if budget.max_cost is None:
        return found
    cost, limit = plan.cost, _amount(budget)
    if cost.high is None or (cost.high and cost.currency != budget.currency):
        if not allow_unknown:
            hint = "`--allow-unknown-cost` runs it all the same; it stops when the budget is spent"
            found.append(_problem(pipeline, "max_cost", f"what the plan costs is not known: {cost}", hint))
    elif cost.high > budget.max_cost:
        found.append(
            _problem(pipeline, "max_cost", f"the plan may cost {plain(cost.high)} {cost.currency}, more than {limit}")
        )
    return found


def _paid(decision: object) -> bool:
    match decision:
        case Run(call):
            return call.kind.paid
        case Wait(draft):
            return draft.kind.paid
        case _:
            return isinstance(decision, Later)


def _amount(budget: Budget) -> str:
    return f"{plain(budget.max_cost or Decimal(0))} {budget.currency}"


def _problem(pipeline: Pipeline, key: str, message: str, hint: str = _RAISE) -> Problem:
    return pipeline.problem("over-budget", message, ("budget", key), hint=hint)


class Spending:
    """What a run has spent, and whether it may go on."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._tasks = 0
        self._spent = Decimal(0)

    def started(self) -> None:
        """Count a paid call."""
        self._tasks += 1

    def spared(self) -> None:
        """Take back a call that was not made: somebody else had its result meanwhile."""
        self._tasks -= 1

    def paid(self, cost: Money | None, price: Estimate) -> None:
        """Count what a call was billed, or at most costs by the list where the bill does not say."""
        if cost is None and price.high is not None:
            cost = Money(price.high, price.currency)
        if cost is not None and cost.currency == self._pipeline.budget.currency:
            self._spent += cost.amount

    def exhausted(self) -> Problem | None:
        """Return why nothing more may start, or None."""
        budget = self._pipeline.budget
        if budget.max_cost is not None and self._spent and self._spent >= budget.max_cost:
            message = f"the run has cost {plain(self._spent)} {budget.currency}, and its budget is {_amount(budget)}"
            return _problem(self._pipeline, "max_cost", message)
        if budget.max_tasks is not None and self._tasks >= budget.max_tasks:
            message = f"the run has made {self._tasks} paid calls, and its budget is {budget.max_tasks}"
            return _problem(self._pipeline, "max_tasks", message)
        return None
