"""``rhflow workflow``: look into a workflow of the site before a recipe runs it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import JSON, PAGE, SIMULATE, service_of

_LONGEST = 48


@click.group("workflow", cls=Group)
def command() -> None:
    """Look into ComfyUI workflows of the site, by their ids."""


@command.command("show")
@click.argument("workflow")
@click.option("--recipe", is_flag=True, help="Print nothing but a recipe that runs it.")
@SIMULATE
@JSON
def show(workflow: str, recipe: bool, simulate: bool, as_json: bool) -> None:
    """List what a `comfyui` step can set in a workflow, with the values it has now."""
    from rhflow.app.service.workflows import WorkflowGuide

    guide = WorkflowGuide.fetch(service_of(simulate), workflow)
    if recipe:
        click.echo(guide.recipe(), nl=False)
        return
    inputs = list(guide.inputs())
    if as_json:
        rows = [{"node": each.node, "title": each.title, "name": each.name, "value": each.value} for each in inputs]
        render.document({"workflow": workflow, "inputs": rows})
        return
    click.echo(
        render.table(("name", "node", "value now"), [(each.name, each.title, _short(each.value)) for each in inputs])
    )
    count = f"{render.plural(len(inputs), 'input')} of {render.plural(len(guide.graph), 'node')}"
    render.say(f"\n{count} can be set; `rhflow workflow show {workflow} --recipe` prints a recipe to try it")


@command.command("export")
@click.argument("workflow")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file.")
@SIMULATE
def export(workflow: str, out: Path | None, simulate: bool) -> None:
    """Print the graph of a workflow in API format: what `graph:` takes."""
    from rhflow.app.service.workflows import WorkflowGuide

    guide = WorkflowGuide.fetch(service_of(simulate), workflow)
    text = guide.export(out)
    click.echo(
        text if out is None else f"{render.plural(len(guide.graph), 'node')} written to {out}", nl=out is not None
    )


@command.command("resources")
@click.argument("words", metavar="[WORD]", default="")
@click.option(
    "--type",
    "type_",
    type=click.Choice(["checkpoint", "lora", "unet", "gguf"]),
    default="checkpoint",
    show_default=True,
    help="What kind of model file.",
)
@click.option("--base-model", "base_models", multiple=True, metavar="NAME", help="Only those made for this base model.")
@PAGE
@SIMULATE
@JSON
def resources(words: str, type_: str, base_models: tuple[str, ...], page: int, simulate: bool, as_json: bool) -> None:
    """List public model files that loader nodes can name, those with WORD in their name."""
    from rhflow.app.service.workflows import list_resources

    found = list_resources(service_of(simulate), type_, words, base_models=base_models, page=page)
    if as_json:
        rows = [{"name": each.name, "node_value": each.node_value} for each in found.items]
        render.document({"resources": rows, "total": found.total, "more": found.more})
        return
    if not found.items:
        click.echo(f"no {type_} files{' of that name' * bool(words)}" if page == 1 else "no files on this page")
        return
    cells = [(each.node_value, each.name) for each in found.items]
    click.echo(render.table(("value of a loader node", "name"), cells))
    click.echo(f"\n{render.part(len(cells), found.total, 'file', then=page + 1 if found.more else None)}")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
