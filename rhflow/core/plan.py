"""What will happen to each node, and why: one ``decide`` for plan, run and whoever else asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from rhflow.core.calls import Calls, Draft, NoModelError, StepCall, changes, finish, trouble_problem
from rhflow.core.coerce import LocalFile
from rhflow.core.cost import Estimate, total
from rhflow.core.document import Pipeline, Step
from rhflow.core.errors import Problem, RecipeError
from rhflow.core.graph import Graph
from rhflow.core.template import Ref, Template, Unresolved, refs_in, resolve
from rhflow.core.values import Entry, Pending, Realm
from rhflow.core.views import Promise, StepView, pending_of


@dataclass(frozen=True, slots=True)
class Reuse:
    """The result is in the store."""

    call: StepCall
    entry: Entry


@dataclass(frozen=True, slots=True)
class Run:
    """The call must be made."""

    call: StepCall
    reasons: tuple[str, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Wait:
    """What goes in is not known yet: it depends on nodes that must run first."""

    draft: Draft
    on: tuple[str, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Skip:
    """The node is not carried out."""

    why: str


Decision: TypeAlias = Reuse | Run | Wait | Skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision for every node, in order, and what it costs."""

    graph: Graph
    decisions: Mapping[str, Decision]

    @property
    def cost(self) -> Estimate:
        """At least and at most, by the list."""
        return total(each.estimate for each in self.decisions.values() if isinstance(each, Run | Wait))

    def count(self, kind: type) -> int:
        """Return how many decisions are of one kind."""
        return sum(isinstance(each, kind) for each in self.decisions.values())


@dataclass(frozen=True, slots=True)
class Names:
    """What templates may read besides steps."""

    params: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, str] = field(default_factory=dict)


class Recall(Protocol):
    """What the cache can answer; reads only, in bulk."""

    def entries(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """Return the entries that stand under ``keys``."""

    def previous(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the ingredients of the last call that each node of this pipeline made."""


@dataclass(frozen=True, slots=True)
class World:
    """What a planner must be told of the world outside the recipe."""

    recall: Recall
    names: Names
    realm: Realm
    local: LocalFile


class Planner:
    """Decides on nodes as their inputs become known. Holds what has finished; touches nothing outside."""

    def __init__(self, pipeline: Pipeline, graph: Graph, calls: Calls, world: World) -> None:
        self.pipeline, self.graph, self.calls, self.world = pipeline, graph, calls, world
        self.views: dict[str, StepView] = {}
        names = world.names
        self._names: dict[str, Any] = {
            "params": names.params, "vars": names.vars, "env": names.env, "run": names.run, "steps": self.views,
        }  # fmt: skip
        self._promises: dict[str, Promise] = {}
        self._reading = {step.id: _Reading.of(step) for step in pipeline.steps.values()}

    def finished(self, node: str, entry: Entry, *, cached: bool) -> None:
        """Note what a node gave, so that those after it can be decided on."""
        self.views[node] = StepView(entry, cached=cached)

    def value_of(self, value: Unresolved) -> Any:
        """Return a value of the recipe, with what is known now. Raises RecipeError."""
        return resolve(value, self._names)

    def decide(self, nodes: Sequence[str]) -> dict[str, Decision]:
        """Return a decision for each node. Raises RecipeError with every problem of inputs that are known."""
        decisions: dict[str, Decision] = {}
        drafts: list[tuple[StepCall, Draft]] = []
        problems: list[Problem] = []
        for node in nodes:
            step = self.graph.nodes[node].step
            waiting = tuple(each for each in self.graph.before[node] if each not in self.views)
            try:
                draft = self._draft(step, waiting=bool(waiting))
            except RecipeError as error:
                problems += error.problems
                continue
            if self.graph.after[node]:
                self._promises[node] = draft.promise()
            if waiting:
                decisions[node] = Wait(draft, waiting, draft.estimate().or_nothing())
            else:
                drafts.append((finish(draft, step, node, self.world.realm), draft))
        if problems:
            raise RecipeError(problems)
        decisions.update(self._look_up(drafts))
        return decisions

    def _draft(self, step: Step, *, waiting: bool) -> Draft:
        reading = self._reading[step.id]
        given: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, value in step.inputs.items():
            try:
                given[name] = self._known(value) if waiting and name in reading.late else resolve(value, self._names)
            except RecipeError as error:
                problems += error.problems
        if problems:
            raise RecipeError(problems)
        model = resolve(step.model, self._names)
        try:
            draft = self.calls.draft(step, model, given, self.world.local, tainted=reading.late)
        except NoModelError as error:
            raise RecipeError(trouble_problem(self.pipeline, step, error.trouble)) from None
        if draft.bound.troubles:
            raise RecipeError([trouble_problem(self.pipeline, step, trouble) for trouble in draft.bound.troubles])
        return draft

    def _known(self, value: Unresolved) -> Any:
        """Return a value as far as it is known: what reads an unfinished step becomes Pending."""
        if isinstance(value, Template):
            late = [ref for ref in value.refs if self._is_late(ref)]
            if not late:
                return resolve(value, self._names)
            return pending_of(late[0], self._promises) if value.exact and len(value.refs) == 1 else Pending()
        if isinstance(value, list):
            return [self._known(each) for each in value]
        return {key: self._known(each) for key, each in value.items()} if isinstance(value, dict) else value

    def _is_late(self, ref: Ref) -> bool:
        return ref.path[0] == "steps" and (len(ref.path) < 2 or ref.path[1] not in self.views)

    def _look_up(self, drafts: Sequence[tuple[StepCall, Draft]]) -> Iterator[tuple[str, Decision]]:
        entries = self.world.recall.entries([call.key for call, _ in drafts if self._step(call).cache])
        missing = [call.node for call, _ in drafts if call.key not in entries]
        previous = self.world.recall.previous(missing) if missing else {}
        for call, draft in drafts:
            cached = self._step(call).cache
            if cached and (entry := entries.get(call.key)) is not None:
                yield call.node, Reuse(call, entry)
            else:
                reasons = changes(previous.get(call.node), call.ingredients) if cached else ("`cache` is off",)
                yield call.node, Run(call, reasons, draft.estimate())

    def _step(self, call: StepCall) -> Step:
        return self.graph.nodes[call.node].step

    def plan(self) -> Plan:
        """Return a decision for every node, as things stand now."""
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
        return Plan(self.graph, {node: decisions[node] for node in self.graph.order})

    def _next_wave(self, decided: Mapping[str, Decision], blockers: dict[str, int]) -> Iterator[str]:
        for node, decision in decided.items():
            if not isinstance(decision, Reuse):
                continue
            self.finished(node, decision.entry, cached=True)
            for later in self.graph.after[node]:
                blockers[later] -= 1
                if not blockers[later]:
                    yield later


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a step's inputs read, worked out once: ``late`` are the inputs that read other steps."""

    late: frozenset[str]

    @classmethod
    def of(cls, step: Step) -> _Reading:
        late = {name for name, value in step.inputs.items() if any(ref.path[0] == "steps" for _, ref in refs_in(value))}
        return cls(frozenset(late))
