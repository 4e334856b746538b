"""From a text to a checked pipeline, a plan or a run, as the commands do it but without a file or a store."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from rhflow.catalog.catalog import Catalog
from rhflow.contract import load_schema
from rhflow.core.errors import Problem, RecipeError, Source, StepError
from rhflow.core.graph.expand import expand
from rhflow.core.graph.schedule import Schedule
from rhflow.core.kinds import Models
from rhflow.core.plan.budget import Spending
from rhflow.core.plan.calls import Calls
from rhflow.core.plan.check import check, in_order
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.former import Earlier
from rhflow.core.plan.plan import Names, Plan, World
from rhflow.core.plan.planner import Planner
from rhflow.core.recipe.build import build
from rhflow.core.recipe.document import Pipeline
from rhflow.core.recipe.params import parse_param
from rhflow.core.recipe.template import resolve
from rhflow.core.text.located import Located
from rhflow.core.text.source import read
from rhflow.core.values import Artifact, Realm
from rhflow.engine.outcome import NodeResult
from rhflow.engine.ports import Flight, Ports
from rhflow.engine.run import Engine
from rhflow.steps.kinds import all_kinds
from tests.fakes import FakeClock, FakeExecutor, FakeFlight, MemoryCache, MemoryJournal, artifact

POOLS = {"account": 3, "transfer": 2, "local": 1}


@cache
def catalog() -> Catalog:
    """Return the shipped catalogue, read once."""
    return Catalog.load()


def calls(models: Models | None = None) -> Calls:
    """Return what turns steps into calls, over the shipped catalogue unless told otherwise."""
    return Calls(all_kinds(), models or catalog())


def text_of(text: str) -> str:
    """Return a recipe's text, dedented, with the line of its version before it where it gives none."""
    body = textwrap.dedent(text).lstrip("\n")
    return body if body.startswith("rhflow:") else f"rhflow: 1\n{body}"


def recipe(
    text: str, *, models: Models | None = None, name: str = "recipe.yaml", parts: Mapping[str, str] | None = None
) -> tuple[Pipeline, list[Problem]]:
    """Return a pipeline and its problems in order; ``parts`` are the texts of recipes it uses, by ``uses``.

    Raises RecipeError where there is no pipeline to speak of.
    """
    located = read(Source(name, text_of(text)))
    pipeline, problems = build(located, load_schema("pipeline"), name="recipe")
    steps = {
        each.id: replace(each, child=good(parts[each.kind], models=models, name=each.kind, parts=parts))
        if parts and each.kind in parts
        else each
        for each in pipeline.steps.values()
    }
    pipeline = replace(pipeline, steps=steps)
    return pipeline, in_order([*problems, *check(pipeline, calls(models))])


def good(
    text: str, *, models: Models | None = None, name: str = "recipe.yaml", parts: Mapping[str, str] | None = None
) -> Pipeline:
    """Return a pipeline that has no errors."""
    pipeline, problems = recipe(text, models=models, name=name, parts=parts)
    assert [each.message for each in problems if each.severity == "error"] == []
    return pipeline


def problems_of(text: str, *, models: Models | None = None, parts: Mapping[str, str] | None = None) -> list[Problem]:
    """Return every problem of a recipe, whatever stage finds it."""
    try:
        return recipe(text, models=models, parts=parts)[1]
    except RecipeError as error:
        return list(error.problems)


def pointed_at(problem: Problem) -> str:
    """Return the text that a problem points at, as far as its first line goes."""
    span = problem.span
    assert span is not None
    line = span.source.line(span.line)
    return line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None]


def located(text: str) -> Located:
    """Return the data of a YAML text with its places."""
    return read(Source("recipe.yaml", text))


class NoSuchFiles(dict[str, Artifact]):
    """Local files by path: what planner and check ask for, without a disk."""

    def __call__(self, path: str) -> Artifact:
        if path not in self:
            raise RecipeError(Problem("no-such-file", f"there is no file `{path}`"))
        return self[path]


def files(*names: str, **facts: Any) -> NoSuchFiles:
    """Return local files that exist by their names."""
    return NoSuchFiles({name: artifact(name, path=name, **facts) for name in names})


@dataclass
class Bench:
    """A recipe with everything it takes to plan and run it, all in memory.

    Cache, executor and journal share one ``log``. ``again`` gives the next run over the same cache.
    """

    text: str
    name: str = "recipe.yaml"
    params: Mapping[str, Any] = field(default_factory=dict)
    local: NoSuchFiles = field(default_factory=files)
    models: Models | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    realm: Realm = "live"
    cache: MemoryCache = field(default_factory=MemoryCache)
    executor: FakeExecutor = field(default_factory=FakeExecutor)
    flight: Flight = field(default_factory=FakeFlight)
    pools: Mapping[str, int] = field(default_factory=lambda: POOLS)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    keep_open: bool = False
    earlier: Earlier | None = None

    def __post_init__(self) -> None:
        self.pipeline = good(self.text, models=self.models, name=self.name, parts=self.parts)
        self.log = self.cache.log = self.journal.log = self.executor.log
        names = Names(self._params(), self._vars(), run={"id": "run-1", "date": "2026-01-01"})
        told = {"params": names.params, "vars": names.vars, "env": names.env, "run": names.run}
        self.graph = expand(self.pipeline, told)
        world = World(self.cache, names, self.realm, self.local, earlier=self.earlier)
        self.planner = Planner(self.pipeline, self.graph, calls(self.models), world)
        urgency = self.graph.urgency(lambda node: all_kinds()[node.step.kind].typical_seconds)
        spending = Spending(self.pipeline)
        ports = Ports(self.executor, self.cache, self.journal, self.flight, FakeClock(), spending, self.keep_open)
        named = {step.pool: 1 for step in self.pipeline.steps.values() if step.pool is not None}
        self.schedule = Schedule(self.graph, urgency, {**named, **self.pools})
        self.engine = Engine(self.planner, self.schedule, ports)

    def _params(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, param in self.pipeline.params.items():
            value = self.params.get(name, param.default)
            typed = parse_param(param, value) if value is not None else None
            values[name] = self.local[typed] if param.is_media and typed in self.local else typed
        return values

    def _vars(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in self.pipeline.vars.items():
            values[name] = resolve(value, {"params": self._params(), "vars": values, "run": {}, "env": {}})
        return values

    def plan(self) -> Plan:
        """Return the plan as things stand. Raises RecipeError."""
        return dry_run(self.planner)

    async def run(self) -> dict[str, NodeResult]:
        """Carry everything out and return how each node ended."""
        return {each.node: each for each in await self.engine.run()}

    def again(self, text: str | None = None, **changes: Any) -> Bench:
        """Return the next run of this recipe, or of a changed one, over the same cache."""
        told = {"params": self.params, "local": self.local, "models": self.models, "parts": self.parts}
        told |= {"realm": self.realm, **changes}
        return Bench(text if text is not None else self.text, cache=self.cache, **told)


def plan_of(text: str, **told: Any) -> Plan:
    """Return the plan of a recipe in an empty world, or in the one that is told."""
    return Bench(text, **told).plan()


def statuses(results: Mapping[str, NodeResult]) -> dict[str, str]:
    """Return the status of each node."""
    return {node: result.status for node, result in results.items()}


DIAMOND = """
steps:
  top: {uses: text-to-image, with: {prompt: top}}
  left: {uses: image-to-image, with: {prompt: left, image: "${{ steps.top.image }}"}}
  right: {uses: image-to-image, with: {prompt: right, image: "${{ steps.top.image }}"}}
  bottom:
    uses: image-to-image
    with: {prompt: bottom, images: ["${{ steps.left.image }}", "${{ steps.right.image }}"]}
"""
WIDE = "steps:\n" + "".join(f"  s{at}: {{uses: text-to-image, with: {{prompt: p{at}}}}}\n" for at in range(7))


def failure(message: str = "no") -> StepError:
    """Return the error of a task that failed."""
    return StepError(Problem("task-failed", message))
