"""``rhflow cache``: look after the store, whose results were paid for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import JSON, STORE, YES
from rhflow.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from rhflow.settings import Settings

_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZES = {unit: 1000**at for at, unit in enumerate(("b", "kb", "mb", "gb", "tb"))} | {
    f"{letter}ib": 1024**at for at, letter in enumerate("kmgt", 1)
}


def _quantity(what: str, units: Mapping[str, int], example: str) -> Callable[..., float | None]:
    """Return what turns an option such as ``30d`` or ``20GB`` into a number."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
        if value is None:
            return None
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", value.strip().lower())
        if match is None or match[2] not in units:
            hint = f"write a number with a unit ({', '.join(units)}), such as `{example}`"
            raise UsageError(Problem("bad-option", f"`{value}` is not {what}", hint=hint))
        return float(match[1]) * units[match[2]]

    return read


_AGE = _quantity("an age", _AGES, "30d")
_SIZE = _quantity("a size", _SIZES, "20GB")
_PIPELINE = click.option("--pipeline", metavar="NAME", help="Only what this recipe made or reused.")
_REALM = click.option("--realm", type=click.Choice(["live", "simulated"]), help="Only results of this realm.")


@click.group("cache", cls=Group)
def command() -> None:
    """Look after the store: what is in it, is it whole, what may go, what moves."""


@command.command("ls")
@_PIPELINE
@click.option("--model", metavar="MODEL", help="Only results of this model.")
@_REALM
@click.option("-n", "limit", type=click.IntRange(min=1), default=40, show_default=True, help="Show so many.")
@STORE
@JSON
def ls(store: Path | None, limit: int, as_json: bool, **wanted: Any) -> None:
    """List results, the newest first, with what they had cost and who used them last."""
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import listing, listing_document

    found = cache.list_results(_settings(store), cache.Filter(**wanted))
    if as_json:
        render.document(listing_document(found))
    else:
        render.say(listing(found, limit))


@command.command("verify")
@STORE
@JSON
def verify(store: Path | None, as_json: bool) -> int:
    """Read every file again. What is damaged is moved aside, and its results are named."""
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import findings, findings_document

    found = cache.check_store(_settings(store))
    recipes = cache.recipes_of(_settings(store), found.lost)
    if as_json:
        render.document(findings_document(found, recipes))
    else:
        render.say(findings(found, recipes))
    return 0 if found.sound else 1


@command.command("gc")
@click.option(
    "--keep-runs", type=click.IntRange(min=0), metavar="N", help="Keep what the last N runs of each recipe use."
)
@click.option("--older-than", callback=_AGE, metavar="AGE", help="Remove what was not used for so long, such as 30d.")
@click.option(
    "--max-size", callback=_SIZE, metavar="SIZE", help="Remove what was not used longest until the rest fits."
)
@click.option(
    "--lock", "locks", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="Keep what it names."
)
@_REALM
@click.option("--grace", callback=_AGE, default="1h", show_default=True, metavar="AGE", help="Keep what is younger.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@STORE
@JSON
def gc(store: Path | None, locks: tuple[Path, ...], dry_run: bool, as_json: bool, **told: Any) -> None:
    """Remove results and files that nothing needs.

    Kept in any case: what the last run of each recipe uses (--keep-runs 0 lifts that), what a lock file names, what a
    run is making or using now, and calls that are not settled. A lock file is any text with keys or digests in it:
    `rhflow plan RECIPE --json > recipe.lock`.
    """
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import swept, swept_document

    limits = cache.Limits(locked=cache.read_locks(locks), **told)
    done = cache.clean_up(_settings(store), limits, dry_run=dry_run)
    if as_json:
        render.document(swept_document(done, dry_run))
    else:
        click.echo(swept(done, dry_run))


@command.command("rm")
@click.argument("name", metavar="KEY|RUN|sha256:…")
@YES
@STORE
def rm(name: str, yes: bool, store: Path | None) -> int:
    """Remove results by their key, their run, or a file of theirs.

    The beginning of a name will do.
    """
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import about_to_go, gone

    with cache.doomed(_settings(store), name) as found:
        click.echo(about_to_go(found))
        if not yes and not click.confirm("remove?"):
            click.echo("nothing removed")
            return 1
        click.echo(gone(found.remove()))
    return 0


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--run", metavar="RUN", help="Only what this run made or reused.")
@_PIPELINE
@_REALM
@STORE
def export(file: Path, store: Path | None, **wanted: Any) -> None:
    """Write results with their files into FILE (.tar), to be imported on another machine."""
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import size

    done = cache.export_results(_settings(store), file, cache.Filter(**wanted))
    results, files = render.plural(done.results, "result"), render.plural(done.files, "file")
    click.echo(f"{file}: {results}, {files}, {size(done.bytes)}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@STORE
def take_in(file: Path, store: Path | None) -> None:
    """Take results in that were exported; what is here already stays as it is."""
    from rhflow.app.past import cache
    from rhflow.cli.cache_text import size

    done = cache.import_results(_settings(store), file)
    files = f"{render.plural(done.files, 'file')} ({size(done.bytes)})" if done.files else "no files"
    click.echo(f"{render.plural(done.results, 'result')} and {files} came in, {done.present:,} were here already")


def _settings(store: Path | None) -> Settings:
    from rhflow.settings import read_settings

    return read_settings(store=store)
