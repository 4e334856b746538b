"""What is going on, while it goes on: live on a terminal, plain lines elsewhere. Both read the run's events."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import leftovers, render
from rhflow.cli.again import typed
from rhflow.cli.leftovers import OnUnknown
from rhflow.core.events import Event, NodeView, RunView

if TYPE_CHECKING:
    from rhflow.app.report import Doubt, Leftover
    from rhflow.app.runs.prepare import Prepared
    from rhflow.core.plan.plan import Plan

_WORDS = {
    "CREATE": "created", "QUEUED": "queued", "RUNNING": "running", "SUCCESS": "fetching the result",
    "BUSY": "waiting: the account is full, or the service busy", "WAITING": "waiting for a place of the account",
    "OFFLINE": "waiting: no connection",
    "KEY-REFUSED": "waiting: the key is refused, although it worked before",
    "RESUMED": "going on with its task",
    "UNANSWERED": "no reply came: waiting for its callback",
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
    """Return the line that says what is about to happen, and before it what must be made once more."""
    from rhflow.cli.plan import made_again, summary

    realm = " (simulated)" if ready.request.realm == "simulated" else ""
    return "\n".join([*made_again(plan), f"{ready.recipe.pipeline.name}{realm}: {summary(plan)}"])


def stopping(running: int) -> str:
    """Return the line that answers the first Ctrl-C."""
    waits = f"waiting for {render.plural(running, 'running step')}" if running else "nothing is running"
    return f"stopping: nothing more starts, {waits}; Ctrl-C again leaves now, `rhflow resume` goes on later"


class Lines:
    """One line per thing worth knowing."""

    live = False

    def start(self, ready: Prepared, plan: Plan) -> None:
        """Say what is about to happen; warnings first."""
        if ready.recipe.warnings:
            render.problems(ready.recipe.warnings)
        click.echo(opening(ready, plan), err=True)

    def event(self, event: Event) -> None:
        """Say what happened."""
        if event.node is not None and (text := _line(event)):
            click.echo(f"{event.node}: {text}", err=True)
        elif (text := _assumed(event)) is not None:
            click.echo(text, err=True)

    def interrupted(self, running: int) -> None:
        """Say what a second Ctrl-C does."""
        click.echo(stopping(running), err=True)

    def fetched(self, found: Sequence[Leftover]) -> None:
        """Say what became of calls that were paid for earlier."""
        for line in leftovers.lines(found):
            click.echo(typed(line), err=True)

    def ask(self, doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
        """Ask what to do about calls whose outcome nobody knows."""
        return leftovers.ask(doubtful, tasks_now)


def _assumed(event: Event) -> str | None:
    """Return the line that tells of a limit which the service does not tell."""
    if event.type != "account.limit" or event.data["why"] is None:
        return None
    most = render.plural(event.data["most"], "task")
    return f"the account's limit is not known ({event.data['why']}): at most {most} at a time; `-j` sets another limit"


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


def state_of(node: NodeView) -> str:
    """Return what a running step is at: what its graph tells, or how its task stands."""
    if node.remote is None:
        return "preparing"
    told = node.progress
    if told is None:
        return _WORDS.get(node.remote, node.remote)
    name = f" ({told['class']})" if told["class"] else ""
    share = f" {told['percent']} %" if told["percent"] is not None else ""
    done = f", {told['done']} of {told['nodes']} nodes done" if told["nodes"] else ""
    return f"running, node {told['graph_node']}{name}{share}{done}"


class Live:
    """The running steps, redrawn in place a few times a second."""

    live = True

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
        if (text := _assumed(event)) is not None:
            self._console.print(text, highlight=False, markup=False, style="yellow")
        if event.type == "node.failed":
            self._console.print(f"{event.node}: {_line(event)}", highlight=False, markup=False, style="red")

    def interrupted(self, running: int) -> None:
        """Say what a second Ctrl-C does."""
        self._console.print(stopping(running), highlight=False, markup=False, style="yellow")

    def fetched(self, found: Sequence[Leftover]) -> None:
        """Say what became of calls that were paid for earlier, above what is drawn."""
        for line in leftovers.lines(found):
            self._console.print(typed(line), highlight=False, markup=False)

    def ask(self, doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
        """Ask what to do about calls whose outcome nobody knows; the view makes room for the question."""
        self._screen.stop()
        try:
            return leftovers.ask(doubtful, tasks_now)
        finally:
            self._screen.start()

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
        crowded = [node for node in running if node.remote == "WAITING"]
        running = [node for node in running if node.remote != "WAITING"]
        for node in running[:_MOST_LINES]:
            state = Text(state_of(node))
            grid.add_row(Text(node.node, style="bold"), state, f"{now - (node.started or now):.0f} s", node.model or "")
        if len(running) > _MOST_LINES:
            grid.add_row(f"… and {len(running) - _MOST_LINES} more")
        if crowded:
            names = crowded[0].node if len(crowded) == 1 else f"{crowded[0].node} and {len(crowded) - 1} more"
            grid.add_row(Text(names, style="dim"), _WORDS["WAITING"])
        grid.add_row(Text(f"{done} of {self._total} done", style="dim"))
        return grid
