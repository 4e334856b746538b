"""Run a recipe: the wiring of core, engine, steps and store."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from rhflow.app.account.account import Account, check_key, open_account
from rhflow.app.account.limits import asks_the_service, makes_paid_calls, seconds_by
from rhflow.app.catalog.in_force import pinned
from rhflow.app.report import NO_REQUESTS, Doubt, Leftover, RunReport
from rhflow.app.request import Request
from rhflow.app.runs import delivery, earlier, memo
from rhflow.app.runs.asked import told_of
from rhflow.app.runs.delivery import Delivery
from rhflow.app.runs.preflight import placed, preflight
from rhflow.app.runs.prepare import Prepared, prepared
from rhflow.app.runs.records import RunJournal, WallClock
from rhflow.app.runs.stopping import stoppable
from rhflow.app.runs.summary import Shape, summarize
from rhflow.core.errors import BudgetError, Problem, RecipeError, RhflowError
from rhflow.core.events import Event
from rhflow.core.graph.nesting import all_used
from rhflow.core.graph.schedule import Schedule
from rhflow.core.plan.budget import Spending, judge
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.former import OnUnknown
from rhflow.core.plan.plan import NOT_SELECTED, Decision, Gather, Plan, Reuse, Skip
from rhflow.engine.flight import SingleFlight
from rhflow.engine.outcome import NodeResult, status_of
from rhflow.engine.ports import Ports
from rhflow.engine.run import Engine
from rhflow.settings import read_pools
from rhflow.steps.registry import Registry
from rhflow.store.deliver import check_folder
from rhflow.store.journal import run_lock

TRANSFERS_AT_ONCE = 8


class Watcher(Protocol):
    """Is told what happens in a run."""

    def start(self, ready: Prepared, plan: Plan) -> None:
        """The plan stands; nothing has run yet."""

    def event(self, event: Event) -> None:
        """A fact was recorded."""

    def interrupted(self, running: int) -> None:
        """The user asked to stop: nothing more starts, ``running`` nodes are waited for."""

    def fetched(self, found: Sequence[Leftover]) -> None:
        """The run may not begin; this is what became of calls that earlier runs had paid for."""

    def ask(self, doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
        """Return what to do about calls whose outcome nobody knows; ``tasks_now`` is how many the account has now."""


async def run(request: Request, watcher: Watcher) -> tuple[RunReport, Sequence[RhflowError]]:
    """Carry a recipe out and return what came of it, with the errors of nodes that failed.

    Raises RhflowError when it cannot begin, CancelledError when the user leaves while it runs.
    """
    with prepared(request) as ready:
        generation = ready.store.memos.generation()
        plan = dry_run(ready.planner)
        watcher.start(ready, plan)
        if all(isinstance(each, Reuse | Skip | Gather) for each in plan.decisions.values()):
            report, chosen = _reuse(ready, plan)
            report = replace(report, earlier=await earlier.fetch_alone(ready))
            errors: list[RhflowError] = [RecipeError(chosen.problems)] if chosen.problems else []
        else:
            over = judge(ready.recipe.pipeline, plan, allow_unknown=request.allow_unknown_cost).problems
            if over:
                raise BudgetError(await _with_what_is_paid(ready, plan, over, watcher))
            if asks_the_service(plan, ready.recipe.calls.kinds):
                check_key(request)
            check_folder(_folder(ready))
            report, chosen, errors = await _execute(ready, plan, watcher)
        if report.status == "succeeded" and not errors and _may_be_kept(ready) and not report.leaves_open:
            inputs = ready.files.seen | ready.recipe.seen
            basis = memo.Basis(generation, ready.planner.world.names.env, inputs, chosen.digests, chosen.texts)
            memo.keep(ready.store, request, replace(report, requests=NO_REQUESTS), basis)
        return report, errors


async def _with_what_is_paid(
    ready: Prepared, plan: Plan, over: Sequence[Problem], watcher: Watcher
) -> Sequence[Problem]:
    """Fetch what earlier runs paid for, whatever the budget says of the rest; return why that may not begin."""
    found = await earlier.fetch_paid(ready, plan)
    watcher.fetched(found)
    if not any(each.outcome == "under-way" for each in found):
        return over
    hint = "`rhflow resume --all` waits for what is paid for already, and runs nothing"
    return [replace(each, hint=f"{each.hint}; {hint}" if each.hint else hint) for each in over]


def _may_be_kept(ready: Prepared) -> bool:
    """Whether the same request will have the same answer.

    Not where the recipe reads the run's id or date, nor where only a part of it was asked for.
    """
    reads_run = any("run." in each.located.source.text for each in all_used(ready.recipe.pipeline))
    return ready.request.memo and ready.request.selection.everything and not reads_run


# --- everything is there ---------------------------------------------------------------------------------------------


def _reuse(ready: Prepared, plan: Plan) -> tuple[RunReport, Delivery]:
    """Point at the folder that holds these files already, or deliver them once more, as a run of its own."""
    results = [_as_planned(node, each) for node, each in plan.decisions.items()]
    chosen = delivery.choose(ready.planner)
    found = delivery.find_folder(ready.store, chosen, _folder(ready).parent)
    run, folder = found or (ready.run, _folder(ready))
    restored = delivery.hand_over(ready.store, chosen, folder) if chosen.files else 0
    if chosen.files:
        delivery.settle(ready.store, chosen, run=run, folder=folder)
    shape, where = Shape(run, ready.request.realm, ready.graph), folder if chosen.files else None
    if found is None and (chosen.files or chosen.told):  # what had nothing to do is no run
        _record_reuse(ready, plan, chosen, where)
    report = summarize(shape, results, chosen, folder=where)
    report = replace(report, status=chosen.status, mend=bool(chosen.problems))
    return replace(report, reused=True, restored=restored if found else 0), chosen


def _record_reuse(ready: Prepared, plan: Plan, chosen: Delivery, folder: Path | None) -> None:
    """Note a run that only delivered, in one piece: nobody sees it half done."""
    facts = {**told_of(ready), "catalog": pinned(ready.request.settings, ready.recipe.catalog, plan)}
    told = [problem.message for problem in chosen.problems]
    ended = {"status": chosen.status, "requests": dict(NO_REQUESTS)} | ({"problems": told} if told else {})
    event, events = partial(Event, ready.run, time.time()), list[Event]()
    events.append(event("run.started", None, facts))
    for node, each in plan.decisions.items():
        if isinstance(each, Reuse):
            events.append(event("node.reused", node, {"key": each.entry.key}))
        elif isinstance(each, Skip) and each.why != NOT_SELECTED:
            events.append(event("node.skipped", node, {"why": each.why}))
    events += [event("run.delivered", None, chosen.to_event(folder)), event("run.finished", None, ended)]
    ready.store.journal.record_all(events)


def _as_planned(node: str, decision: Decision) -> NodeResult:
    match decision:
        case Reuse(_, entry):
            return NodeResult(node, "succeeded", True, entry)
        case Gather():
            return NodeResult(node, "empty")
        case _:
            return NodeResult(node, "skipped")


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
        chosen, folder, wrong = await _deliver(ready, journal)
        mend = bool(wrong) and status == "succeeded"
        facts = {"status": "failed" if mend else status, "requests": account.requests()}
        told = [problem.message for error in wrong for problem in error.problems]
        await journal.record("run.finished", None, facts | ({"problems": told} if told else {}))
        left = earlier.left_over(ready, but=engine.keys)
        found = await earlier.fetch(ready, account, left, wait=request.wait_for_earlier and not engine.interrupted)
        requests, faults = account.requests(), account.faults()
    report = summarize(Shape(ready.run, request.realm, ready.graph), results, chosen, folder=folder)
    report = replace(report, status="failed" if mend else status, mend=mend, requests=requests, faults=faults)
    report = replace(report, seconds=time.monotonic() - began)
    errors = [*(_placed(ready, each) for each in results if each.error is not None), *wrong]
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


async def _deliver(ready: Prepared, journal: RunJournal) -> tuple[Delivery, Path | None, list[RhflowError]]:
    """Hand over what has finished; returns it, the folder where it lies if there is anything, and what went wrong.

    Nothing that goes wrong here ends a run: what was paid is told of all the same.
    """
    chosen, folder = Delivery(), None
    wrong: list[RhflowError] = []
    try:
        chosen = delivery.choose(ready.planner)
        wrong += [RecipeError(chosen.problems)] if chosen.problems else []
        if chosen.files:
            delivery.hand_over(ready.store, chosen, _folder(ready))
            folder = _folder(ready)
            delivery.settle(ready.store, chosen, run=ready.run, folder=folder)
    except RhflowError as error:
        wrong.append(error)
    except BaseException as error:
        status = "failed" if isinstance(error, Exception) else "interrupted"
        await journal.record("run.finished", None, {"status": status})
        raise
    if folder is not None or chosen.told:
        await journal.record("run.delivered", None, chosen.to_event(folder))
    return chosen, folder, wrong


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
    return result.error.with_problems([placed(each, result.node, step) for each in result.error.problems])
