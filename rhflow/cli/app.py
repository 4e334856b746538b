"""``rhflow app``: find AI apps of the site, and what each one takes."""

from __future__ import annotations

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import JSON, PAGE, SIMULATE, service_of

_LONGEST = 60


@click.group("app", cls=Group)
def command() -> None:
    """List and explain the AI apps of the site."""


@command.command("list")
@click.option(
    "--sort", type=click.Choice(("recommended", "hottest", "newest")), default="recommended", help="Which first."
)
@PAGE
@click.option("--days", type=click.IntRange(min=1), default=7, help="How far back `hottest` looks.")
@SIMULATE
@JSON
def list_(sort: str, page: int, days: int, simulate: bool, as_json: bool) -> None:
    """List apps, a page at a time."""
    from rhflow.app.service.apps import list_apps

    found = list_apps(service_of(simulate), sort, page=page, days=days)
    if as_json:
        rows = [{"app": each.id, "title": each.title, "description": each.description} for each in found.items]
        render.document({"apps": rows, "total": found.total, "more": found.more})
        return
    if not found.items:
        click.echo("no apps" if page == 1 else "no apps on this page")
        return
    cells = [(each.id, each.title, _line(each.description)) for each in found.items]
    click.echo(render.table(("app", "title", "about"), cells))
    shown = render.part(len(cells), found.total, "app", then=page + 1 if found.more else None)
    render.say(f"\n{shown}; `rhflow app show APP` tells what one takes")


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
        render.document({"app": app, "name": form.name, "locked": form.locked, "inputs": inputs})
    elif not form.inputs:
        click.echo("the app does not tell what it takes: run it on the RunningHub site once")
    else:
        click.echo(click.style(form.name or app, bold=True) + (" (wants a password)" if form.locked else ""))
        click.echo(render.table(("name", "label", "type", "example", "choices"), map(apps.input_row, form.inputs)))
        render.say(f"\n`rhflow app show {app} --recipe` prints a recipe to try it")


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
        render.document([dict(each.raw) for each in found])
        return
    if not found:
        render.say(f"no styles: `rhflow app list` has the ids of apps, and {app} may be none of quick create")
        return
    click.echo(
        render.table(("style", "name", "words that call it up"), [(each.id, each.name, each.trigger) for each in found])
    )


def _line(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _LONGEST else f"{folded[: _LONGEST - 1]}…"
