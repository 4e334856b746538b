"""A plan: every node of a graph decided on as things stand now, with what is in the store, and nothing carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.graph.graph import Node
from rhflow.core.plan.calls import Draft, StepCall, withdrawn_problem
from rhflow.core.plan.plan import Decision, Fail, Gather, Grow, Plan, Reuse, Run, Skip, Wait
from rhflow.core.plan.planner import Planner
from rhflow.core.plan.references import item_problems


def dry_run(planner: Planner) -> Plan:
    """Return a decision for every node; loops whose items are known are spread out. Raises RhflowError.

    The planner then knows what needs nothing to run, as if a run had come so far.
    """
    problems = list(item_problems(planner.pipeline, planner.graph))
    if problems and not planner.world.selection.everything:
        raise RecipeError(problems)  # else it would only be said that such an item has no result yet
    return _DryRun(planner, problems).plan()


class _DryRun:
    """Goes through a graph wave by wave: ``problems`` are those met, ``wrong`` the nodes that have one."""

    def __init__(self, planner: Planner, problems: list[Problem]) -> None:
        self._planner, self._graph, self._problems = planner, planner.graph, problems
        self._decisions: dict[str, Decision] = {}
        self._wrong: set[str] = set()
        self._blockers = {node: len(before) for node, before in self._graph.before.items()}

    def plan(self) -> Plan:
        """Return the plan. Raises RecipeError with every problem."""
        wave = [node for node in self._graph.order if not self._blockers[node]]
        while wave and not self._wrong:
            wave = self._take(wave)
        # Also where something is wrong already: all problems are told at once
        while rest := [each for each in self._graph.order if each not in self._decisions and each not in self._wrong]:
            for node in rest:  # one by one: what is skipped is known to those after it
                self._take([node])
        self._problems += self._withdrawn()
        if self._problems:
            raise RecipeError(self._problems)
        return Plan(self._graph, {node: self._decisions[node] for node in self._planner.shown()})

    def _take(self, nodes: Sequence[str]) -> list[str]:
        """Decide on nodes, and return those that can be decided on next."""
        try:
            decided = self._planner.decide(nodes)
        except RecipeError as error:
            decided = self._one_by_one(nodes) if len(nodes) > 1 else self._amiss(nodes[0], error)
            self._wrong.update(node for node in nodes if node not in decided)
        self._decisions |= decided
        return list(self._next_wave(decided))

    def _one_by_one(self, nodes: Sequence[str]) -> dict[str, Decision]:
        """Return decisions for those nodes with which nothing is wrong."""
        found: dict[str, Decision] = {}
        for node in nodes:
            try:
                found |= self._planner.decide([node])
            except RecipeError as error:
                found |= self._amiss(node, error)
        return found

    def _amiss(self, node: str, error: RecipeError) -> dict[str, Decision]:
        """Return that a node will fail where that is for the run to tell; else its problems stop it."""
        if self._may_fail(self._graph.nodes[node]):
            return {node: Fail(error.problems)}
        self._problems += error.problems
        return {}

    def _may_fail(self, node: Node) -> bool:
        """Whether a node's problem is that of a run: it lies in what steps gave, and the author lets others go on."""
        before, views = self._graph.before[node.id], self._planner.views
        return node.step.on_error != "fail" and bool(before) and all(each in views for each in before)

    def _next_wave(self, decided: Mapping[str, Decision]) -> Iterator[str]:
        """Take in what needs nothing to run, and yield the nodes that can be decided on next."""
        planner = self._planner
        for node, decision in decided.items():
            match decision:
                case Reuse(_, entry):
                    planner.finished(node, entry, cached=True)
                case Skip():
                    planner.ended(node, "skipped")
                case Fail():
                    rule = self._graph.nodes[node].step.on_error
                    planner.ended(node, "skipped" if rule == "skip" else "failed", error=True)
                case Gather():
                    planner.gather(node)
                case Grow(bindings):
                    self._take_in(planner.grow(node, bindings), loop=node)
                case _:
                    continue
            for later in self._graph.after[node]:
                self._blockers[later] -= 1
                if not self._blockers[later]:
                    yield later

    def _take_in(self, new: Sequence[str], *, loop: str) -> None:
        """Count what new nodes wait for, and what now waits for them; ``loop``, where they come from, ends next."""
        for node in new:
            before = self._graph.before[node]
            self._blockers[node] = sum(each == loop or each not in self._planner.views for each in before)
        fresh = set(new)
        for node in new:
            for later in self._graph.after[node]:
                self._blockers[later] += later not in fresh

    def _withdrawn(self) -> Iterator[Problem]:
        """Yield a problem for every call that would be refused, before those it waits for are paid."""
        for node, decision in self._decisions.items():
            match decision:
                case Run(call=StepCall(model=model)) | Wait(draft=Draft(model=model)):
                    if model is not None and model.status == "withdrawn":
                        yield withdrawn_problem(self._graph.nodes[node].step, model)
