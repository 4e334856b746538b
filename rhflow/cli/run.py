"""``rhflow run``: carry a recipe out, from the store as far as it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import leftovers, render
from rhflow.cli.leftovers import UNKNOWN, OnUnknown
from rhflow.cli.options import FAULTS, JSON, OUT, SPEED, WEBHOOK, make_request, recipe_options, selection_options
from rhflow.cli.values import value_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rhflow.app.report import NodeRow, RunReport
    from rhflow.app.request import Request
    from rhflow.core.errors import RhflowError

EXIT_CODES = {"succeeded": 0, "failed": 1, "unknown": 5, "over-budget": 6, "interrupted": 130}


@click.command("run")
@recipe_options
@selection_options
@OUT
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="At most so many tasks at a time. Default: what the account may."
)
@SPEED
@FAULTS
@click.option("--pool", "pools", multiple=True, metavar="NAME=N", help="Calls at the same time in a named pool.")
@click.option(
    "--allow-unknown-cost", is_flag=True, help="Begin calls of unknown price too, until the bills reach the budget."
)
@WEBHOOK
@UNKNOWN
@JSON
def command(recipe: Path, as_json: bool, faults: Path | None, unknown: OnUnknown | None, **options: Any) -> int:
    """Run a recipe. What was done and paid for is reused; only the rest runs."""
    ask = unknown is None and leftovers.can_ask() and not as_json
    request = replace(make_request(recipe, options), on_unknown=unknown or "fail", ask_unknown=ask)
    if faults is not None:
        from rhflow.app.simulator.faults import with_faults

        request = with_faults(request, faults)
    return run_request(request, as_json=as_json)


def run_request(request: Request, *, as_json: bool) -> int:
    """Answer a request from memory if nothing changed, or else run it; print the report and return the exit code."""
    from rhflow.app.runs import memo

    usual = request.memo and request.selection.everything
    report = memo.answer(request, whole=as_json) if usual else None
    errors: Sequence[RhflowError] = ()
    if report is None:
        report, errors = _run(request)
    if as_json:
        render.document(report.to_json())
    else:
        render.say(report_text(report))
    if errors:
        click.echo(err=True)
        render.problems([problem for error in errors for problem in error.problems])
    refused = [error.exit_code for error in errors if error.exit_code == 4]
    return refused[0] if refused and report.status == "failed" else EXIT_CODES[report.status]


def _run(request: Request) -> tuple[RunReport, Sequence[RhflowError]]:
    import asyncio

    from rhflow.app.runs.run import run
    from rhflow.cli.progress import make_progress

    try:
        with make_progress() as progress:
            return asyncio.run(run(replace(request, watched=progress.live), progress))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def report_text(report: RunReport) -> str:
    """Return a finished run as a table, with where the files are and what it cost."""
    rows = [_cells(each) for each in report.head]
    lines = [render.table(("step", "status", "", "cost", "seconds", "file"), rows)]
    if report.count > len(report.head):
        lines.append(f"… and {report.count - len(report.head):,} more: `rhflow show {report.run}` lists all")
    values = list(value_lines(report.told, report.values))
    return "\n".join([*lines, "", *values, *([""] if values else []), *_footer(report)])


def _cells(row: NodeRow) -> tuple[str, ...]:
    if row.status == "empty":
        return row.id, "0 items", "", "", "", ""
    origin = "" if row.status != "succeeded" else "cached" if row.cached else "new"
    files = row.files[0] + (f" (+{len(row.files) - 1})" if len(row.files) > 1 else "") if row.files else ""
    return row.id, row.status, origin, render.amount(row.cost), render.seconds(row.seconds), files


def _footer(report: RunReport) -> list[str]:
    lines = []
    if report.reused:
        steps = report.count - report.empty
        every = "the 1 step reused" if steps == 1 else f"all {render.plural(steps, 'step')} reused"
        made = every if steps else "no loop has an item"
        lines.append(f"nothing to run: {made}{'' if report.earlier else ', no request made'}")
        if report.restored:
            lines.append(f"restored {render.plural(report.restored, 'missing file')} from the store")
    spent = ", ".join(render.amount((amount, currency)) for currency, amount in report.currency_totals.items())
    if report.realm == "simulated":
        would = f"; live it would have cost about {spent}" if spent and not report.reused else ""
        lines.append(f"simulated: nothing was charged{would}")
    elif spent and not report.reused:
        lines.append(f"charged: {spent}")
    if report.faults is not None:
        lines.append(_faults(report.faults))
        if report.status == "unknown":
            lines.append("this simulator ends with its run, so `rhflow resume` sends such a call anew")
    if report.folder is not None:
        lines.append(f"files: {report.folder}")
    lines += leftovers.lines(report.earlier)
    if report.mend:
        lines.append("failed: every step is done, but not all could be delivered as the recipe asks")
        lines.append("mend it and `rhflow run RECIPE` again: nothing is paid again")
    elif report.status != "succeeded":
        lines.append(f"{report.status}; what is done is kept: `rhflow resume {report.run}` goes on from here")
    return lines


def _faults(told: Mapping[str, Any]) -> str:
    """Return what went wrong on purpose, and whether anything was paid for twice because of it."""
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(told["injected"].items())) or "none happened"
    twice = f"{told['duplicates']} of them again" if told["duplicates"] else "none of them twice"
    return f"faults: {listed}; the simulator accepted {render.plural(told['accepted'], 'call')}, {twice}"
