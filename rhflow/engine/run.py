"""The loop that carries a plan out: the schedule says what, the executor does it, the journal is told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence

from rhflow.core.cost import Estimate
from rhflow.core.errors import BudgetError, NotBegun, Problem, RecipeError, RhflowError, UnknownOutcomeError
from rhflow.core.graph.schedule import Schedule
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import NOT_SELECTED, Decision, Ended, Gather, Grow, InDoubt, Resume, Reuse, Run, Skip
from rhflow.core.plan.planner import Planner
from rhflow.core.values import Entry
from rhflow.engine.attempts import Attempts
from rhflow.engine.outcome import NodeResult, NodeStatus
from rhflow.engine.ports import Ports


class Engine:
    """Runs one graph. ``interrupt`` starts nothing more; ``abandon`` leaves at once, everything resumable."""

    def __init__(self, planner: Planner, schedule: Schedule, ports: Ports) -> None:
        self._planner, self._schedule, self._ports = planner, schedule, ports
        self._done: asyncio.Queue[tuple[str, NodeResult | BaseException]] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._calls: dict[str, StepCall] = {}
        self._prices: dict[str, Estimate] = {}
        self._leaders: dict[str, str] = {}
        self._followers: dict[str, list[str]] = {}
        self._open: set[str] = set()
        self._results: dict[str, NodeResult] = {}
        self._bug: BaseException | None = None
        self._leaving = False
        self._attempts = Attempts(planner, ports, self._prices)
        self.interrupted = False
        self.over_budget: Problem | None = None

    async def run(self) -> list[NodeResult]:
        """Carry everything out and return how each node ended, in the order of the graph.

        Raises what a step's code raised that is not an RhflowError, after the running nodes have ended.
        """
        try:
            while True:
                while ready := self._schedule.take_ready():
                    await self._settle(ready)
                for node in self._start():
                    self._tasks[node] = asyncio.create_task(self._carry_out(node), name=node)
                if self._schedule.done:
                    break
                await self._take(await self._done.get())
                while not self._done.empty():
                    await self._take(self._done.get_nowait())
        finally:
            await self._cancel_all()
        if self._bug is not None:
            raise self._bug
        self._planner.close()
        return [self._result_of(node) for node in self._planner.shown()]

    def _result_of(self, node: str) -> NodeResult:
        """Return how a node ended; nothing ever happens to a loop without items."""
        return NodeResult(node, "empty") if self._planner.graph.is_empty(node) else self._results[node]

    @property
    def keys(self) -> Collection[str]:
        """The keys of the calls that this run has begun to make, or taken up."""
        left_out = {node for node, result in self._results.items() if result.status == "not-run"}
        return {call.key for node, call in self._calls.items() if node not in left_out}

    @property
    def running(self) -> int:
        """How many nodes are running."""
        return self._schedule.running

    def interrupt(self) -> None:
        """Start nothing more; what is running, and paid for, is waited for."""
        self.interrupted = True
        self._stop()

    def _start(self) -> Iterator[str]:
        """Yield the nodes that start now, one by one; none any more when the budget is spent."""
        spending = self._ports.spending
        while (node := self._schedule.start_one()) is not None:
            if spending is not None and node in self._open:
                spending.taken_up(node)
            elif spending is not None and self._calls[node].kind.paid:
                if (problem := spending.refused(self._prices[node])) is not None:
                    self.over_budget = problem
                    self._results[node] = NodeResult(node, "not-run")
                    self._schedule.finished(node, "not-run")
                    self._stop()
                    return
                spending.started(node, self._prices[node])
            yield node

    async def _settle(self, ready: Sequence[str]) -> None:
        """Decide on nodes whose inputs are known: reuse at once, queue what must run."""
        for node, decision in (await self._decide(ready)).items():
            if node in self._schedule.ended and not isinstance(decision, Reuse):
                continue  # stopped while others of the batch were settled: nothing new begins
            match decision:
                case Reuse(_, entry):
                    await self._ports.journal.record("node.reused", node, {"key": entry.key})
                    self._succeed(node, entry, cached=True)
                case Run(call, _, price):
                    self._prices[node] = price
                    self._queue(node, call)
                case Resume(call, _, price) | InDoubt(call, _, price):
                    self._prices[node] = price
                    self._open.add(node)
                    self._queue(node, call)
                case Skip(why):
                    await self._skip(node, why)
                case Grow(bindings):
                    new = self._planner.grow(node, bindings)
                    self._schedule.added(new)
                    self._schedule.finished(node)
                case Gather():
                    self._schedule.finished(node, self._planner.gather(node) or "succeeded")
                case _:
                    raise AssertionError(f"{node} is ready, yet it waits")

    def _queue(self, node: str, call: StepCall) -> None:
        """Queue a call, or let its node wait for another one of this run that makes the same call."""
        self._calls[node] = call
        leader = self._leaders.setdefault(call.key, node)
        if leader != node and self._planner.may_reuse(call)[0]:
            self._followers.setdefault(leader, []).append(node)
            return
        pool = self._planner.graph.nodes[node].step.pool
        self._schedule.queue(node, tuple(dict.fromkeys([call.kind.pool, pool or call.kind.pool])))

    async def _release(self, leader: str, entry: Entry | None) -> None:
        """Give those that waited for a call its result, or have them make it themselves."""
        self._leaders.pop(self._calls[leader].key, None)
        for node in self._followers.pop(leader, []):
            if node in self._schedule.ended:
                continue
            if entry is None:
                self._prices[node] = self._prices[leader]
                self._queue(node, self._calls[node])
            else:
                await self._ports.journal.record("node.reused", node, {"key": entry.key})
                self._succeed(node, entry, cached=True)

    async def _skip(self, node: str, why: str) -> None:
        self._planner.ended(node, "skipped")
        self._results[node] = NodeResult(node, "skipped")
        if why != NOT_SELECTED:
            await self._ports.journal.record("node.skipped", node, {"why": why})
        self._schedule.finished(node, "skipped")

    async def _decide(self, ready: Sequence[str]) -> Mapping[str, Decision]:
        try:
            return self._planner.decide(ready)
        except RecipeError:
            decisions: dict[str, Decision] = {}
            for node in ready:  # one by one, so that only the nodes with a problem fail
                try:
                    decisions |= self._planner.decide([node])
                except RecipeError as error:
                    await self._fail(node, error)
            return decisions

    async def _carry_out(self, node: str) -> None:
        try:
            result: NodeResult | BaseException = await self._attempts.make(node, self._calls[node])
        except RhflowError as error:
            status: NodeStatus = "unknown" if isinstance(error, UnknownOutcomeError) else "failed"
            result = NodeResult(node, status, error=error)
        except NotBegun:
            result = NodeResult(node, "not-run")
        except asyncio.CancelledError as cancelled:
            if not self._leaving:  # somebody inside the step gave up: the loop must hear of it or it waits for ever
                self._done.put_nowait((node, RuntimeError(f"step `{node}` was cancelled from inside: {cancelled!r}")))
            raise
        except Exception as bug:
            result = bug
        self._done.put_nowait((node, result))

    async def _take(self, item: tuple[str, NodeResult | BaseException]) -> None:
        node, result = item
        del self._tasks[node]
        if isinstance(result, BaseException):
            self._bug = self._bug or result
            problem = Problem("internal-error", f"step `{node}`: rhflow itself failed: {result!r}")
            await self._fail(node, RhflowError(problem))
        elif result.entry is not None:
            self._settle_up(node, result.entry, cached=result.cached)
            self._succeed(node, result.entry, cached=result.cached)
            await self._release(node, result.entry)
        elif isinstance(result.error, BudgetError):  # what was to be taken up would have had to be paid for
            self.over_budget = result.error.problems[0]
            await self._not_begun(node)
            self._stop()
        elif result.error is not None:
            await self._fail(node, result.error, result.status)
            await self._release(node, None)
        else:
            await self._not_begun(node)

    def _settle_up(self, node: str, entry: Entry, *, cached: bool) -> None:
        """Count what a call cost, or that it was not made after all."""
        spending = self._ports.spending
        if spending is None or not self._calls[node].kind.paid:
            return
        if cached:
            spending.spared(node)
        else:
            spending.paid(node, entry.cost)

    def _succeed(self, node: str, entry: Entry, *, cached: bool) -> None:
        self._planner.finished(node, entry, cached=cached)
        self._results[node] = NodeResult(node, "succeeded", cached, entry)
        self._schedule.finished(node)

    async def _fail(self, node: str, error: RhflowError, status: NodeStatus = "failed") -> None:
        """Mark a node that failed, and go on as its step wants it: not at all, with the others, or as if skipped."""
        step = self._planner.graph.nodes[node].step
        rule = step.on_error if status == "failed" and self._bug is None else "fail"
        self._results[node] = NodeResult(node, "skipped" if rule == "skip" else status, error=error)
        spending = self._ports.spending
        if status == "failed" and spending is not None and not self._attempts.may_be_charged(node, error):
            spending.failed(node)
        messages = [problem.message for problem in error.problems]
        await self._ports.journal.record("node.failed", node, {"status": status, "problems": messages})
        if rule == "fail":
            self._planner.ended(node, "failed")
            for lost in self._schedule.failed(node):
                self._results[lost] = NodeResult(lost, "skipped")
                if self._planner.graph.nodes[lost].role == "call":
                    await self._ports.journal.record("node.skipped", lost, {"why": f"`{node}` failed"})
            if status != "unknown" or not self._ports.keep_open:
                self._stop()
        else:
            how: Ended = "skipped" if rule == "skip" else "failed"
            self._planner.ended(node, how, error=True)
            self._schedule.finished(node, how)

    async def _not_begun(self, node: str) -> None:
        """Mark a node that waited to begin when the run was stopped: nothing was sent."""
        self._results[node] = NodeResult(node, "not-run")
        if self._ports.spending is not None:
            self._ports.spending.spared(node)
        await self._ports.journal.record("node.skipped", node, {"why": "stopped before it was sent"})
        self._schedule.finished(node, "not-run")

    def _stop(self) -> None:
        self._attempts.stop()
        self._ports.executor.stop()
        for node in self._schedule.stop():
            self._results[node] = NodeResult(node, "not-run")

    async def _cancel_all(self) -> None:
        self._leaving = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
