"""``rhflow runs``: what was run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, STORE

if TYPE_CHECKING:
    from rhflow.app.past.history import Listed


@click.command("runs")
@click.option("-n", "limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@STORE
@JSON
def command(limit: int, store: Path | None, as_json: bool) -> None:
    """List earlier runs, the newest first."""
    from rhflow.app.past.history import list_runs
    from rhflow.settings import read_settings

    found = list_runs(read_settings(store=store), limit)
    if as_json:
        render.document([_document(each) for each in found])
        return
    if not found:
        render.say("no runs yet: `rhflow run RECIPE` makes one")
        return
    click.echo(render.table(("run", "recipe", "status", "", "started", "open"), [_cells(each) for each in found]))
    unfinished = [each for each in found if each.open and not _runs(each)]
    if found[0].record.status == "died":
        unfinished.insert(0, found[0])
    if unfinished:
        render.say(f"`rhflow resume {unfinished[0].record.id}` goes on with that run and fetches what it has open")


def _runs(listed: Listed) -> bool:
    return listed.record.status == "running"


def _cells(listed: Listed) -> tuple[str, ...]:
    run = listed.record
    simulated = "simulated" if run.realm == "simulated" else ""
    return run.id, run.pipeline, run.status, simulated, _when(run.started), str(listed.open or "")


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _document(listed: Listed) -> dict[str, Any]:
    names = ("id", "pipeline", "recipe", "realm", "status", "started", "ended")
    return {name: getattr(listed.record, name) for name in names} | {"open": listed.open}
