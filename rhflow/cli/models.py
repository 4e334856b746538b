"""``rhflow models``: what can be called, what it takes and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.models_text import listing, model_text
from rhflow.cli.options import CATALOG, JSON, SIMULATE, STORE, F
from rhflow.cli.prices import QUOTE, UPLOAD, priced_document, priced_text, require_quote
from rhflow.core.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from decimal import Decimal

    from rhflow.app.catalog.in_force import Update
    from rhflow.app.catalog.models import Entry, ModelGuide
    from rhflow.app.catalog.wanted import Wanted

_NAMED = 8


class _Group(Group):
    def instead(self, name: str, ctx: click.Context) -> str | None:
        hint = did_you_mean(name, self.list_commands(ctx), limit=0)
        return hint or f"`rhflow models show {name}` for a model, `rhflow models search {name}` for a word"


_OPTIONS = (
    click.option(
        "--kind", "--task", "kinds", metavar="KIND", multiple=True, help="Only those that serve this kind of step."
    ),
    click.option("--output", metavar="FAMILY", help="Only those that give image, video, audio, model3d or text."),
    click.option("--vendor", metavar="VENDOR", help="Only those of this vendor."),
    click.option("--max-price", metavar="CNY", help="Only those where a call is known to cost no more than that."),
    click.option(
        "--duration", type=click.IntRange(min=1), metavar="SECONDS", help="Only those that offer this length."
    ),
    click.option("--resolution", metavar="NAME", help="Only those that offer this, as in 1080p or 4k."),
    click.option("--aspect-ratio", metavar="W:H", help="Only those that offer this, as in 9:16."),
    click.option("--audio", is_flag=True, help="Only those that give sound, alone or with a clip."),
    click.option("--last-frame", is_flag=True, help="Only those that take a last frame next to the first."),
)


def _wanted_options(command: F) -> F:
    """Add what says which models are wanted."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("models", cls=_Group)
def command() -> None:
    """List, search and explain the models that steps can name."""


@command.command("list")
@_wanted_options
@click.option("--all", "every", is_flag=True, help="Also those withdrawn, and those that cannot be called.")
@CATALOG
@JSON
def list_models(as_json: bool, catalog: Path | None, **wanted: Any) -> None:
    """List models with what they do and what they cost."""
    guide = _guide(catalog)
    found = guide.select(_wanted(**wanted))
    _print(guide, found if as_json else guide.by_kind(found), as_json=as_json)


@command.command("search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@_wanted_options
@CATALOG
@JSON
def search(words: tuple[str, ...], as_json: bool, catalog: Path | None, **wanted: Any) -> None:
    """Find models by what they do or by parts of their names, the best first.

    Every word must hold, as in `text to video`, `kling 10 s`, `cheap portrait clip with sound`.
    """
    guide = _guide(catalog)
    _print(guide, guide.search(words, _wanted(**wanted)), as_json=as_json)


@command.command("show")
@click.argument("model")
@click.option("--recipe", is_flag=True, help="Print nothing but a recipe that calls it.")
@CATALOG
@JSON
def show(model: str, as_json: bool, catalog: Path | None, recipe: bool) -> None:
    """Explain one model: its price, its inputs, and a recipe to try it with."""
    guide = _guide(catalog)
    found = guide.find(model)
    if recipe:
        click.echo(guide.recipe(found), nl=False)
        return
    if as_json:
        render.document(guide.to_json(found))
    else:
        render.say(model_text(guide, found))


@command.command("price")
@click.argument("model")
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@QUOTE
@UPLOAD
@SIMULATE
@CATALOG
@STORE
@JSON
def price(
    model: str, inputs: tuple[str, ...], as_json: bool, catalog: Path | None, store: Path | None, **how: bool
) -> None:
    """Tell what one call costs with these inputs, and else with everything at its default."""
    from rhflow.app.service.prices import price_of
    from rhflow.settings import read_settings

    require_quote(quote=how["quote"], upload=how["upload"])
    priced = price_of(read_settings(store=store, catalog=catalog), model, [_pair(each) for each in inputs], **how)
    if as_json:
        render.document(priced_document(priced))
    else:
        click.echo(priced_text(priced))


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise UsageError(Problem("bad-option", f"`{text}` is no input", hint="write `name=value`, as in `duration=10`"))
    return name, value


@command.command("update")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--shipped", is_flag=True, help="Go back to the catalogue that came with rhflow.")
@STORE
def update(file: Path | None, shipped: bool, store: Path | None) -> None:
    """Use the catalogue in FILE from now on, for every run with this store."""
    from rhflow.app.catalog.in_force import forget_catalog, keep_catalog
    from rhflow.settings import read_settings

    settings = read_settings(store=store)
    if (file is None) != shipped:
        hint = "`rhflow models update FILE`, or `rhflow models update --shipped`"
        raise UsageError(Problem("bad-option", "name a file, or `--shipped`, but not both", hint=hint))
    if file is None:
        gone = forget_catalog(settings)
        click.echo("the shipped catalogue is used again" if gone else "the shipped catalogue is used already")
        return
    click.echo(_update_text(keep_catalog(settings, file)))


def _update_text(update: Update) -> str:
    lines = [f"catalogue of {update.as_of}: {render.plural(update.count, 'model')}, kept in {update.file}"]
    for word, names in (("new", update.new), ("changed", update.changed), ("gone", update.gone)):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            lines.append(f"  {word}: {', '.join(names[:_NAMED])}{more}")
    if update.ignored:
        places = ", ".join(update.ignored[:_NAMED])
        more = f" and {len(update.ignored) - _NAMED} more" if len(update.ignored) > _NAMED else ""
        lines.append(f"  left out, this rhflow does not know it: {places}{more}")
    return "\n".join(lines)


def _guide(catalog: Path | None) -> ModelGuide:
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.catalog.models import ModelGuide
    from rhflow.settings import read_settings

    return ModelGuide(load_catalog(read_settings(catalog=catalog)))


def _wanted(
    *,
    max_price: str | None,
    duration: int | None,
    resolution: str | None,
    aspect_ratio: str | None,
    last_frame: bool,
    **same: Any,
) -> Wanted:
    from rhflow.app.catalog.wanted import Wanted

    return Wanted(
        max_price=None if max_price is None else _amount(max_price),
        seconds=duration,
        resolution=None if resolution is None else resolution.casefold(),
        ratio=aspect_ratio,
        first_and_last=last_frame,
        **same,
    )


def _amount(text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        found = Decimal(text.casefold().removesuffix("cny").strip())
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        hint = "write an amount in CNY, as in `--max-price 0.5`"
        raise UsageError(Problem("bad-option", f"`--max-price {text}` is no amount", hint=hint))
    return found


def _print(guide: ModelGuide, entries: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        render.document([each.to_json() for each in entries])
    elif entries:
        render.say(listing(guide, entries))
    else:
        click.echo("no model is all of that")
