"""Plan and run a recipe: the wiring of core, engine, steps and store."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rhflow.app.account.account import Account, check_key, open_account
from rhflow.app.account.limits import asks_the_service, makes_paid_calls, seconds_by
from rhflow.app.catalog.in_force import load_catalog, pinned
from rhflow.app.recipes.files import LocalFiles
from rhflow.app.recipes.load import Recipe, load
from rhflow.app.recipes.params import bind_params, names_of
from rhflow.app.recipes.variants import variants_of
from rhflow.app.report import NO_REQUESTS, Doubt, RunReport
from rhflow.app.request import Request
from rhflow.app.runs import delivery, earlier, memo
from rhflow.app.runs.asked import told_of
from rhflow.app.runs.delivery import Delivery
from rhflow.app.runs.preflight import check_here, placed, preflight
from rhflow.app.runs.records import RecallFromStore, RunJournal, WallClock
from rhflow.app.runs.stopping import stoppable
from rhflow.app.runs.summary import Shape, summarize
from rhflow.core.errors import BudgetError, RhflowError
from rhflow.core.events import Event
from rhflow.core.graph.expand import expand
from rhflow.core.graph.graph import Graph
from rhflow.core.graph.nesting import all_used
from rhflow.core.graph.schedule import Schedule
from rhflow.core.graph.variants import Variant, combine
from rhflow.core.plan.budget import Spending, plan_problems
from rhflow.core.plan.plan import Names, Plan, Reuse, Skip, World
from rhflow.core.plan.planner import Planner
from rhflow.engine.flight import SingleFlight
from rhflow.engine.outcome import NodeResult, status_of
from rhflow.engine.run import Engine, Ports
from rhflow.settings import read_pools
from rhflow.steps.context import OnUnknown
from rhflow.steps.registry import Registry
from rhflow.store.journal import run_lock
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
    recipe = recipe or load(request.recipe, load_catalog(request.settings), own_comfyui=request.comfyui is not None)
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
        plan = ready.planner.plan()
        check_here(plan)
        return plan, ready.recipe


class Watcher(Protocol):
    """Is told what happens in a run."""

    def start(self, ready: Prepared, plan: Plan) -> None:
        """The plan stands; nothing has run yet."""

    def event(self, event: Event) -> None:
        """A fact was recorded."""

    def interrupted(self, running: int) -> None:
        """The user asked to stop: nothing more starts, ``running`` nodes are waited for."""

    def ask(self, doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
        """Return what to do about calls whose outcome nobody knows; ``tasks_now`` is how many the account has now."""


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
            report = replace(report, earlier=await earlier.fetch_alone(ready))
            errors: list[RhflowError] = []
        else:
            over = plan_problems(ready.recipe.pipeline, plan, allow_unknown=request.allow_unknown_cost)
            if over:
                raise BudgetError(over)
            if asks_the_service(plan, ready.recipe.calls.kinds):
                check_key(request)
            report, chosen, errors = await _execute(ready, plan, watcher)
        if report.status == "succeeded" and not errors and _may_be_kept(ready) and not report.leaves_open:
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


async def _execute(ready: Prepared, plan: Plan, watcher: Watcher) -> tuple[RunReport, Delivery, list[RhflowError]]:
    request, began = ready.request, time.monotonic()
    keyed = asks_the_service(plan, ready.recipe.calls.kinds)
    paid = keyed and makes_paid_calls(plan)
    opened = open_account(request, ready.store, ready.recipe.catalog, run=ready.run, paid=paid, keyed=keyed)
    async with opened as account:
        account = await earlier.decided(ready, account, watcher)
        registry = Registry(account.tools, ready.recipe.calls.kinds)
        await preflight(plan, registry)
        ready.store.locks.try_acquire(run_lock(ready.run))  # nobody else knows the id yet; held while this lives
        journal = RunJournal(ready.store, ready.run, watcher.event)
        facts = {**told_of(ready), "catalog": pinned(request.settings, ready.recipe.catalog, plan)}
        await journal.record("run.started", None, facts, durable=True)
        if paid:
            facts = {"limit": account.limit.count, "most": account.tools.slots.most, "why": account.limit.why}
            await journal.record("account.limit", None, facts)
        engine = _engine(ready, plan, account, registry, journal)
        results = await _carry_out(engine, ready, account, journal, watcher)
        status = status_of(results, interrupted=engine.interrupted, over_budget=engine.over_budget is not None)
        chosen, folder = await _deliver(ready, journal)
        await journal.record("run.finished", None, {"status": status, "requests": account.requests()})
        left = earlier.left_over(ready, but=engine.keys)
        found = await earlier.fetch(ready, account, left, wait=request.wait_for_earlier and not engine.interrupted)
        requests, faults = account.requests(), account.faults()
    report = summarize(Shape(ready.run, request.realm, ready.graph), results, chosen, folder=folder)
    report = replace(report, status=status, requests=requests, seconds=time.monotonic() - began, faults=faults)
    errors = [_placed(ready, each) for each in results if each.error is not None]
    if engine.over_budget is not None:
        errors.append(BudgetError(engine.over_budget))
    return replace(report, earlier=found), chosen, errors


async def _carry_out(
    engine: Engine, ready: Prepared, account: Account, journal: RunJournal, watcher: Watcher
) -> list[NodeResult]:
    """Run the engine to its end; whatever ends it early is noted, and leaves what is open to be taken up."""
    try:
        async with stoppable(engine, watcher.interrupted, partial(ready.store.stops.level, ready.run)):
            return await engine.run()
    except BaseException as error:
        status = "failed" if isinstance(error, Exception) else "interrupted"
        await journal.record("run.finished", None, {"status": status, "requests": account.requests()})
        raise


async def _deliver(ready: Prepared, journal: RunJournal) -> tuple[Delivery, Path | None]:
    """Hand over what has finished; returns it, and the folder where it lies if there is anything."""
    chosen, folder = delivery.choose(ready.planner), _folder(ready)
    if not chosen.files:
        return chosen, None
    try:
        delivery.hand_over(ready.store, chosen, folder)
        delivery.settle(ready.store, chosen, ready.request.out, run=ready.run, folder=folder)
    except RhflowError:
        await journal.record("run.finished", None, {"status": "failed"})
        raise
    names = [name for name, _ in chosen.files]
    await journal.record("run.delivered", None, {"folder": str(folder), "files": names})
    return chosen, folder


# --- the wiring ------------------------------------------------------------------------------------------------------


def _engine(ready: Prepared, plan: Plan, account: Account, registry: Registry, journal: RunJournal) -> Engine:
    steps = [step for each in all_used(ready.recipe.pipeline) for step in each.steps.values()]
    named = {step.pool: 1 for step in steps if step.pool is not None}
    own = {"transfer": TRANSFERS_AT_ONCE, "local": os.cpu_count() or 1}
    pools = {**named, **own, **read_pools(Path.cwd()), **dict(ready.request.pools), "account": account.tools.slots.most}
    kinds = ready.recipe.calls.kinds
    seconds = seconds_by(plan, kinds, account.tools.expected)
    ports = Ports(
        executor=registry,
        cache=ready.planner.world.recall,  # type: ignore[arg-type]
        journal=journal,
        flight=SingleFlight(ready.store.locks),
        clock=WallClock(),
        spending=Spending(ready.recipe.pipeline),
        keep_open=account.tools.on_unknown == "wait",
    )
    return Engine(ready.planner, Schedule(ready.graph, ready.graph.urgency(seconds), pools), ports)


def _folder(ready: Prepared) -> Path:
    return ready.request.out / ready.recipe.pipeline.name / ready.run


def _placed(ready: Prepared, result: NodeResult) -> RhflowError:
    """Return a node's error with the place of its step for every problem that has none."""
    assert result.error is not None
    step = ready.graph.nodes[result.node].step
    return type(result.error)([placed(each, result.node, step) for each in result.error.problems])
