"""The call of one node: kept from being made twice, made, made again where the author pays for that, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.core.cost import Estimate
from rhflow.core.errors import BudgetError, RhflowError, StepTimeoutError, TransientError
from rhflow.core.events import EventType
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.planner import Planner
from rhflow.core.values import Entry
from rhflow.engine.outcome import NodeResult, facts_of, label_to_learn, told_of
from rhflow.engine.ports import Ports


class Attempts:
    """Makes calls. ``prices`` are those of the nodes; after ``stop`` no call is made again."""

    def __init__(self, planner: Planner, ports: Ports, prices: Mapping[str, Estimate]) -> None:
        self._planner, self._ports, self._prices = planner, ports, prices
        self._accepted: set[str] = set()
        self._stopped = False

    def stop(self) -> None:
        """Begin no new attempts."""
        self._stopped = True

    async def make(self, node: str, call: StepCall) -> NodeResult:
        """Return what a call gave, also where another process has made it meanwhile.

        Raises RhflowError, NotBegun, BudgetError where it would have to be paid for after all and may not be.
        """
        ports = self._ports
        async with ports.flight.hold(call.key):
            found = ports.cache.entries([call.key]) if self._planner.may_reuse(call)[0] else {}
            if call.key in found:  # somebody else made the same call while this one waited
                await ports.journal.record("node.reused", node, {"key": call.key})
                return NodeResult(node, "succeeded", cached=True, entry=found[call.key])
            model = call.subject
            await ports.journal.record("node.started", node, {"key": call.key, "kind": call.kind.name, "model": model})
            entry = await self._attempts(node, call)
            await ports.cache.put(node, entry)
            if entry.task_id is not None:  # only now: a paid result is open until it can be found again
                await ports.journal.record("submit.settled", node, {"key": call.key, "outcome": "succeeded"})
            label = label_to_learn(call, self._prices[node])
            await ports.journal.record("node.finished", node, facts_of(entry, label))
            return NodeResult(node, "succeeded", entry=entry)

    def may_be_charged(self, node: str, failed: RhflowError) -> bool:
        """Whether the service has a task of a call that failed here: its result may only not be had."""
        return isinstance(failed, StepTimeoutError) or node in self._accepted

    async def _attempts(self, node: str, call: StepCall) -> Entry:
        """Carry a call out, with new paid attempts where the author allowed them."""
        retry = self._planner.graph.nodes[node].step.retry
        for left in range(retry.max, 0, -1):
            try:
                return await self._execute(node, call)
            except TransientError as error:
                if error.reason not in retry.on or not self._may_pay_again(node, error):
                    raise
                if error.reason == "timeout":  # the author would rather pay again than wait
                    abandoned = {"key": call.key, "outcome": "abandoned"}
                    await self._ports.journal.record("submit.settled", node, abandoned, durable=True)
                facts = {"status": "RETRY", "left": left, "why": error.problems[0].message}
                await self._ports.journal.record("task.status", node, facts)
        return await self._execute(node, call)

    def _may_pay_again(self, node: str, failed: TransientError) -> bool:
        """Whether one more paid attempt may begin, which is then counted: not once the run is to stop."""
        spending, price = self._ports.spending, self._prices[node]
        if self._stopped or spending is None:
            return not self._stopped
        if failed.reason == "timeout":
            spending.paid(node, None)  # the task that is given up goes on
        else:
            spending.failed(node)
        if spending.refused(price) is not None:
            return False
        spending.started(node, price)
        return True

    async def _execute(self, node: str, call: StepCall) -> Entry:
        async def report(type: EventType, data: dict[str, Any], *, durable: bool = False) -> None:
            facts = {"key": call.key} | data
            if type == "submit.intent":
                facts["call"] = told_of(call, self._prices[node])
                spending = self._ports.spending
                if spending is not None and (problem := spending.sent(node, self._prices[node])) is not None:
                    raise BudgetError(problem)
            if type == "submit.accepted":
                self._accepted.add(node)
            elif type in ("submit.intent", "submit.settled"):
                self._accepted.discard(node)
            await self._ports.journal.record(type, node, facts, durable=durable)

        result = await self._ports.executor.execute(call, report)
        model = call.subject
        return result.entry(call.key, ingredients=call.ingredients, model=model, created=self._ports.clock.now())
