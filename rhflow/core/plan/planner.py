"""The one ``decide`` that serves plan, run and whoever else asks: what will happen to each node, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rhflow.core.cost import UNKNOWN, Estimate
from rhflow.core.errors import Problem, RecipeError, UsageError
from rhflow.core.graph.edges import linked_to
from rhflow.core.graph.expand import grow
from rhflow.core.graph.graph import Graph, Node
from rhflow.core.graph.select import select
from rhflow.core.graph.spread import follow, loop_problem, spread
from rhflow.core.plan.calls import (
    Calls,
    Draft,
    NoModelError,
    StepCall,
    changes,
    finish,
    trouble_problem,
    withdrawn_problem,
)
from rhflow.core.plan.plan import (
    NOT_SELECTED,
    Decision,
    Ended,
    Fail,
    Gather,
    Grow,
    Later,
    Plan,
    Reuse,
    Run,
    Skip,
    Wait,
    World,
)
from rhflow.core.plan.progress import Progress
from rhflow.core.plan.reading import Readings
from rhflow.core.plan.references import item_problems
from rhflow.core.recipe.document import Pipeline, Step
from rhflow.core.recipe.loops import Binding, LoopError
from rhflow.core.recipe.template import ROOTS, Unresolved, refs_in, resolve
from rhflow.core.values import Entry


class Planner:
    """Decides on nodes as their inputs become known. Holds what has ended; touches nothing outside."""

    def __init__(self, pipeline: Pipeline, graph: Graph, calls: Calls, world: World) -> None:
        self.pipeline, self.graph, self.calls, self.world = pipeline, graph, calls, world
        self._reading = Readings(pipeline, graph)
        self._progress = Progress(graph, self._reading, world)
        self.views, self.endings = self._progress.views, self._progress.endings
        self._selected = None if world.selection.everything else select(graph, world.selection)
        self._first: dict[str, str] = {}

    # -- what has happened --

    def finished(self, node: str, entry: Entry, *, cached: bool) -> None:
        """Note what a node gave, so that those after it can be decided on."""
        self._progress.finished(node, entry, cached=cached)

    def ended(self, node: str, how: Ended, *, error: bool = False) -> None:
        """Note that a node gave nothing: it failed, or was skipped, be it for an ``error``."""
        self._progress.ended(node, how, error=error)

    def gather(self, node: str) -> Ended | None:
        """Note that all that a node stands for has ended; returns how it ended badly as a whole, or None."""
        return self._progress.gather(node)

    def close(self) -> None:
        """Gather what unfinished loops and pipelines gave, so that what is done can be delivered."""
        for name in self.graph.order:
            if self.graph.nodes[name].role in ("whole", "all") and name not in self.views:
                self.gather(name)

    def grow(self, loop: str, bindings: Sequence[Binding]) -> list[str]:
        """Add the nodes of a loop whose items are known now, and return them. Raises RecipeError."""
        added = grow(self.graph, loop, bindings, self._progress.names_of)
        self._progress.opened(loop)
        return added

    def value_of(self, value: Unresolved, *, node: str | None = None, scope: str = "") -> Any:
        """Return a value of the recipe (as ``node`` sees it), with what is known now. Raises RecipeError."""
        progress = self._progress
        return resolve(value, progress.names_of(scope) if node is None else progress.names_for(self.graph.nodes[node]))

    # -- decisions --

    def decide(self, nodes: Sequence[str]) -> dict[str, Decision]:
        """Return a decision for each node. Raises RecipeError with every problem of inputs that are known."""
        decisions: dict[str, Decision] = {}
        drafts: list[tuple[StepCall, Draft]] = []
        problems: list[Problem] = []
        for name in nodes:
            node = self.graph.nodes[name]
            try:
                decided = self._decide_one(node)
            except RecipeError as error:
                problems += error.problems
                continue
            if isinstance(decided, Draft):
                drafts.append((self._finish(decided, node), decided))
            else:
                decisions[name] = decided
        if problems:
            raise RecipeError(problems)
        decisions.update(self._look_up(drafts))
        return decisions

    def _decide_one(self, node: Node) -> Decision | Draft:
        """Return a decision, or the draft of a call whose inputs are all known."""
        waiting = tuple(each for each in self.graph.before[node.id] if each not in self.views)
        if node.role in ("all", "whole"):
            return Gather() if not waiting else Later(waiting)
        if (skip := self._not_selected(node) or self._skip(node)) is not None:
            return skip
        if not self._holds(node):
            return Skip("its `if` is false")
        if node.role == "gate":
            return Later(waiting, Estimate()) if waiting else Gather()
        if node.role == "loop":
            kind = self.calls.kinds.get(node.step.kind)
            free = kind is not None and not kind.paid
            return Later(waiting, Estimate() if free else UNKNOWN) if waiting else Grow(tuple(self._bindings(node)))
        draft = self._draft(node, waiting=bool(waiting))
        if self.graph.after[node.id]:
            promises = self._progress.promises
            promises[node.id] = promises[node.step.id] = draft.promise()
        return Wait(draft, waiting, draft.estimate().or_nothing()) if waiting else draft

    def _finish(self, draft: Draft, node: Node) -> StepCall:
        signature = self.calls.signature(draft)
        fields = (signature.field_for(name) for name in self._reading[node.step.id].secret)
        return finish(draft, node, self.world.realm, secret={each.name for each in fields if each is not None})

    def _not_selected(self, node: Node) -> Skip | None:
        chosen = self._selected
        return None if chosen is None or chosen.runs(node) or chosen.reads(node) else Skip(NOT_SELECTED)

    def shown(self) -> Iterator[str]:
        """Yield the nodes that people want to hear of: calls, and loops not spread out yet, that are selected."""
        return (node for node in self.graph.calls() if self._not_selected(self.graph.nodes[node]) is None)

    def _skip(self, node: Node) -> Skip | None:
        """Skip what reads a step that gave nothing, unless its own ``if`` looks at the status of that step."""
        bad = self._progress.blockers(node)
        if not bad:
            return None
        if self.endings[bad[0]] == "skipped":
            return Skip(f"`{bad[0]}` was skipped")
        return Skip(f"`{bad[0]}` {'is incomplete' if self.graph.items.get(bad[0]) else 'failed'}")

    def _holds(self, node: Node) -> bool:
        """Whether a node's ``if`` is true, as far as that is known now."""
        condition, progress = node.step.condition, self._progress
        if condition is None or any(progress.is_late(ref, node) for _, ref in refs_in(condition)):
            return True
        if node.role == "loop" and any(ref.path[0] not in ROOTS for _, ref in refs_in(condition)):
            return True  # it is for each item to say
        return bool(resolve(condition, progress.names_for(node)))

    def _bindings(self, node: Node) -> list[Binding]:
        """Return the bindings of a loop whose items are known now. Raises RecipeError."""
        step, linked = node.step, linked_to(node.step)
        over = None
        if linked is not None and linked in self.graph.steps and self.graph.steps[linked].loop is not None:
            members = [self.graph.nodes[each] for each in self.graph.items.get(linked, [])]
            over = follow(linked, [each.binding for each in members if each.binding is not None])
        try:
            return spread(step, self._progress.names_of(step.scope), over=over)
        except LoopError as error:
            raise RecipeError(loop_problem(step, error)) from None

    def _draft(self, node: Node, *, waiting: bool) -> Draft:
        progress, step, reading = self._progress, node.step, self._reading[node.step.id]
        names = progress.names_for(node)
        given: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, value in step.inputs.items():
            try:
                late = waiting and name in reading.late
                given[name] = progress.known(value, names, node) if late else resolve(value, names)
            except RecipeError as error:
                problems += error.problems
        if problems:
            raise RecipeError(problems)
        model = progress.known(step.model, names, node)
        try:
            draft = self.calls.draft(step, model, given, self._progress.local(step), tainted=progress.foreign(node))
        except NoModelError as error:
            raise RecipeError(trouble_problem(step, error.trouble)) from None
        if draft.bound.troubles:
            raise RecipeError([trouble_problem(step, trouble) for trouble in draft.bound.troubles])
        return draft

    def _look_up(self, drafts: Sequence[tuple[StepCall, Draft]]) -> Iterator[tuple[str, Decision]]:
        if not drafts:
            return
        entries = self.world.recall.entries([call.key for call, _ in drafts if self.may_reuse(call)[0]])
        missing = [call.node for call, _ in drafts if call.key not in entries]
        previous = self.world.recall.previous(missing) if missing else {}
        lost = self.world.recall.lost([call.key for call, _ in drafts]) if missing else {}
        for call, draft in drafts:
            cached, reason = self.may_reuse(call)
            if cached and (entry := entries.get(call.key)) is not None:
                yield call.node, Reuse(call, entry)
            elif self._selected is not None and not self._selected.runs(self.graph.nodes[call.node]):
                raise UsageError(_no_result(call.node))
            elif cached and (twin := self._first.setdefault(call.key, call.node)) != call.node:
                yield call.node, Run(call, (f"the same call as `{twin}`",), Estimate())
            else:
                reasons = changes(previous.get(call.node), call.ingredients) if cached else (reason,)
                if again := cached and call.key in lost:
                    reasons = (lost[call.key],)
                yield call.node, Run(call, reasons, draft.estimate(), again)

    def may_reuse(self, call: StepCall) -> tuple[bool, str]:
        """Whether an earlier result may stand for a call, and else why not."""
        if self._selected is not None and self._selected.forces(self.graph.nodes[call.node]):
            return False, "`--force`"
        return self._step(call).cache, "`cache` is off"

    def _step(self, call: StepCall) -> Step:
        return self.graph.nodes[call.node].step

    # -- the plan --

    def plan(self) -> Plan:
        """Return a decision for every node, as things stand now; loops whose items are known are spread out."""
        decisions: dict[str, Decision] = {}
        blockers = {node: len(self.graph.before[node]) for node in self.graph.nodes}
        wave = [node for node in self.graph.order if not blockers[node]]
        problems = list(item_problems(self.pipeline, self.graph))
        wrong: set[str] = set()
        while wave and not wrong:
            try:
                decided = self.decide(wave)
            except RecipeError:
                decided = self._one_by_one(wave, problems)
                wrong = set(wave) - decided.keys()
            decisions |= decided
            wave = list(self._next_wave(decided, blockers))
        # Also where something is wrong already: all problems are told at once
        while rest := [node for node in self.graph.order if node not in decisions and node not in wrong]:
            for node in rest:  # one by one: what is skipped is known to those after it
                decisions |= (decided := self._one_by_one([node], problems))
                list(self._next_wave(decided, blockers))
                wrong.update({node} - decided.keys())
        problems += self._withdrawn(decisions)
        if problems:
            raise RecipeError(problems)
        return Plan(self.graph, {node: decisions[node] for node in self.shown()})

    def _withdrawn(self, decisions: Mapping[str, Decision]) -> Iterator[Problem]:
        """Yield a problem for every call that would be refused, before those it waits for are paid."""
        for node, decision in decisions.items():
            match decision:
                case Run(call=StepCall(model=model)) | Wait(draft=Draft(model=model)):
                    if model is not None and model.status == "withdrawn":
                        yield withdrawn_problem(self.graph.nodes[node].step, model)

    def _one_by_one(self, nodes: Sequence[str], problems: list[Problem]) -> dict[str, Decision]:
        """Return decisions for those nodes with which nothing is wrong; to ``problems`` is added what stops a run."""
        found: dict[str, Decision] = {}
        for node in nodes:
            try:
                found |= self.decide([node])
            except RecipeError as error:
                if self._may_fail(self.graph.nodes[node]):
                    found[node] = Fail(error.problems)
                else:
                    problems += error.problems
        return found

    def _may_fail(self, node: Node) -> bool:
        """Whether a node's problem is that of a run: it lies in what steps gave, and the author lets others go on."""
        before = self.graph.before[node.id]
        return node.step.on_error != "fail" and bool(before) and all(each in self.views for each in before)

    def _next_wave(self, decided: Mapping[str, Decision], blockers: dict[str, int]) -> Iterator[str]:
        """Take in what needs nothing to run, and yield the nodes that can be decided on next."""
        for node, decision in decided.items():
            match decision:
                case Reuse(_, entry):
                    self.finished(node, entry, cached=True)
                case Skip():
                    self.ended(node, "skipped")
                case Fail():
                    rule = self.graph.nodes[node].step.on_error
                    self.ended(node, "skipped" if rule == "skip" else "failed", error=True)
                case Gather():
                    self.gather(node)
                case Grow(bindings):
                    self._take_in(self.grow(node, bindings), blockers, loop=node)
                case _:
                    continue
            for later in self.graph.after[node]:
                blockers[later] -= 1
                if not blockers[later]:
                    yield later

    def _take_in(self, new: Sequence[str], blockers: dict[str, int], *, loop: str) -> None:
        """Count what new nodes wait for, and what now waits for them; ``loop``, where they come from, ends next."""
        for node in new:
            before = self.graph.before[node]
            blockers[node] = sum(each == loop or each not in self.views for each in before)
        fresh = set(new)
        for node in new:
            for later in self.graph.after[node]:
                blockers[later] += later not in fresh


def _no_result(node: str) -> Problem:
    message = f"`{node}` is needed and has no result yet"
    return Problem("no-result", message, hint=f"run it too, as `--until` does, or first: `--only {node}`")
