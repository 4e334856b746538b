"""``rhflow runs``: what was run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, STORE


@click.command("runs")
@click.option("-n", "limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@STORE
@JSON
def command(limit: int, store: Path | None, as_json: bool) -> None:
    """List earlier runs, the newest first."""
    from rhflow.app.history import list_runs
    from rhflow.settings import read_settings

    found = list_runs(read_settings(store=store), limit)
    if as_json:
        click.echo(json.dumps([_document(each) for each in found], indent=2))
        return
    if not found:
        click.echo("no runs yet: `rhflow run RECIPE` makes one")
        return
    rows = [(each.id, each.pipeline, each.status, _realm(each.realm), _when(each.started)) for each in found]
    click.echo(render.table(("run", "recipe", "status", "", "started"), rows))


def _realm(realm: str) -> str:
    return "simulated" if realm == "simulated" else ""


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _document(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ("id", "pipeline", "recipe", "realm", "status", "started", "ended")}
