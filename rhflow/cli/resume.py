"""``rhflow resume``: go on with a run that ended early, or at least fetch what it paid for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhflow.cli import leftovers, render
from rhflow.cli.leftovers import UNKNOWN, OnUnknown
from rhflow.cli.options import JSON, RUN, STORE, pair
from rhflow.cli.run import run_request
from rhflow.core.errors import Problem, RecipeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rhflow.settings import Settings


@click.command("resume")
@RUN
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A secret parameter once more: no run keeps it.",
)
@click.option("--all", "everything", is_flag=True, help="Fetch what any run left open, and run nothing.")
@UNKNOWN
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Deliver here, not where it did.")
@STORE
@JSON
def command(
    run: str,
    params: Sequence[str],
    everything: bool,
    unknown: OnUnknown | None,
    out: Path | None,
    store: Path | None,
    as_json: bool,
) -> int:
    """Go on with a run that ended early.

    Its recipe runs again, with its parameters: tasks in flight are waited for, not sent again. Where the recipe is
    gone, the results that were paid for are fetched all the same.
    """
    from rhflow.app.past.history import find_run
    from rhflow.app.past.resume import request_again
    from rhflow.settings import read_settings

    settings = read_settings(store=store)
    if everything:
        return _fetch(settings, unknown, recipe=None, as_json=as_json)
    past = find_run(settings, run)
    request = request_again(settings, past, [pair(each) for each in params])
    if past.running:
        hint = f"wait for it, or stop it: `rhflow cancel {past.record.id}`"
        raise UsageError(Problem("still-running", f"run `{past.record.id}` is running", hint=hint))
    if not request.recipe.exists():
        _fetch(settings, unknown, recipe=past.record.recipe, as_json=as_json)
        hint = "put it back, or run the recipe where it is now: what was fetched is found by what it does"
        raise UsageError(Problem("no-such-file", f"the recipe `{request.recipe}` is not there any more", hint=hint))
    ask = unknown is None and leftovers.can_ask() and not as_json
    request = replace(request, on_unknown=unknown or "fail", ask_unknown=ask)
    try:
        return run_request(request if out is None else replace(request, out=out), as_json=as_json)
    except (RecipeError, UsageError) as error:
        raise error.with_problems(_with_way_out(error.problems) if past.open else error.problems) from error


def _with_way_out(problems: Sequence[Problem]) -> Sequence[Problem]:
    """Say how to have what is paid for although the recipe, as it is now, cannot run."""
    hint = "`rhflow resume --all` fetches what is paid for already, and runs nothing"
    *others, last = problems
    return [*others, replace(last, hint=f"{last.hint}; {hint}" if last.hint else hint)]


def _fetch(settings: Settings, unknown: OnUnknown | None, *, recipe: str | None, as_json: bool) -> int:
    """Fetch what runs left open and tell of it; returns 5 when something stays open that nobody can settle alone."""
    import asyncio

    from rhflow.app.past.resume import fetch_open

    found = asyncio.run(fetch_open(settings, unknown or "fail", recipe=recipe))
    if as_json:
        render.document([each.to_json() for each in found])
    else:
        fetched = sum(each.outcome == "fetched" for each in found)
        click.echo(f"{render.plural(fetched, 'result')} fetched" if found else "nothing is open")
        for line in leftovers.lines(found):
            render.say(line)
    return 5 if any(each.open for each in found) else 0
