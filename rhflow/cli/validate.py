"""``rhflow validate``: what can be known to be wrong without running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rhflow.cli import render
from rhflow.cli.options import CATALOG, JSON
from rhflow.core.errors import Problem, RhflowError


@click.command("validate")
@click.argument("recipes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECIPE...")
@CATALOG
@JSON
def command(recipes: tuple[Path, ...], catalog: Path | None, as_json: bool) -> int:
    """Check recipes and report every problem at once, without a request."""
    found = list(_checked(recipes, catalog))
    if as_json:
        render.document([each.to_json() for each in found])
    else:
        _show(found)
    return next((each.exit_code for each in found if each.exit_code), 0)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A recipe with what is wrong with it, or how many steps it has."""

    path: Path
    problems: Sequence[Problem]
    exit_code: int = 0
    steps: int = 0

    def to_json(self) -> dict[str, Any]:
        told = [render.problem_document(each) for each in self.problems]
        return {"recipe": str(self.path), "valid": not self.exit_code, "problems": told}


def _checked(recipes: Sequence[Path], catalog: Path | None) -> Iterator[_Checked]:
    from rhflow.app.catalog.in_force import load_catalog
    from rhflow.app.recipes.load import load
    from rhflow.settings import read_settings

    settings = read_settings(catalog=catalog)
    models, own_comfyui = load_catalog(settings), settings.comfyui is not None
    for path in recipes:
        try:
            recipe = load(path, models, own_comfyui=own_comfyui, money=settings.money)
            yield _Checked(path, recipe.warnings, steps=len(recipe.pipeline.steps))
        except RhflowError as error:
            yield _Checked(path, error.problems, error.exit_code)


def _show(found: Sequence[_Checked]) -> None:
    for at, each in enumerate(found):
        if each.problems:
            if any(before.problems for before in found[:at]):
                click.echo(err=True)
            render.problems(each.problems)
        if not each.exit_code:
            click.echo(f"{each.path}: {render.plural(each.steps, 'step')}, valid")
