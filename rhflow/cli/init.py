"""``rhflow init``: a recipe to begin with, and the schema an editor needs to help."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.core.errors import Problem, UsageError

SCHEMA = Path(".rhflow") / "pipeline.schema.json"
STARTER = """\
# yaml-language-server: $schema=.rhflow/pipeline.schema.json
rhflow: 1
name: {name}
description: A picture from a text, and a clip that moves it.

params:
  subject: {{type: string, default: "a lighthouse on a cliff at dusk"}}
  motion: {{type: string, default: slow push in}}

steps:
  still:
    uses: text-to-image
    with:
      prompt: ${{{{ params.subject }}}}, soft light
      aspect_ratio: 16:9

  clip:
    uses: image-to-video
    with:
      image: ${{{{ steps.still.image }}}}
      prompt: ${{{{ params.motion }}}}
      duration: 5

outputs:
  picture: ${{{{ steps.still.image }}}}
  clip: ${{{{ steps.clip.video }}}}
"""


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("recipe.yaml"))
def command(path: Path) -> None:
    """Write a starter recipe to PATH (recipe.yaml), with completion and checks for editors."""
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.catalog.schemas import write_schema
    from rhflow.app.recipes.load import _name
    from rhflow.settings import read_settings

    if path.suffix not in (".yaml", ".yml"):
        path = path / "recipe.yaml"
    if path.exists():
        raise UsageError(Problem("exists", f"`{path}` is already there", hint="name another file"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STARTER.format(name=_name(path)), encoding="utf-8")
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror or error}"
        raise UsageError(Problem("unwritable", message, hint="name another file")) from error
    write_schema(path.parent / SCHEMA, full=True, catalog=load_catalog(read_settings()))
    click.echo(f"wrote {path}; try it for free: `rhflow run {path} --simulate`")
