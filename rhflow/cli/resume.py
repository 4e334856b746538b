"""``rhflow resume``: go on with a run that ended early."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import click

from rhflow.cli.options import JSON, STORE
from rhflow.cli.run import run_request


@click.command("resume")
@click.argument("run", default="latest")
@click.option("--unknown", type=click.Choice(["fail", "resubmit"]), default="fail", show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Deliver here, not where it did.")
@STORE
@JSON
def command(run: str, unknown: Literal["fail", "resubmit"], out: Path | None, store: Path | None, as_json: bool) -> int:
    """Run the recipe of an earlier run again, with its parameters: tasks in flight are waited for, not sent again."""
    from rhflow.app.history import request_again
    from rhflow.settings import read_settings

    request = request_again(read_settings(store=store), run, unknown)
    return run_request(request if out is None else replace(request, out=out), as_json=as_json)
