"""``rhflow models``: what can be called, what it takes and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.options import CATALOG, JSON, STORE
from rhflow.core.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from rhflow.app.catalog.in_force import Update
    from rhflow.app.catalog.models import Entry, ModelGuide
    from rhflow.core.kinds import Model

_NAMED = 8
SUBCOMMANDS = ("list", "search", "show", "update")


class _Group(click.Group):
    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and name not in SUBCOMMANDS:
            hint = did_you_mean(name, SUBCOMMANDS, limit=0)
            hint = hint or f"`rhflow models show {name}` for a model, `rhflow models search {name}` for a word"
            raise UsageError(Problem("unknown-command", f"`{name}` is not a command of `rhflow models`", hint=hint))
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)


@click.group("models", cls=_Group, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List, search and explain the models that steps can name."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
    return 2


@command.command("list")
@click.option("--task", metavar="TASK", help="Only those that serve this task or kind of step.")
@click.option("--output", metavar="FAMILY", help="Only those that give image, video, audio, model3d or text.")
@click.option("--vendor", metavar="VENDOR", help="Only those of this vendor.")
@click.option("--all", "every", is_flag=True, help="Also those withdrawn, and those that cannot be called.")
@CATALOG
@JSON
def list_models(as_json: bool, catalog: Path | None, **wanted: Any) -> None:
    """List models with what they do and what they cost."""
    from rhflow.app.catalog.models import Wanted

    guide = _guide(catalog)
    _print(guide, guide.select(Wanted(**wanted)), as_json=as_json)


@command.command("search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@CATALOG
@JSON
def search(words: tuple[str, ...], as_json: bool, catalog: Path | None) -> None:
    """Find models by parts of their name, vendor, family or task: every word must be there."""
    guide = _guide(catalog)
    _print(guide, guide.search(words), as_json=as_json)


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
    click.echo(_json(guide.to_json(found)) if as_json else model_text(guide, found))


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


def _print(guide: ModelGuide, entries: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        click.echo(_json([each.to_json() for each in entries]))
        return
    if not entries:
        click.echo("no model is all of that")
        return
    rows = [(each.model.id, ", ".join(each.model.tasks), each.model.output, each.price, each.mark) for each in entries]
    click.echo(render.table(("model", "tasks", "gives", "list price", ""), rows))
    count = render.plural(len(entries), "model")
    click.echo(f"\n{count}; catalogue of {guide.as_of}; `rhflow models show MODEL` tells more")


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def model_text(guide: ModelGuide, model: Model) -> str:
    """Return a model in full."""
    parts = [_head(guide, model), _inputs(model)]
    recipe = guide.example(model)
    if recipe is not None:
        how = f"rhflow models show {model.id} --recipe > try.yaml && rhflow run try.yaml --simulate"
        parts.append(f"to try it: `{how}`\n\n{recipe.rstrip()}")
    return "\n\n".join(parts)


def _head(guide: ModelGuide, model: Model) -> str:
    entry = guide.entry(model)
    price, *rules = _price(entry)
    facts = [
        ("title", model.title),
        ("endpoint", model.endpoint),
        ("vendor", model.vendor),
        ("tasks", ", ".join(model.tasks)),
        ("does", guide.does(model)),
        ("status", _status(entry)),
        ("price", price),
        *(("", each) for each in rules),
    ]
    return "\n".join([click.style(model.id, bold=True), *(f"  {name:8}  {text}" for name, text in facts)])


def _price(entry: Entry) -> list[str]:
    """Return the price at defaults, what is counted, the day of the list, and the rules, a line each."""
    from rhflow.core.inputs.describe import price_lines

    first, *rules = price_lines(entry.model)
    price = entry.model.price
    if price is None:
        return [first]
    whole = first if price.unit == "call" and not rules else f"{entry.price} at defaults; {first}"
    return [whole + (f" (list of {price.as_of})" if price.as_of else ""), *rules]


def _status(entry: Entry) -> str:
    model = entry.model
    if not model.callable:
        instead = f"; use {model.successor}" if model.successor else ""
        return f"cannot be called: {model.note or 'too little is known of it'}{instead}"
    return ", ".join(filter(None, (model.status if model.status == "active" else "", entry.mark)))


def _inputs(model: Model) -> str:
    from rhflow.app.catalog.models import inputs_of, stand_ins

    if not model.fields:
        return "its inputs are not known"
    rows = []
    for each in inputs_of(model):
        default = "required" if each.required else "" if each.default is None else f"default {each.default}"
        takes = "; ".join(filter(None, (each.values, each.limits)))
        rows.append((each.name, each.own, each.type, default, takes))
    lines = [render.table(("input", "service's name", "type", "", "takes"), rows)]
    for group in model.any_of:
        names = [model.by_name[name].alias or name for name in group]
        lines.append("needs " + " or ".join(f"`{name}`" for name in names))
    for rule in model.implied:
        first, then = (model.by_name[name].alias or name for name in (rule.field, rule.then))
        with_value = f"{first}: {rule.value}" if rule.value else first
        lines.append(f"`{with_value}` {'needs' if rule.only else 'sets'} `{then}: {rule.becomes}`")
    for meant, others in stand_ins(model).items():
        lines.append(" and ".join(f"`{name}`" for name in others) + f" stand{'s' * (len(others) == 1)} for `{meant}`")
    return "\n".join(lines)
