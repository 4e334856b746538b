"""``rhflow graph``: the steps and what they wait for, as a drawing."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.cli.options import CATALOG, RECIPE


@click.command("graph")
@RECIPE
@CATALOG
@click.option("--format", "form", type=click.Choice(["mermaid", "dot"]), default="mermaid", help="Default: mermaid.")
def command(recipe: Path, catalog: Path | None, form: str) -> None:
    """Print the graph of a recipe as Mermaid or Graphviz DOT text."""
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.recipes.load import load
    from rhflow.core.graph.draw import dot, mermaid
    from rhflow.core.graph.expand import expand
    from rhflow.core.graph.graph import Node
    from rhflow.settings import read_settings

    pipeline = load(recipe, load_catalog(read_settings(catalog=catalog))).pipeline

    def label(node: Node) -> str:
        return f"{node.id}\n{node.step.kind}"

    click.echo((mermaid if form == "mermaid" else dot)(expand(pipeline), label, {}))
