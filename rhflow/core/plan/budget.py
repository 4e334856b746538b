"""Whether a plan, or a run so far, stays within its budget. An unknown price is never counted as nothing.

A budget names the currencies that may be spent: what is paid in another one is never within it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from rhflow.core.cost import ZERO, Estimate, plain
from rhflow.core.errors import Problem
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.plan import Later, Plan, Run, Wait
from rhflow.core.recipe.document import Budget, Pipeline, Step
from rhflow.core.values import Money

_ALL_THE_SAME = (
    "with `--allow-unknown-cost` a run begins calls of unknown price until the bills reach the budget; what is open "
    "then may go beyond it"
)
_RAISE = "raise it under `budget`, or leave something out"
_NOTHING = "a budget of 0 lets nothing be paid: raise it, or leave these calls out"
Answer: TypeAlias = Literal["fits", "may-exceed", "exceeds", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a plan is within its budget, and for what reasons ``rhflow run`` refuses it, if any."""

    answer: Answer
    problems: tuple[Problem, ...] = ()


def judge(pipeline: Pipeline, plan: Plan, *, allow_unknown: bool = False) -> Verdict:
    """Hold a plan against its budget: by what it costs at most, or at least where no more is known."""
    found = [*_task_problems(pipeline, plan), *_cost_problems(pipeline, plan, allow_unknown=allow_unknown)]
    worst: Answer = next((answer for answer in _WORST_FIRST if any(each == answer for each, _ in found)), "fits")
    return Verdict(worst, tuple(problem for _, problem in found))


_WORST_FIRST: tuple[Answer, ...] = ("exceeds", "may-exceed", "unknown")
_Found: TypeAlias = Iterator[tuple[Answer, Problem]]


def limits_in_words(budget: Budget) -> str:
    """Return what a budget allows, as in ``12 CNY + 500 coins, 20 paid calls``; empty where it allows everything."""
    calls = [] if budget.max_tasks is None else [f"{budget.max_tasks} paid call{'' if budget.max_tasks == 1 else 's'}"]
    return ", ".join([*([_named(budget)] if budget.max_cost else []), *calls])


def _named(budget: Budget) -> str:
    return " + ".join(map(_words, budget.max_cost))


def _task_problems(pipeline: Pipeline, plan: Plan) -> _Found:
    most = pipeline.budget.max_tasks
    tasks = sum(map(_paid, _priced(plan)))
    if most is not None and tasks > most:
        message = f"the plan makes {tasks} paid calls, more than {most}"
        sure = sum(_paid(each) and (isinstance(each, Run) or bool(each.estimate.low)) for each in _priced(plan))
        yield "exceeds" if sure > most else "may-exceed", _problem(pipeline, "max_tasks", message)


def _cost_problems(pipeline: Pipeline, plan: Plan, *, allow_unknown: bool) -> _Found:
    budget, cost = pipeline.budget, plan.cost
    if not budget.max_cost:
        return
    limits = {each.currency: each for each in budget.max_cost}
    nothing = not any(each.amount for each in budget.max_cost)
    if not cost.known and (nothing or not allow_unknown):
        what = f": {cost}" if cost.sums else ""
        hint = _NOTHING if nothing else _how_to_know(plan)
        yield "unknown", _problem(pipeline, "max_cost", f"what the plan costs is not known{what}", hint)
    told = {each.currency for each in cost.sums}
    open_ended = {part.currency for each in _priced(plan) for part in each.estimate.parts if not part.known}
    for currency in sorted(open_ended - told - limits.keys() - {""}):
        hint = f"write `max_cost: {_named(budget)} + 10 {currency}`, or leave these calls out"
        yield "unknown", _unnamed(pipeline, f"the plan makes calls that are paid in {currency}", currency, hint)
    for each in cost.sums:
        limit, bound = limits.get(each.currency), each.low if each.high is None else each.high
        sure = not each.learnt and each.low > (limit.amount if limit is not None else ZERO)
        answer: Answer = "exceeds" if sure else "may-exceed"
        may = f"the plan {'costs at least' if each.high is None else 'may cost'} {plain(bound)} {each.currency}"
        may += " (judging by the last calls)" if each.learnt else ""
        if limit is not None and bound > limit.amount:
            yield answer, _problem(pipeline, "max_cost", f"{may}, more than {_words(limit)}")
        elif limit is None and bound:
            hint = f"write `max_cost: {_named(budget)} + {plain(bound)} {each.currency}`, or leave these calls out"
            yield answer, _unnamed(pipeline, may, each.currency, hint)


def _priced(plan: Plan) -> Iterator[Run | Wait | Later]:
    return (each for each in plan.decisions.values() if isinstance(each, Run | Wait | Later))


def _how_to_know(plan: Plan) -> str:
    """Say what makes an unknown price known: which steps to run first, where a loop waits for them."""
    nodes, wanted = plan.graph.nodes, []
    for decision in plan.decisions.values():
        if isinstance(decision, Later) and not decision.estimate.known:
            first = [each for each in decision.on if isinstance(plan.decisions.get(each), Run | Wait)]
            wanted += [nodes[each].step.id for each in first]
    if not wanted:
        return _ALL_THE_SAME
    steps = " ".join(f"--until {each}" for each in dict.fromkeys(wanted))
    return f"`{steps}` runs first what tells how many calls there are; {_ALL_THE_SAME}"


def _paid(decision: Run | Wait | Later) -> bool:
    match decision:
        case Run(call):
            return call.kind.paid
        case Wait(draft):
            return draft.kind.paid
        case Later(_, estimate):
            return estimate.high != 0


def _words(limit: Money) -> str:
    return f"{plain(limit.amount)} {limit.currency}"


def _problem(pipeline: Pipeline, key: str, message: str, hint: str = _RAISE) -> Problem:
    return pipeline.problem("over-budget", message, ("budget", key), hint=hint)


def _unnamed(pipeline: Pipeline, what: str, currency: str, hint: str = _RAISE) -> Problem:
    return _problem(pipeline, "max_cost", f"{what}, and the budget names no {currency}", hint)


# --- before there is a plan ------------------------------------------------------------------------------------------


def currency_warnings(pipeline: Pipeline, kinds: Mapping[str, KindSpec], money: str) -> Iterator[Problem]:
    """Warn of a budget that does not name what the steps are paid with; ``money`` is that of the account's site."""
    named = {each.currency for each in pipeline.budget.max_cost}
    paid = [kinds[each] for each in dict.fromkeys(_kinds_in(pipeline.steps.values())) if each in kinds]
    for needed, what, own in (
        (money, "hosted models are paid in", any(each.paid and each.tasks for each in paid)),
        ("coins", "most accounts pay workflows and apps with", any(each.paid and not each.tasks for each in paid)),
    ):
        if named and own and needed not in named:
            message = f"{what} {needed}, which the budget does not name"
            if needed == "USD":
                message += ": this site is the international one"
            hint = f"add what may be spent, as in `max_cost: {_named(pipeline.budget)} + 10 {needed}`"
            found = pipeline.problem("budget-currency", message, ("budget", "max_cost"), hint=hint)
            yield replace(found, severity="warning")


def _kinds_in(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield step.kind
        if step.child is not None:
            yield from _kinds_in(step.child.steps.values())


# --- while it runs ---------------------------------------------------------------------------------------------------


class Spending:
    """What a run has spent and what its open calls may cost, and whether one more may begin.

    A call that begins is held at the upper bound of its price until its bill is there. So calls that run at the same
    time cannot exceed the budget together, as far as their prices are known. One that an earlier run made and paid for
    does not count, unless it has to be made anew after all.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._taken_up: set[str] = set()
        self._tasks = 0
        self._spent: dict[str, Decimal] = {}
        self._held: dict[str, Estimate] = {}

    def started(self, node: str, price: Estimate) -> None:
        """Count a paid call of a node, or one more attempt of it."""
        self._taken_up.discard(node)
        self._tasks += 1
        self._held[node] = price

    def taken_up(self, node: str) -> None:
        """Note that a node goes on with the open call of an earlier run."""
        self._taken_up.add(node)

    def sent(self, node: str, price: Estimate) -> Problem | None:
        """Note that a call is to be made: one that was to be taken up counts from here on, or why it may not begin."""
        if node not in self._taken_up:
            return None
        if (problem := self.refused(price)) is None:
            self.started(node, price)
        return problem

    def spared(self, node: str) -> None:
        """Take back a call that was not made: somebody else had its result meanwhile."""
        if node in self._taken_up:
            return
        self._tasks -= 1
        self._held.pop(node, None)

    def failed(self, node: str) -> None:
        """Note that nothing is charged for a node's call."""
        self._held.pop(node, None)

    def paid(self, node: str, cost: Money | None) -> None:
        """Count what a call was billed, or the upper bound of its price where the bill does not say."""
        if node in self._taken_up:
            return
        held = self._held.pop(node, Estimate())
        for each in held.parts if cost is None else cost.parts:
            amount = _bound(each, each.currency) if isinstance(each, Estimate) else each.amount
            self._spent[each.currency] = self._spent.get(each.currency, ZERO) + amount

    def refused(self, price: Estimate) -> Problem | None:
        """Return why a call at ``price`` may not begin, or None."""
        budget = self._pipeline.budget
        if budget.max_cost and price.high != 0 and (problem := self._too_dear(price)) is not None:
            return problem
        if budget.max_tasks is not None and self._tasks >= budget.max_tasks:
            message = f"the run has made {self._tasks} paid calls, and its budget is {budget.max_tasks}"
            return _problem(self._pipeline, "max_tasks", message)
        return None

    def _too_dear(self, price: Estimate) -> Problem | None:
        """Say why a call would go beyond the budget; one of unknown price may begin until that is reached."""
        pipeline, limits = self._pipeline, {each.currency: each for each in self._pipeline.budget.max_cost}
        for currency, amount in self._spent.items():
            if amount and currency not in limits:
                return _unnamed(pipeline, f"the run has cost {plain(amount)} {currency}", currency)
        for each in price.parts:
            if each.high != 0 and each.currency and each.currency not in limits:
                costs = "is paid in" if each.high is None else f"may cost {plain(each.high)}"
                return _unnamed(pipeline, f"the next call {costs} {each.currency}", each.currency)
        if not price.known and not any(limit.amount for limit in limits.values()):
            return _problem(pipeline, "max_cost", "what the next call costs is not known", _NOTHING)
        said = (self._beyond(price, limit) for limit in limits.values())
        return next((_problem(pipeline, "max_cost", message) for message in said if message is not None), None)

    def _beyond(self, price: Estimate, limit: Money) -> str | None:
        """Say why a call would go beyond one limit; what it costs in other currencies does not count here."""
        next_one = _bound(price, limit.currency)
        if price.known and not next_one:
            return None
        spent = self._spent.get(limit.currency, ZERO)
        held = sum((_bound(each, limit.currency) for each in self._held.values()), ZERO)
        reached = not price.known and spent > 0 and spent >= limit.amount
        if not reached and spent + held + next_one <= limit.amount:
            return None
        message = f"the run has cost {plain(spent)} {limit.currency}"
        if spent < limit.amount:
            message += f", what is open may cost {plain(held)}" if held else ""
            message += f", the next call may cost {plain(next_one)}" if next_one else ""
        return f"{message}, and its budget is {_words(limit)}"


def _bound(price: Estimate, currency: str) -> Decimal:
    """Return what a price is at least or, where that is known, at most in a currency."""
    found = (each.low if each.high is None else each.high for each in price.parts if each.currency == currency)
    return sum(found, ZERO)
