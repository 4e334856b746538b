"""The one ``decide`` that serves plan, run and whoever else asks: what will happen to each node, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
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
)
from rhflow.core.plan.former import OnUnknown, OpenCall, standing
from rhflow.core.plan.plan import (
    NOT_SELECTED,
    Decision,
    Ended,
    Gather,
    Grow,
    InDoubt,
    Later,
    Resume,
    Reuse,
    Run,
    Skip,
    Wait,
    World,
)
from rhflow.core.plan.prices import Certainty, Prices
from rhflow.core.plan.progress import Progress
from rhflow.core.plan.reading import Readings
from rhflow.core.recipe.document import Pipeline
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
        self._prices = Prices(world.recall, world.money)
        self._certainty = Certainty(self._prices)

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
        waiting = tuple([each for each in self.graph.before[node.id] if each not in self.views])
        self._certainty.note_skips(node.id, waiting, late=self._is_late(node))
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
            self._progress.promises.make(partial(self._certainty.promise, draft, node.id), node.id, node.step.id)
        return Wait(draft, waiting, self._certainty.price_of(draft, node)) if waiting else draft

    def _finish(self, draft: Draft, node: Node) -> StepCall:
        secret = self._reading[node.step.id].secret
        if not secret:
            return finish(draft, node, self.world.realm)
        signature = self.calls.signature(draft)
        fields = (signature.field_for(name) for name in secret)
        return finish(draft, node, self.world.realm, secret={each.name for each in fields if each is not None})

    def _not_selected(self, node: Node) -> Skip | None:
        chosen = self._selected
        return None if chosen is None or chosen.runs(node) or chosen.reads(node) else Skip(NOT_SELECTED)

    def shown(self) -> Iterator[str]:
        """Yield the nodes that people want to hear of, if selected: calls, loops not spread out yet, and empty ones."""
        return (node for node in self.graph.shown() if self._not_selected(self.graph.nodes[node]) is None)

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
        if condition is None or self._is_late(node):
            return True
        if node.role == "loop" and any(ref.path[0] not in ROOTS for _, ref in refs_in(condition)):
            return True  # it is for each item to say
        return bool(resolve(condition, progress.names_for(node)))

    def _is_late(self, node: Node) -> bool:
        """Whether a node's ``if`` reads what is not known yet."""
        condition = node.step.condition
        return condition is not None and any(self._progress.is_late(ref, node) for _, ref in refs_in(condition))

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
        model = None if step.model is None else progress.known(step.model, names, node)
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
        allowed = [self.may_reuse(call) for call, _ in drafts]
        recall, earlier = self.world.recall, self.world.earlier
        entries = recall.entries([call.key for (call, _), (cached, _) in zip(drafts, allowed, strict=True) if cached])
        missing = [
            call
            for (call, _), (cached, _) in zip(drafts, allowed, strict=True)
            if not cached or call.key not in entries
        ]
        previous = recall.previous([call.node for call in missing]) if missing else {}
        lost = recall.lost([call.key for call in missing]) if missing else {}
        formers = earlier.calls([call.key for call in missing]) if missing and earlier is not None else {}
        for (call, draft), (cached, reason) in zip(drafts, allowed, strict=True):
            if cached and (entry := entries.get(call.key)) is not None:
                yield call.node, Reuse(call, entry)
                continue
            reasons = changes(previous.get(call.node), call.ingredients) if cached else (reason,)
            if again := cached and call.key in lost:
                reasons = (lost[call.key],)
            if not self._runs(call.node):
                raise UsageError(_no_result(call, formers.get(call.key), reasons))
            twin, taken_up = self._first.setdefault(call.key, call.node), None
            if call.key in formers:
                taken_up = self._taken_up(call, draft, formers[call.key], cached=cached)
            if cached and twin != call.node:
                self._certainty.note_twin(call.node, twin)
                yield call.node, Run(call, (f"the same call as `{twin}`",), Estimate())
            else:
                if cached and not again and taken_up is None:
                    self._certainty.note_call(call.node, draft)
                yield call.node, taken_up or Run(call, reasons, self._prices.of(draft), again)

    def _taken_up(self, call: StepCall, draft: Draft, former: OpenCall, *, cached: bool) -> Decision | None:
        """Return what is done about a call that another run left open; None where it is made as if there were none."""
        earlier, price = self.world.earlier, self._prices.of(draft)
        assert earlier is not None
        if former.running:  # what that run makes is waited for, and then found, or else made anew
            return Resume(call, former, price) if cached else None
        stands = standing(former, site=earlier.site, realm=self.world.realm, forgetful=earlier.forgetful)
        if stands == "lost" or self._first[call.key] != call.node:
            return None
        if stands == "task":
            return Resume(call, former, price)
        if earlier.on_unknown == "resubmit":
            why = f"paid for again: nobody knows what came of the call in run `{former.run}`"
            return Run(call, (why,), price, again=True)
        return InDoubt(call, former, price, stands == "elsewhere", earlier.on_unknown)

    def told(self, on_unknown: OnUnknown) -> None:
        """Take in what the user wants done about calls whose outcome nobody knows."""
        if self.world.earlier is not None:
            self.world = replace(self.world, earlier=replace(self.world.earlier, on_unknown=on_unknown))

    def _runs(self, node: str) -> bool:
        return self._selected is None or self._selected.runs(self.graph.nodes[node])

    def may_reuse(self, call: StepCall) -> tuple[bool, str]:
        """Whether an earlier result may stand for a call, and else why not. What is only read is taken as it is."""
        node = self.graph.nodes[call.node]
        if self._selected is not None and self._selected.forces(node):
            return False, "`--no-cache`" if self._selected.force_all else "`--force`"
        return node.step.cache or not self._runs(call.node), "`cache` is off"


def _no_result(call: StepCall, former: OpenCall | None, reasons: Sequence[str]) -> Problem:
    """Say that a step is only to be read and has nothing to read, and what to type."""
    node, hint = call.node, f"run it too, as `--until` does, or first: `--only {call.node}`"
    if former is not None and former.task_id is not None:
        message = f"`{node}` is needed, and its task `{former.task_id}` is not fetched yet"
        hint = f"`--only {node}` fetches it, which costs nothing new"
    elif reasons == ("new",):
        message = f"`{node}` is needed and has no result yet"
    else:
        message = f"`{node}` is needed, and has no result as it is now: {', '.join(reasons)}"
    return Problem("no-result", message, hint=hint)
