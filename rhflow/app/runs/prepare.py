"""A recipe with its parameters bound and its store open: what a plan is made of, and a run begins with.

Apart from ``run.py``, which needs all that reaches the service: a plan imports none of it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rhflow.app.account.open_calls import open_by_key
from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.recipes.files import LocalFiles
from rhflow.app.recipes.load import Recipe, load
from rhflow.app.recipes.params import bind_params, names_of
from rhflow.app.recipes.variants import variants_of
from rhflow.app.request import Request
from rhflow.app.runs.preflight import check_here
from rhflow.app.runs.records import RecallFromStore
from rhflow.core.graph.expand import expand
from rhflow.core.graph.graph import Graph
from rhflow.core.graph.variants import combine
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.former import Earlier
from rhflow.core.plan.plan import Names, Plan, World
from rhflow.core.plan.planner import Planner
from rhflow.store.store import Store


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe with its parameters bound, ready to be planned or run."""

    request: Request
    recipe: Recipe
    store: Store
    planner: Planner
    files: LocalFiles
    params: Mapping[str, Any]
    run: str

    @property
    def graph(self) -> Graph:
        """The nodes and their edges."""
        return self.planner.graph


def new_run_id() -> str:
    """Return an id that sorts by time and reads well."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


@contextmanager
def prepared(request: Request, recipe: Recipe | None = None) -> Iterator[Prepared]:
    """Open the store and bind the parameters. Raises RhflowError."""
    own, money = request.comfyui is not None, request.money
    recipe = recipe or load(request.recipe, load_catalog(request.settings), own_comfyui=own, money=money)
    run = new_run_id()
    facts = {"id": run, "date": time.strftime("%Y-%m-%d")}
    variants = variants_of(request, recipe.pipeline)
    with Store.open(request.settings.store) as store:
        files = LocalFiles(store, request.recipe.parent)
        params = bind_params(request, recipe.pipeline, files, variants)
        names = {scope: names_of(recipe.pipeline, values, facts) for scope, values in params.items()}
        if variants:
            recipe = replace(recipe, pipeline=combine(recipe.pipeline, [variant for variant, _ in variants]))
        first = next(iter(names.values()))
        recall = RecallFromStore(store, recipe.pipeline.name, request.realm)
        former = partial(open_by_key, store, but=run)
        past = Earlier(former, request.settings.base_url, request.in_process, request.on_unknown)
        world = World(recall, first, request.realm, files, request.selection, names, files.beside, request.money, past)
        planner = Planner(recipe.pipeline, _graph(recipe, names), recipe.calls, world)
        yield Prepared(request, recipe, store, planner, files, params.get("", {}), run)


def _graph(recipe: Recipe, names: Mapping[str, Names]) -> Graph:
    scopes = {
        scope: {"params": each.params, "vars": each.vars, "env": each.env, "run": each.run}
        for scope, each in names.items()
    }
    return expand(recipe.pipeline, scopes=scopes)


def make_plan(request: Request) -> tuple[Plan, Recipe]:
    """Return what a run would do, and the recipe. Raises RhflowError."""
    with prepared(request) as ready:
        plan = dry_run(ready.planner)
        check_here(plan)
        return plan, ready.recipe
