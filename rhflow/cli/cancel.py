"""``rhflow cancel``: stop a run from another terminal."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.cli import leftovers, render
from rhflow.cli.options import JSON, RUN, STORE


@click.command("cancel")
@RUN
@click.option("--remote", is_flag=True, help="Leave at once, and cancel the tasks at the service.")
@STORE
@JSON
def command(run: str, remote: bool, store: Path | None, as_json: bool) -> None:
    """Stop a run.

    Once as Ctrl-C does: what is paid is waited for. A second time at once, everything resumable.
    """
    import asyncio

    from rhflow.app.past.cancel import cancel
    from rhflow.settings import read_settings

    done = asyncio.run(cancel(read_settings(store=store), run, remote=remote))
    if as_json:
        tasks = [each.to_json() for each in done.tasks]
        render.document({"run": done.run, "level": done.level, "tasks": tasks})
        return
    if not remote:
        render.say(_told(done.run, done.level))
    elif not done.tasks:
        click.echo(f"run {done.run} has left; it has nothing open at the service")
    for line in leftovers.lines(done.tasks):
        render.say(line)
    if any(each.outcome == "cancelled" for each in done.tasks):
        click.echo("whether a cancelled task is charged for what it did, the service does not say: look at the bill")


def _told(run: str, level: int | None) -> str:
    if level == 1:
        return (
            f"run {run} starts nothing more and waits for what is paid; `rhflow cancel {run}` once more ends it now, "
            "`--remote` also cancels its tasks"
        )
    return f"run {run} leaves now; what it has open is taken up by `rhflow resume {run}`"
