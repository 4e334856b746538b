"""``rhflow schema``: what an editor needs to complete and check recipes."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("schema")
@click.option("--full", is_flag=True, help="With the inputs of every model, not only kinds and models.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, not here.")
def command(full: bool, output: Path | None) -> None:
    """Print the JSON Schema of recipes for editors."""
    from rhflow.app.schemas import editor_schema, write_schema

    if output is None:
        click.echo(editor_schema(full=full), nl=False)
        return
    write_schema(output, full=full)
    click.echo(f"wrote {output}; name it at the top of a recipe: `# yaml-language-server: $schema={output}`")
