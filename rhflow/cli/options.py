"""Options that several commands share, and the request they make."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rhflow.app.request import Request
from rhflow.core.errors import Problem, UsageError
from rhflow.core.graph.select import Selection
from rhflow.settings import read_settings

if TYPE_CHECKING:
    from rhflow.app.account.questions import Service

F = TypeVar("F", bound=Callable[..., Any])

RECIPE = click.argument("recipe", type=click.Path(path_type=Path))
STORE = click.option(
    "--store", type=click.Path(path_type=Path), metavar="DIR", help="Where results are kept. Default: RHFLOW_STORE."
)
CATALOG = click.option(
    "--catalog", type=click.Path(path_type=Path), metavar="FILE", help="Models from this file. Default: RHFLOW_CATALOG."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("outputs"), metavar="DIR", help="Deliver here."
)
_PARAMS = click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter.")
_PARAMS_FILE = click.option(
    "--params", "params_file", type=click.Path(path_type=Path), metavar="FILE", help="Parameters from YAML or JSON."
)
_SWEEP = click.option(
    "--sweep", multiple=True, metavar="NAME=A,B", help="Run for every value, as in ratio=9:16,16:9 or seed=1..8."
)
_BATCH = click.option(
    "--batch", type=click.Path(path_type=Path), metavar="FILE", help="Run for every row of a .csv or .jsonl."
)
_SIMULATE = click.option("--simulate", is_flag=True, help="Run on a simulator: free, offline, visibly marked.")
SIMULATE = click.option("--simulate", is_flag=True, help="Ask a simulator instead of the service.")

FAULTS = click.option(
    "--faults", type=click.Path(path_type=Path), metavar="FILE", help="Let things go wrong by this plan."
)
HOST = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen. Anything else opens it to the network."
)
PAGE = click.option("--page", type=click.IntRange(min=1), default=1, help="Which page of the list.")
RUN = click.argument("run", default="latest")


class _Speed(click.FloatRange):
    """A number in a range; `nan`, which no range holds off, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{found} is not a number", param, ctx)
        return found


SPEED = click.option(
    "--speed",
    type=_Speed(min=0.01, max=1e6),
    default=20.0,
    show_default=True,
    help="Simulated seconds per second, on a simulator.",
)
TASK = click.argument("task")
YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
WEBHOOK = click.option(
    "--webhook", metavar="URL", help="Have the end of every task told there too. Default: RHFLOW_WEBHOOK."
)


def port_option(default: int) -> Callable[[F], F]:
    """Return the option that says which port to listen on."""
    return click.option(
        "--port", type=click.IntRange(0, 65535), default=default, show_default=True, help="0 picks a free one."
    )


def recipe_options(command: F) -> F:
    """Add what says which recipe is meant, with which parameters, in which realm and store."""
    for option in (CATALOG, STORE, _SIMULATE, _BATCH, _SWEEP, _PARAMS_FILE, _PARAMS, RECIPE):
        command = option(command)
    return command


_SELECTION = (
    click.option("--only", multiple=True, metavar="STEP", help="Run these steps, or items (`clip[hero]`), alone."),
    click.option(
        "--from",
        "start",
        multiple=True,
        metavar="STEP",
        help="Run these and what depends on them; with --until, what lies between.",
    ),
    click.option(
        "--until",
        multiple=True,
        metavar="STEP",
        help="Run these and all that they need; with --from, what lies between.",
    ),
    click.option("--force", multiple=True, metavar="STEP", help="Make these anew, although their results are there."),
    click.option("--no-cache", "force_all", is_flag=True, help="Make everything anew that runs."),
)


def selection_options(command: F) -> F:
    """Add what says which part of a recipe is meant."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


def service_of(simulate: bool, store: Path | None = None) -> Service:
    """Return whom a command asks that is about no recipe."""
    from rhflow.app.account.questions import Service

    return Service(read_settings(store=store), simulate)


def make_request(recipe: Path, options: dict[str, Any]) -> Request:
    """Return the request of a command's options."""
    settings = read_settings(
        store=options.pop("store"), catalog=options.pop("catalog"), webhook=options.pop("webhook", None)
    )
    params = tuple(pair(each) for each in options.pop("params"))
    sweep = tuple(pair(each, "--sweep") for each in options.pop("sweep"))
    chosen = Selection(**{name: options.pop(name) for name in ("only", "start", "until", "force", "force_all")})
    pools = tuple(_pool(each) for each in options.pop("pools", ()))
    return Request(
        recipe=recipe, settings=settings, params=params, sweep=sweep, pools=pools, selection=chosen, **options
    )


def pair(text: str, option: str = "-p") -> tuple[str, str]:
    """Return the name and the value of ``NAME=VALUE``; raises UsageError where there is no `=`."""
    name, mark, value = text.partition("=")
    if not mark:
        hint = f"write `{option} {name or 'name'}=value`"
        raise UsageError(Problem("bad-option", f"`{option} {text}` has no `=`", hint=hint))
    return name.strip(), value


def _pool(text: str) -> tuple[str, int]:
    name, _, size = text.partition("=")
    if not size.isdigit() or int(size) < 1:
        hint = f"write `--pool {name or 'name'}=2`"
        raise UsageError(Problem("bad-option", f"`--pool {text}` needs a name and a number from 1", hint=hint))
    return name.strip(), int(size)
