"""The one ``decide`` that serves plan, run and whoever else asks: what will happen to each node, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rhflow.core.calls import Calls, Draft, NoModelError, StepCall, changes, finish, trouble_problem
from rhflow.core.cost import Estimate
from rhflow.core.document import Pipeline, Step
from rhflow.core.errors import Problem, RecipeError, UsageError
from rhflow.core.graph import Graph, Node, follow, linked_to, loop_problem, spread
from rhflow.core.loops import Binding, LoopError
from rhflow.core.plan import (
    NOT_SELECTED,
    Decision,
    Ended,
    Gather,
    Grow,
    Later,
    Names,
    Plan,
    Reuse,
    Run,
    Skip,
    Wait,
    World,
)
from rhflow.core.reading import Reading, secrets_of
from rhflow.core.select import select
from rhflow.core.template import Ref, Template, Unresolved, refs_in, resolve
from rhflow.core.values import Entry, Pending
from rhflow.core.views import EndedView, ItemView, LoopView, Promise, ScopedViews, StepView, pending_of


class Planner:
    """Decides on nodes as their inputs become known. Holds what has ended; touches nothing outside."""

    def __init__(self, pipeline: Pipeline, graph: Graph, calls: Calls, world: World) -> None:
        self.pipeline, self.graph, self.calls, self.world = pipeline, graph, calls, world
        self.views: dict[str, Mapping[str, Any]] = {}
        self.endings: dict[str, Ended] = {}
        scopes = world.scopes or {"": world.names}
        self._scopes = {scope: self._base(names, scope) for scope, names in scopes.items()}
        self._selected = None if world.selection.everything else select(graph, world.selection)
        self._promises: dict[str, Promise] = {}
        self._first: dict[str, str] = {}
        hidden = secrets_of(pipeline)
        self._reading = {step.id: Reading.of(step, hidden) for step in pipeline.steps.values()}

    def _base(self, names: Names, scope: str) -> dict[str, Any]:
        steps = ScopedViews(self.views, scope) if scope else self.views
        return {"params": names.params, "vars": names.vars, "env": names.env, "run": names.run, "steps": steps}

    # -- what has happened --

    def finished(self, node: str, entry: Entry, *, cached: bool) -> None:
        """Note what a node gave, so that those after it can be decided on."""
        self.views[node] = StepView(entry, cached=cached)

    def ended(self, node: str, how: Ended) -> None:
        """Note that a node gave nothing: it failed, or was skipped."""
        self.endings[node] = how
        self.views[node] = EndedView(how)

    def gather(self, node: str) -> Ended | None:
        """Note that every item of a loop has ended; returns how the loop as a whole ended badly, or None."""
        step = self.graph.nodes[node].step
        members = self.graph.items.get(step.id, [])
        bad = [self.endings.get(each, "skipped") for each in members if each in self.endings or each not in self.views]
        how: Ended | None = None
        if "failed" in bad and step.on_error != "skip":
            how = "failed"
        elif bad and len(bad) == len(members):
            how = "skipped"
        self.views[node] = LoopView([self._item(each) for each in members], how or "succeeded")
        if how is not None:
            self.endings[node] = how
        return how

    def close_loops(self) -> None:
        """Gather what the items of unfinished loops gave, so that what is done can be delivered."""
        for node in self.graph.nodes.values():
            if node.role == "all" and node.id not in self.views:
                self.gather(node.id)

    def grow(self, loop: str, bindings: Sequence[Binding]) -> list[str]:
        """Add the nodes of a loop whose items are known now, and return them."""
        self.views[loop] = EndedView("succeeded")
        return self.graph.grow(loop, bindings)

    def value_of(self, value: Unresolved, *, node: str | None = None, scope: str = "") -> Any:
        """Return a value of the recipe (as ``node`` sees it), with what is known now. Raises RecipeError."""
        return resolve(value, self._scopes[scope] if node is None else self._names_for(self.graph.nodes[node]))

    # -- names --

    def _item(self, node: str) -> ItemView:
        binding = self.graph.nodes[node].binding
        assert binding is not None
        view = self.views.get(node) or EndedView("not-run")
        item = self._item_of(self.graph.nodes[node])
        return ItemView(view, key=binding.key, index=binding.index, item=item)

    def _item_of(self, node: Node) -> Any:
        binding = node.binding
        assert binding is not None
        if binding.of is not None and binding.of in self.views:
            return self._item(binding.of)
        return None if self._item_is_late(binding) else resolve(binding.item, self._scopes[node.step.scope])

    def _names_for(self, node: Node) -> Mapping[str, Any]:
        """Return what the templates of a node may read: in a loop also its item and what goes with it."""
        base, binding = self._scopes[node.step.scope], node.binding
        if binding is None:
            return base
        own: dict[str, Any] = {"key": binding.key, "index": binding.index}
        if binding.matrix is not None:
            own["matrix"] = binding.matrix
        if binding.variation is not None:
            own["variation"] = binding.variation
        if node.step.loop is not None and node.step.loop.chain:
            own["prev"] = self.views.get(node.prev) if node.prev is not None else None
        if node.step.loop is not None and node.step.loop.foreach is not None and not self._item_is_late(binding):
            own["item"] = self._item_of(node)
        return {**base, **own}

    def _item_is_late(self, binding: Binding) -> bool:
        if binding.of is not None:
            return binding.of not in self.views
        return any(self._is_late(ref, None) for _, ref in refs_in(binding.item))

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
        if node.role == "all":
            return Gather() if not waiting else Later(waiting)
        if (skip := self._not_selected(node) or self._skip(node)) is not None:
            return skip
        if node.role == "loop":
            return Later(waiting) if waiting else Grow(tuple(self._bindings(node)))
        if not waiting and not self._holds(node):
            return Skip("its `if` is false")
        draft = self._draft(node, waiting=bool(waiting))
        if self.graph.after[node.id]:
            self._promises[node.id] = self._promises[node.step.id] = draft.promise()
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
        """Skip what reads a step that gave nothing, unless its own ``if`` looks at the status of steps."""
        bad = next((each for each in self.graph.before[node.id] if each in self.endings), None)
        if bad is None or self._reading[node.step.id].status:
            return None
        return Skip(f"`{bad}` {'failed' if self.endings[bad] == 'failed' else 'was skipped'}")

    def _holds(self, node: Node) -> bool:
        condition = node.step.condition
        return condition is None or bool(resolve(condition, self._names_for(node)))

    def _bindings(self, node: Node) -> list[Binding]:
        """Return the bindings of a loop whose items are known now. Raises RecipeError."""
        step, linked = node.step, linked_to(node.step)
        over = None
        if linked is not None and self.pipeline.steps[linked].loop is not None:
            members = [self.graph.nodes[each] for each in self.graph.items.get(linked, [])]
            over = follow(linked, [each.binding for each in members if each.binding is not None])
        try:
            return spread(step, self._scopes[step.scope], over=over)
        except LoopError as error:
            raise RecipeError(loop_problem(self.pipeline, step, error)) from None

    def _draft(self, node: Node, *, waiting: bool) -> Draft:
        step, reading, names = node.step, self._reading[node.step.id], self._names_for(node)
        given: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, value in step.inputs.items():
            try:
                late = waiting and name in reading.late
                given[name] = self._known(value, names, node) if late else resolve(value, names)
            except RecipeError as error:
                problems += error.problems
        if problems:
            raise RecipeError(problems)
        model = self._known(step.model, names, node)
        try:
            draft = self.calls.draft(step, model, given, self.world.local, tainted=reading.tainted(node))
        except NoModelError as error:
            raise RecipeError(trouble_problem(self.pipeline, step, error.trouble)) from None
        if draft.bound.troubles:
            raise RecipeError([trouble_problem(self.pipeline, step, trouble) for trouble in draft.bound.troubles])
        return draft

    def _known(self, value: Unresolved, names: Mapping[str, Any], node: Node) -> Any:
        """Return a value as far as it is known: what reads an unfinished step becomes Pending."""
        if isinstance(value, Template):
            late = [ref for ref in value.refs if self._is_late(ref, node)]
            if not late:
                return resolve(value, names)
            exact = value.exact and len(value.refs) == 1
            return pending_of(self._of_step(late[0], node), self._promises) if exact else Pending()
        if isinstance(value, list):
            return [self._known(each, names, node) for each in value]
        if isinstance(value, dict):
            return {key: self._known(each, names, node) for key, each in value.items()}
        return value

    def _is_late(self, ref: Ref, node: Node | None) -> bool:
        match ref.path:
            case ("steps",):
                return True
            case ("steps", step, *_):
                return step not in self.views
            case ("item", *_):
                return node is not None and node.binding is not None and self._item_is_late(node.binding)
            case ("prev", *_):
                return node is not None and node.prev is not None and node.prev not in self.views
            case _:
                return False

    def _of_step(self, ref: Ref, node: Node) -> Ref:
        """Return a reference to ``item`` or ``prev`` as one to the node it stands for."""
        head, *rest = ref.path
        if head == "item" and node.binding is not None and node.binding.of is not None:
            return Ref(("steps", node.binding.of, *rest))
        return Ref(("steps", node.prev, *rest)) if head == "prev" and node.prev is not None else ref

    def _look_up(self, drafts: Sequence[tuple[StepCall, Draft]]) -> Iterator[tuple[str, Decision]]:
        entries = self.world.recall.entries([call.key for call, _ in drafts if self.may_reuse(call)[0]])
        missing = [call.node for call, _ in drafts if call.key not in entries]
        previous = self.world.recall.previous(missing) if missing else {}
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
                yield call.node, Run(call, reasons, draft.estimate())

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
        problems: list[Problem] = []
        wrong: set[str] = set()
        while wave:
            try:
                decided = self.decide(wave)
            except RecipeError as error:
                problems += error.problems
                wrong = set(wave)
                break
            decisions |= decided
            wave = list(self._next_wave(decided, blockers))
        rest = [node for node in self.graph.order if node not in decisions and node not in wrong]
        try:  # also where something is wrong already: all problems are told at once
            decisions |= self.decide(rest) if rest else {}
        except RecipeError as error:
            problems += error.problems
        if problems:
            raise RecipeError(problems)
        return Plan(self.graph, {node: decisions[node] for node in self.shown()})

    def _next_wave(self, decided: Mapping[str, Decision], blockers: dict[str, int]) -> Iterator[str]:
        """Take in what needs nothing to run, and yield the nodes that can be decided on next."""
        for node, decision in decided.items():
            match decision:
                case Reuse(_, entry):
                    self.finished(node, entry, cached=True)
                case Skip():
                    self.ended(node, "skipped")
                case Gather():
                    self.gather(node)
                case Grow(bindings):
                    for new in self.grow(node, bindings):
                        blockers[new] = len(self.graph.before[new])
                        blockers[self.graph.nodes[new].step.id] += 1
                        for earlier in self.graph.before[new]:
                            blockers[new] -= earlier != node and earlier in self.views
                case _:
                    continue
            for later in self.graph.after[node]:
                blockers[later] -= 1
                if not blockers[later]:
                    yield later


def _no_result(node: str) -> Problem:
    message = f"`{node}` is needed and has no result yet"
    return Problem("no-result", message, hint=f"run it too, as `--until` does, or first: `--only {node}`")
