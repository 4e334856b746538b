"""``rhflow show``: one run in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, STORE


@click.command("show")
@click.argument("run", default="latest")
@STORE
@JSON
def command(run: str, store: Path | None, as_json: bool) -> None:
    """Show what became of every step of a run: by its id, the beginning of it, or the latest."""
    from rhflow.app.history import find_run
    from rhflow.settings import read_settings

    past = find_run(read_settings(store=store), run)
    if as_json:
        click.echo(json.dumps({"run": past.record.id, **past.view.data, "nodes": _nodes(past.view)}, indent=2))
        return
    realm = " (simulated)" if past.record.realm == "simulated" else ""
    click.echo(f"{past.record.id}: {past.record.pipeline}{realm}, {past.record.status}")
    for name, value in past.view.data.get("params", {}).items():
        click.echo(f"  {name} = {value}")
    rows = [
        (
            each["id"],
            each["status"],
            each["model"] or "",
            each["task_id"] or "",
            render.amount(each["cost"]),
            each["why"],
        )
        for each in _nodes(past.view)
    ]
    click.echo(render.table(("step", "status", "model", "task", "cost", "why"), rows))
    if folder := past.view.data.get("folder"):
        click.echo(f"files: {folder}")


def _nodes(view: Any) -> list[dict[str, Any]]:
    found = []
    for node in view.nodes.values():
        cost = node.data.get("cost")
        found.append(
            {
                "id": node.node,
                "status": node.status,
                "model": node.model,
                "task_id": node.task_id,
                "cost": tuple(cost) if cost else None,
                "seconds": node.data.get("seconds"),
                "files": node.data.get("files", []),
                "why": "; ".join(node.data.get("problems", [])) or node.data.get("why", ""),
            }
        )
    return found
