"""``rhflow schema``: what an editor needs to complete and check recipes."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.cli.options import CATALOG


@click.command("schema")
@click.option("--full", is_flag=True, help="With the inputs of every model, not only kinds and models.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, not here.")
@CATALOG
def command(full: bool, output: Path | None, catalog: Path | None) -> None:
    """Print the JSON Schema of recipes for editors."""
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.catalog.schemas import editor_schema, write_schema
    from rhflow.settings import read_settings

    models = load_catalog(read_settings(catalog=catalog))
    if output is None:
        click.echo(editor_schema(full=full, catalog=models), nl=False)
        return
    write_schema(output, full=full, catalog=models)
    click.echo(f"wrote {output}; name it at the top of a recipe: `# yaml-language-server: $schema={output}`")
