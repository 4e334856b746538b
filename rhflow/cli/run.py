"""``rhflow run``: carry a recipe out, from the store as far as it goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import leftovers, render
from rhflow.cli.leftovers import UNKNOWN, OnUnknown
from rhflow.cli.options import JSON, OUT, WEBHOOK, make_request, recipe_options, selection_options

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
@click.option("--speed", type=click.FloatRange(min=0.01), default=20.0, show_default=True, help="Of the simulator.")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Let things go wrong by this plan.")
@click.option("--pool", "pools", multiple=True, metavar="NAME=N", help="Calls at the same time in a named pool.")
@click.option("--allow-unknown-cost", is_flag=True, help="Run although no price is known.")
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
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(report_text(report))
    for error in errors:
        click.echo(err=True)
        render.problems(error.problems)
    refused = [error.exit_code for error in errors if error.exit_code == 4]
    return refused[0] if refused and report.status == "failed" else EXIT_CODES[report.status]


def _run(request: Request) -> tuple[RunReport, Sequence[RhflowError]]:
    import asyncio

    from rhflow.app.runs.run import run
    from rhflow.cli.progress import make_progress

    try:
        with make_progress() as progress:
            return asyncio.run(run(request, progress))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def report_text(report: RunReport) -> str:
    """Return a finished run as a table, with where the files are and what it cost."""
    rows = [_cells(each) for each in report.head]
    lines = [render.table(("step", "status", "", "cost", "seconds", "file"), rows)]
    if report.count > len(report.head):
        lines.append(f"… and {report.count - len(report.head):,} more: `rhflow show {report.run}` lists all")
    return "\n".join([*lines, "", *_footer(report)])


def _cells(row: NodeRow) -> tuple[str, ...]:
    origin = "" if row.status != "succeeded" else "cached" if row.cached else "new"
    files = row.files[0] + (f" (+{len(row.files) - 1})" if len(row.files) > 1 else "") if row.files else ""
    return row.id, row.status, origin, render.amount(row.cost), render.seconds(row.seconds), files


def _footer(report: RunReport) -> list[str]:
    lines = []
    if report.reused:
        steps = "the 1 step" if report.count == 1 else f"all {render.plural(report.count, 'step')}"
        lines.append(f"nothing to run: {steps} reused{'' if report.earlier else ', no request made'}")
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
    if report.folder is not None:
        lines.append(f"files: {report.folder}")
    lines += leftovers.lines(report.earlier)
    if report.status != "succeeded":
        lines.append(f"{report.status}; what is done is kept: `rhflow resume {report.run}` goes on from here")
    return lines


def _faults(told: Mapping[str, Any]) -> str:
    """Return what went wrong on purpose, and whether anything was paid for twice because of it."""
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(told["injected"].items())) or "none happened"
    twice = f"{told['duplicates']} of them again" if told["duplicates"] else "none of them twice"
    return f"faults: {listed}; the simulator accepted {render.plural(told['accepted'], 'call')}, {twice}"
