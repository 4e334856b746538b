"""``rhflow validate``: what can be known to be wrong without running."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.cli import render
from rhflow.cli.options import CATALOG
from rhflow.core.errors import RhflowError


@click.command("validate")
@click.argument("recipes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECIPE...")
@CATALOG
def command(recipes: tuple[Path, ...], catalog: Path | None) -> int:
    """Check recipes and report every problem at once, without a request."""
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.recipes.load import load
    from rhflow.settings import read_settings

    settings = read_settings(catalog=catalog)
    models, own_comfyui = load_catalog(settings), settings.comfyui is not None
    worst = 0
    for path in recipes:
        try:
            recipe = load(path, models, own_comfyui=own_comfyui)
        except RhflowError as error:
            render.problems(error.problems)
            worst = worst or error.exit_code
            continue
        if recipe.warnings:
            render.problems(recipe.warnings)
        click.echo(f"{path}: {render.plural(len(recipe.pipeline.steps), 'step')}, valid")
    return worst
