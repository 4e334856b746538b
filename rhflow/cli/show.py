"""``rhflow show``: one run in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, RUN, STORE
from rhflow.cli.values import value_lines

if TYPE_CHECKING:
    from rhflow.app.past.history import NodeState, PastRun


@click.command("show")
@RUN
@STORE
@JSON
def command(run: str, store: Path | None, as_json: bool) -> None:
    """Show what became of every step of a run.

    RUN is its id, the beginning of that, or `latest`.
    """
    from rhflow.app.past.history import find_run
    from rhflow.settings import read_settings

    past = find_run(read_settings(store=store), run)
    nodes = list(past.nodes())
    if as_json:
        facts = {"run": past.record.id, **past.view.data, "status": past.record.status}
        render.document({**facts, "nodes": [_document(each) for each in nodes]})
        return
    realm = " (simulated)" if past.record.realm == "simulated" else ""
    click.echo(f"{past.record.id}: {past.record.pipeline}{realm}, {past.record.status}")
    for name, value in past.view.data.get("params", {}).items():
        click.echo(f"  {name} = {value}")
    click.echo(render.table(("step", "status", "model", "task", "cost", "why"), [_cells(each) for each in nodes]))
    for line in _outcome(past):
        click.echo(line)
    if totals := _totals(nodes):
        click.echo(f"{'it would have cost' if realm else 'charged'}: {totals}")
    if folder := past.view.data.get("folder"):
        click.echo(f"files: {folder}")
    for line in _next(past, nodes):
        render.say(line)


def _outcome(past: PastRun) -> Iterator[str]:
    """Yield the outputs that are values, and what could not be delivered."""
    from rhflow.app.report import Told

    told = [Told(*each) for each in past.view.data.get("values", [])]
    yield from value_lines(told, len(told))
    for problem in past.view.data.get("problems", []):
        yield f"not delivered as asked: {problem}"


def _cells(node: NodeState) -> tuple[str, ...]:
    return node.id, node.status, node.model or "", node.task_id or "", render.amount(node.cost), node.why


def _totals(nodes: Sequence[NodeState]) -> str:
    """Return what the run's own calls cost, by currency."""
    from rhflow.app.report import pairs  # imported late: start-up has no use for it

    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in nodes:
        if each.cost is not None:
            for amount, currency in pairs(each.cost):
                sums[currency] += Decimal(amount)
    return ", ".join(render.amount((str(amount), currency)) for currency, amount in sums.items())


def _next(past: PastRun, nodes: list[NodeState]) -> Iterator[str]:
    """Yield what to type next."""
    run, states = past.record.id, {each.status for each in nodes}
    if past.running:
        yield f"`rhflow cancel {run}` lets it end early: what is paid is waited for"
        return
    if "open" in states:
        yield f"`rhflow resume {run}` fetches what is open; `rhflow cancel {run} --remote` cancels it"
    if "unknown" in states:
        yield (
            "unknown: no reply tells whether it was accepted; look for the task on the RunningHub site, then "
            f"`rhflow resume {run} --unknown=resubmit` pays for a new one"
        )
    if not states & {"open", "unknown"} and past.record.status != "succeeded":
        yield f"`rhflow resume {run}` goes on from here; what is done is not paid again"


def _document(node: NodeState) -> dict[str, Any]:
    names = ("id", "status", "model", "task_id", "cost", "seconds", "files", "why")
    return {name: getattr(node, name) for name in names}
