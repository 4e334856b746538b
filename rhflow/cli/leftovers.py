"""How calls that earlier runs left open are told of: by ``run``, ``resume`` and ``cancel`` alike."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import click

from rhflow.cli import render

if TYPE_CHECKING:
    from rhflow.app.report import Doubt, Leftover

OnUnknown = Literal["fail", "wait", "resubmit"]
UNKNOWN = click.option(
    "--unknown",
    type=click.Choice(["fail", "wait", "resubmit"]),
    help="What to do about an earlier call whose reply was lost: stop (the default, after asking on a terminal), leave "
    "it open and go on with the rest, or pay for a new one.",
)
_WORDS = {
    "fetched": "fetched into the store",
    "failed": "failed",
    "under-way": "still under way",
    "unknown": "sent, outcome unknown",
    "gone": "no longer at the service",
    "lost": "lost with its simulator",
    "given-up": "given up",
    "elsewhere": "on another site or account",
    "cancelled": "cancelled",
}
_SETTLE = (
    "`rhflow resume {run} --unknown=resubmit` pays for a new one, and `rhflow resume --all --unknown=resubmit` gives "
    "up every call whose result nobody can get"
)
_NEXT = {
    "under-way": "`rhflow resume {run}` waits for it",
    "unknown": f"look for it on the RunningHub site; {_SETTLE}",
    "gone": f"check the key and the site; {_SETTLE}",
    "elsewhere": "set RUNNINGHUB_SITE and the key to those of that run, then `rhflow resume {run}`",
}


def can_ask() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def lines(found: Sequence[Leftover]) -> Iterator[str]:
    """Yield what became of each call, where its files are, and once per state what to type next."""
    for each in found:
        if each.outcome == "lost":
            continue  # nothing that anybody paid for
        task = f" (task {each.task_id})" if each.task_id else ""
        why = f": {each.why}" if each.why else ""
        yield f"run {each.run}, {each.node}{task}: {_WORDS[each.outcome]}{why}"
        yield from (f"  {file}" for file in each.files)
    hints = {each.outcome: each for each in reversed(found) if each.outcome in _NEXT}
    yield from (_NEXT[outcome].format(run=each.run) for outcome, each in hints.items())


def ask(doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
    """Ask on the terminal what to do about calls whose outcome nobody knows."""
    rows = [
        (each.node, each.run, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.at)), each.price)
        for each in doubtful
    ]
    click.echo(f"{render.plural(len(rows), 'call')} sent earlier, and no reply tells what came of it:", err=True)
    click.echo(render.table(("step", "run", "sent", "price"), rows), err=True)
    if tasks_now is not None:
        click.echo(
            f"the account has {render.plural(tasks_now, 'task')} now; one that was accepted and has ended is not "
            "among them: look at the task list on the RunningHub site",
            err=True,
        )
    texts: dict[OnUnknown, str] = {
        "wait": "leave it open, go on with everything else",
        "resubmit": "pay for a new one",
        "fail": "stop when a step needs it",
    }
    for name, text in texts.items():
        click.echo(f"  {name}: {text}", err=True)
    with _left_by_ctrl_c():
        while True:
            said = click.prompt("which (wait, resubmit, fail)", default="fail", err=True).strip()
            for name in texts:
                if said == name:
                    return name
            click.echo(f"`{said}` is none of the answers; type `wait`, `resubmit` or `fail`", err=True)


@contextmanager
def _left_by_ctrl_c() -> Iterator[None]:
    """Let one Ctrl-C end a question: asyncio's own way is to cancel the task, which cannot notice while it asks."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
