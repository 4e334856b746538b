"""Plan and run a recipe: the wiring of core, engine, steps and store."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from rhflow.app import delivery, memo
from rhflow.app.account import Account, check_key, open_account
from rhflow.app.delivery import Delivery
from rhflow.app.files import LocalFiles
from rhflow.app.load import Recipe, load
from rhflow.app.params import bind_params, names_of
from rhflow.app.records import RecallFromStore, RunJournal, WallClock
from rhflow.app.report import NO_REQUESTS, RunReport
from rhflow.app.request import Request
from rhflow.app.summary import Shape, summarize
from rhflow.app.variants import variants_of
from rhflow.core.budget import Spending, plan_problems
from rhflow.core.errors import BudgetError, Problem, RhflowError
from rhflow.core.events import Event
from rhflow.core.expand import expand
from rhflow.core.graph import Graph, Node
from rhflow.core.nesting import all_used
from rhflow.core.plan import Names, Plan, Reuse, Skip, World
from rhflow.core.planner import Planner
from rhflow.core.schedule import Schedule
from rhflow.core.variants import Variant, combine
from rhflow.engine.flight import SingleFlight
from rhflow.engine.run import Engine, NodeResult, Ports, status_of
from rhflow.steps.registry import Registry
from rhflow.store.store import Store

TRANSFERS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe with its parameters bound, ready to be planned or run."""

    request: Request
    recipe: Recipe
    store: Store
    planner: Planner
    files: LocalFiles
    params: Mapping[str, Any]
    run: str

    @property
    def graph(self) -> Graph:
        """The nodes and their edges."""
        return self.planner.graph


def new_run_id() -> str:
    """Return an id that sorts by time and reads well."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


@contextmanager
def prepared(request: Request, recipe: Recipe | None = None) -> Iterator[Prepared]:
    """Open the store and bind the parameters. Raises RhflowError."""
    recipe = recipe or load(request.recipe)
    run = new_run_id()
    facts = {"id": run, "date": time.strftime("%Y-%m-%d")}
    variants = variants_of(request, recipe.pipeline)
    with Store.open(request.settings.store) as store:
        files = LocalFiles(store, request.recipe.parent)
        params = {
            f"{each.label}/" if each.label else "": bind_params(request, recipe.pipeline, files, extra=each.params)
            for each in variants or [Variant("", {})]
        }
        names = {scope: names_of(recipe.pipeline, values, facts) for scope, values in params.items()}
        if variants:
            recipe = replace(recipe, pipeline=combine(recipe.pipeline, variants))
        first = next(iter(names.values()))
        recall = RecallFromStore(store, recipe.pipeline.name, request.realm)
        world = World(recall, first, request.realm, files, request.selection, names, files.beside)
        planner = Planner(recipe.pipeline, _graph(recipe, names), recipe.calls, world)
        yield Prepared(request, recipe, store, planner, files, params.get("", {}), run)


def _graph(recipe: Recipe, names: Mapping[str, Names]) -> Graph:
    scopes = {
        scope: {"params": each.params, "vars": each.vars, "env": each.env, "run": each.run}
        for scope, each in names.items()
    }
    return expand(recipe.pipeline, scopes=scopes)


def make_plan(request: Request) -> tuple[Plan, Recipe]:
    """Return what a run would do, and the recipe. Raises RhflowError."""
    with prepared(request) as ready:
        return ready.planner.plan(), ready.recipe


class Watcher(Protocol):
    """Is told what happens in a run."""

    def start(self, ready: Prepared, plan: Plan) -> None:
        """The plan stands; nothing has run yet."""

    def event(self, event: Event) -> None:
        """A fact was recorded."""

    def interrupted(self, running: int) -> None:
        """The user asked to stop: nothing more starts, ``running`` nodes are waited for."""


async def run(request: Request, watcher: Watcher) -> tuple[RunReport, Sequence[RhflowError]]:
    """Carry a recipe out and return what came of it, with the errors of nodes that failed.

    Raises RhflowError when it cannot begin, CancelledError when the user leaves while it runs.
    """
    with prepared(request) as ready:
        generation = ready.store.memos.generation()
        plan = ready.planner.plan()
        watcher.start(ready, plan)
        if all(isinstance(each, Reuse | Skip) for each in plan.decisions.values()):
            report, chosen = _reuse(ready, plan)
            errors: list[RhflowError] = []
        else:
            over = plan_problems(ready.recipe.pipeline, plan, allow_unknown=request.allow_unknown_cost)
            if over:
                raise BudgetError(over)
            check_key(request)
            report, chosen, errors = await _execute(ready, watcher)
        if report.status == "succeeded" and not errors and _may_be_kept(ready):
            inputs = ready.files.seen | ready.recipe.seen
            basis = memo.Basis(generation, ready.planner.world.names.env, inputs, chosen.digests)
            memo.keep(ready.store, request, replace(report, requests=NO_REQUESTS), basis)
        return report, errors


def _may_be_kept(ready: Prepared) -> bool:
    """Whether the same request will have the same answer.

    Not where the recipe reads the run's id or date, nor where only a part of it was asked for.
    """
    reads_run = any("run." in each.located.source.text for each in all_used(ready.recipe.pipeline))
    return ready.request.memo and ready.request.selection.everything and not reads_run


# --- everything is there ---------------------------------------------------------------------------------------------


def _reuse(ready: Prepared, plan: Plan) -> tuple[RunReport, Delivery]:
    """Point at the folder that holds these files already, or deliver them once more into a new one."""
    results = [
        NodeResult(node, "succeeded", True, each.entry) if isinstance(each, Reuse) else NodeResult(node, "skipped")
        for node, each in plan.decisions.items()
    ]
    chosen = delivery.choose(ready.planner)
    found = delivery.find_folder(ready.store, chosen, ready.request.out)
    run, folder = found or (ready.run, _folder(ready))
    restored = delivery.hand_over(ready.store, chosen, folder) if chosen.files else 0
    if chosen.files:
        delivery.settle(ready.store, chosen, ready.request.out, run=run, folder=folder)
    shape = Shape(run, ready.request.realm, ready.graph)
    report = summarize(shape, results, chosen, folder=folder if chosen.files else None)
    return replace(report, reused=True, restored=restored if found else 0), chosen


# --- something must run ----------------------------------------------------------------------------------------------


async def _execute(ready: Prepared, watcher: Watcher) -> tuple[RunReport, Delivery, list[RhflowError]]:
    request, began = ready.request, time.monotonic()
    journal = RunJournal(ready.store, ready.run, watcher.event)
    await journal.record("run.started", None, _started(ready), durable=True)
    async with open_account(request, ready.store, ready.recipe.catalog) as account:
        engine = _engine(ready, account, journal)
        try:
            with _signals(engine, watcher):
                results = await engine.run()
        except asyncio.CancelledError:
            await journal.record("run.finished", None, {"status": "interrupted", "requests": account.requests()})
            raise
        requests = account.requests()
    status = status_of(results, interrupted=engine.interrupted, over_budget=engine.over_budget is not None)
    chosen = delivery.choose(ready.planner)
    folder = _folder(ready)
    if chosen.files:
        delivery.hand_over(ready.store, chosen, folder)
        delivery.settle(ready.store, chosen, request.out, run=ready.run, folder=folder)
        await journal.record(
            "run.delivered", None, {"folder": str(folder), "files": [name for name, _ in chosen.files]}
        )
    shape = Shape(ready.run, request.realm, ready.graph)
    report = summarize(shape, results, chosen, folder=folder if chosen.files else None)
    report = replace(report, status=status, requests=requests, seconds=time.monotonic() - began)
    await journal.record("run.finished", None, {"status": status, "requests": requests})
    errors = [_placed(ready, each) for each in results if each.error is not None]
    return report, chosen, [*errors, *([BudgetError(engine.over_budget)] if engine.over_budget else [])]


def _started(ready: Prepared) -> dict[str, Any]:
    pipeline = ready.recipe.pipeline
    shown = {name: _plain(value) for name, value in ready.params.items() if not pipeline.params[name].secret}
    return {
        "pipeline": pipeline.name,
        "recipe": os.fspath(ready.request.recipe.absolute()),
        "realm": ready.request.realm,
        "params": shown,
        "given": [_portable(ready, *each) for each in ready.request.params if not pipeline.params[each[0]].secret],
        "site": ready.request.settings.base_url if ready.request.settings.loopback else None,
        "params_file": None if ready.request.params_file is None else os.fspath(ready.request.params_file.absolute()),
        "out": os.fspath(ready.request.out.absolute()),
        "sweep": [list(each) for each in ready.request.sweep],
        "batch": None if ready.request.batch is None else os.fspath(ready.request.batch.absolute()),
        "nodes": len(ready.graph),
    }


def _portable(ready: Prepared, name: str, text: str) -> list[str]:
    """Return a parameter as given, a relative path made absolute: a run can be resumed from any folder."""
    param = ready.recipe.pipeline.params[name]
    local = param.is_media and "://" not in text and not text.startswith("sha256:")
    return [name, os.fspath(Path(text).expanduser().absolute()) if local else text]


def _plain(value: Any) -> Any:
    return f"sha256:{value.digest}" if hasattr(value, "digest") else value


def _engine(ready: Prepared, account: Account, journal: RunJournal) -> Engine:
    steps = [step for each in all_used(ready.recipe.pipeline) for step in each.steps.values()]
    named = {step.pool: 1 for step in steps if step.pool is not None}
    own = {"account": ready.request.jobs, "transfer": TRANSFERS_AT_ONCE, "local": os.cpu_count() or 1}
    pools = {**named, **own, **dict(ready.request.pools)}
    kinds = ready.recipe.calls.kinds

    def seconds(node: Node) -> float:
        return kinds[node.step.kind].typical_seconds

    ports = Ports(
        executor=Registry(account.tools, kinds),
        cache=ready.planner.world.recall,  # type: ignore[arg-type]
        journal=journal,
        flight=SingleFlight(ready.store.locks),
        clock=WallClock(),
        spending=Spending(ready.recipe.pipeline),
    )
    return Engine(ready.planner, Schedule(ready.graph, ready.graph.urgency(seconds), pools), ports)


@contextmanager
def _signals(engine: Engine, watcher: Watcher) -> Iterator[None]:
    """Let the first Ctrl-C start nothing more, and the second (or SIGTERM) leave at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        if engine.interrupted:
            task.cancel()
        else:
            engine.interrupt()
            watcher.interrupted(engine.running)

    handled = []
    for number, handler in ((signal.SIGINT, interrupt), (signal.SIGTERM, task.cancel)):
        try:
            loop.add_signal_handler(number, handler)
            handled.append(number)
        except (NotImplementedError, RuntimeError, ValueError):
            pass  # Windows, or not the main thread: Python's own KeyboardInterrupt leaves at once
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def _folder(ready: Prepared) -> Path:
    return ready.request.out / ready.recipe.pipeline.name / ready.run


def _placed(ready: Prepared, result: NodeResult) -> RhflowError:
    """Return a node's error with the place of its step for every problem that has none."""
    assert result.error is not None
    pipeline = ready.recipe.pipeline
    span = pipeline.located.key_span(ready.graph.nodes[result.node].step.pointer)

    def placed(problem: Problem) -> Problem:
        if problem.span is not None:
            return problem
        named = problem.message if f"`{result.node}`" in problem.message else f"step `{result.node}`: {problem.message}"
        return replace(problem, span=span, message=named)

    return type(result.error)([placed(each) for each in result.error.problems])
