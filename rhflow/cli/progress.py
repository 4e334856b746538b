"""What is going on, while it goes on: live on a terminal, plain lines elsewhere. Both read the run's events."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.core.events import Event, RunView

if TYPE_CHECKING:
    from rhflow.app.run import Prepared
    from rhflow.core.plan import Plan

_WORDS = {
    "CREATE": "created", "QUEUED": "queued", "RUNNING": "running", "SUCCESS": "fetching the result",
    "BUSY": "waiting: the account is full", "OFFLINE": "waiting: no connection", "RESUMED": "going on with its task",
}  # fmt: skip
_MOST_LINES = 12


@contextmanager
def make_progress() -> Iterator[Lines | Live]:
    """Give what fits standard error: a live view on a terminal, else lines."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    live = Live()
    try:
        yield live
    finally:
        live.close()


def opening(ready: Prepared, plan: Plan) -> str:
    """Return the line that says what is about to happen."""
    from rhflow.cli.plan import summary

    realm = " (simulated)" if ready.request.realm == "simulated" else ""
    return f"{ready.recipe.pipeline.name}{realm}: {summary(plan)}"


def stopping(running: int) -> str:
    """Return the line that answers the first Ctrl-C."""
    waits = f"waiting for {render.plural(running, 'running step')}" if running else "nothing is running"
    return f"stopping: nothing more starts, {waits}; Ctrl-C again leaves now, `rhflow resume` goes on later"


class Lines:
    """One line per thing worth knowing."""

    def start(self, ready: Prepared, plan: Plan) -> None:
        """Say what is about to happen; warnings first."""
        if ready.recipe.warnings:
            render.problems(ready.recipe.warnings)
        click.echo(opening(ready, plan), err=True)

    def event(self, event: Event) -> None:
        """Say what happened."""
        if event.node is not None and (text := _line(event)):
            click.echo(f"{event.node}: {text}", err=True)

    def interrupted(self, running: int) -> None:
        """Say what a second Ctrl-C does."""
        click.echo(stopping(running), err=True)


def _line(event: Event) -> str | None:
    data: dict[str, Any] = event.data
    match event.type:
        case "node.started":
            return f"started{' with ' + data['model'] if data.get('model') else ''}"
        case "submit.accepted":
            return f"accepted as task {data['task_id']}"
        case "task.status":
            return _WORDS.get(data["status"])
        case "node.reused":
            return "reused"
        case "node.finished":
            details = [render.seconds(data["seconds"]), render.amount(tuple(data["cost"]) if data["cost"] else None)]
            told = ", ".join(each for each in details if each)
            return f"done{f' ({told})' if told else ''}"
        case "node.failed":
            return "failed: " + "; ".join(data["problems"])
        case "node.skipped":
            return f"not run: {data['why']}"
        case _:
            return None


class Live:
    """The running steps, redrawn in place a few times a second."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._console = Console(stderr=True)
        self._view = RunView("")
        self._total = 0
        self._screen = RichLive(console=self._console, get_renderable=self._draw, refresh_per_second=5, transient=True)
        self._open = False

    def start(self, ready: Prepared, plan: Plan) -> None:
        """Begin to draw."""
        if ready.recipe.warnings:
            render.problems(ready.recipe.warnings)
        self._console.print(opening(ready, plan), highlight=False, markup=False)
        self._total = len(plan.decisions)
        self._screen.start()
        self._open = True

    def event(self, event: Event) -> None:
        """Take a fact in; the next redraw shows it."""
        self._view.apply(event)
        if event.type == "node.failed":
            self._console.print(f"{event.node}: {_line(event)}", highlight=False, markup=False, style="red")

    def interrupted(self, running: int) -> None:
        """Say what a second Ctrl-C does."""
        self._console.print(stopping(running), highlight=False, markup=False, style="yellow")

    def close(self) -> None:
        """Give the terminal back."""
        if self._open:
            self._screen.stop()
            self._open = False

    def _draw(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        nodes = self._view.nodes.values()
        running = [node for node in nodes if node.status == "running"]
        done = sum(node.status == "succeeded" for node in nodes)
        grid = Table.grid(padding=(0, 2))
        now = time.time()
        for node in running[:_MOST_LINES]:
            state = _WORDS.get(node.remote or "", "preparing" if node.remote is None else node.remote)
            grid.add_row(Text(node.node, style="bold"), state, f"{now - (node.started or now):.0f} s", node.model or "")
        if len(running) > _MOST_LINES:
            grid.add_row(f"… and {len(running) - _MOST_LINES} more")
        grid.add_row(Text(f"{done} of {self._total} done", style="dim"))
        return grid
