"""``rhflow resume``: go on with a run that ended early."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click

from rhflow.cli.options import JSON, STORE
from rhflow.cli.run import run_request
from rhflow.core.errors import Problem, UsageError


@click.command("resume")
@click.argument("run", default="latest")
@click.option("--unknown", type=click.Choice(["fail", "resubmit"]), default="fail", show_default=True)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("outputs"), metavar="DIR", help="Deliver here."
)
@STORE
@JSON
def command(run: str, unknown: str, out: Path, store: Path | None, as_json: bool) -> int:
    """Run the recipe of an earlier run again, with its parameters: tasks in flight are waited for, not sent again."""
    from rhflow.app.history import find_run
    from rhflow.app.request import Request
    from rhflow.settings import read_settings

    settings = read_settings(store=store)
    past = find_run(settings, run)
    recipe = Path(past.record.recipe)
    if not recipe.exists():
        hint = "put it back, or run the recipe where it is now: tasks in flight are found by what they do"
        raise UsageError(Problem("no-such-file", f"the recipe `{recipe}` is not there any more", hint=hint))
    request = Request(
        recipe=recipe,
        settings=settings,
        params=tuple((name, value) for name, value in past.view.data.get("given", [])),
        simulate=past.record.realm == "simulated",
        out=out,
        on_unknown=cast(Literal["fail", "resubmit"], unknown),
    )
    return run_request(request, as_json=as_json)
