"""``rhflow app``: find AI apps of the site, and what each one takes."""

from __future__ import annotations

import json

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, SIMULATE, service_of

_LONGEST = 60


@click.group("app")
def command() -> None:
    """List and explain the AI apps of the site."""


@command.command("list")
@click.option(
    "--sort", type=click.Choice(("recommended", "hottest", "newest")), default="recommended", help="Which first."
)
@click.option("--page", type=click.IntRange(min=1), default=1, help="Which page of the list.")
@click.option("--days", type=click.IntRange(min=1), default=7, help="How far back `hottest` looks.")
@SIMULATE
@JSON
def list_(sort: str, page: int, days: int, simulate: bool, as_json: bool) -> None:
    """List apps, a page at a time."""
    from rhflow.app.service.apps import list_apps

    found = list_apps(service_of(simulate), sort, page=page, days=days)
    if as_json:
        rows = [{"app": each.id, "title": each.title, "description": each.description} for each in found.items]
        click.echo(json.dumps({"apps": rows, "total": found.total, "more": found.more}, indent=2, ensure_ascii=False))
        return
    click.echo(
        render.table(
            ("app", "title", "about"), [(each.id, each.title, _line(each.description)) for each in found.items]
        )
    )
    more = f"; `--page {page + 1}` goes on" if found.more else ""
    click.echo(
        f"\n{len(found.items)} of {render.plural(found.total, 'app')}{more}; `rhflow app show APP` tells what one takes"
    )


@command.command("show")
@click.argument("app")
@click.option("--recipe", is_flag=True, help="Print nothing but a recipe that runs it.")
@SIMULATE
@JSON
def show(app: str, recipe: bool, simulate: bool, as_json: bool) -> None:
    """List what an app takes, by every name that an `app` step may use."""
    from rhflow.app.service import apps

    form = apps.show_app(service_of(simulate), app)
    if recipe:
        click.echo(apps.recipe(app, form), nl=False)
    elif as_json:
        inputs = [apps.input_json(each) for each in form.inputs]
        document = {"app": app, "name": form.name, "locked": form.locked, "inputs": inputs}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif not form.inputs:
        click.echo("the app does not tell what it takes: run it on the RunningHub site once")
    else:
        click.echo(click.style(form.name or app, bold=True) + (" (wants a password)" if form.locked else ""))
        click.echo(render.table(("name", "label", "type", "example", "choices"), map(apps.input_row, form.inputs)))
        click.echo(f"\n`rhflow app show {app} --recipe` prints a recipe to try it")


@command.command("styles")
@click.argument("app")
@click.option("--type", "type_", type=int, default=2, help="The type that the module's call example has.")
@SIMULATE
@JSON
def styles(app: str, type_: int, simulate: bool, as_json: bool) -> None:
    """List the styles of a quick create module."""
    from rhflow.app.service.apps import list_styles

    found = list_styles(service_of(simulate), app, type_)
    if as_json:
        click.echo(json.dumps([dict(each.raw) for each in found], indent=2, ensure_ascii=False))
        return
    click.echo(
        render.table(("style", "name", "words that call it up"), [(each.id, each.name, each.trigger) for each in found])
    )


def _line(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _LONGEST else f"{folded[: _LONGEST - 1]}…"
