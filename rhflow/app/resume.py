"""A run taken up again: with its recipe as the same request, without it by fetching what it left open."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhflow.app.history import PastRun
from rhflow.app.open_calls import left_open
from rhflow.app.report import Leftover
from rhflow.app.request import Request
from rhflow.app.sites import at_each_site
from rhflow.core.select import Selection
from rhflow.settings import Settings
from rhflow.steps.context import OnUnknown
from rhflow.store.store import Store

if TYPE_CHECKING:
    from rhflow.app.run import Prepared

_PARTS = ("only", "start", "until")


def told_of(ready: Prepared) -> dict[str, Any]:
    """Return what a run notes of its request when it begins: enough to make it again. Secrets stay out."""
    request, pipeline = ready.request, ready.recipe.pipeline
    shown = {name: _plain(value) for name, value in ready.params.items() if not pipeline.params[name].secret}
    return {
        "pipeline": pipeline.name,
        "recipe": os.fspath(request.recipe.absolute()),
        "realm": request.realm,
        "params": shown,
        "given": [_portable(ready, *each) for each in request.params if not pipeline.params[each[0]].secret],
        "site": request.settings.base_url if request.settings.loopback else None,
        "params_file": None if request.params_file is None else os.fspath(request.params_file.absolute()),
        "out": os.fspath(request.out.absolute()),
        "sweep": [list(each) for each in request.sweep],
        "batch": None if request.batch is None else os.fspath(request.batch.absolute()),
        "nodes": len(ready.graph),
        "selection": {name: list(getattr(request.selection, name)) for name in _PARTS},
        "jobs": request.jobs,
        "pools": [list(each) for each in request.pools],
        "allow_unknown_cost": request.allow_unknown_cost,
        "forced": bool(request.selection.force or request.selection.force_all),
    }


def _portable(ready: Prepared, name: str, text: str) -> list[str]:
    """Return a parameter as given, a relative path made absolute: a run can be resumed from any folder."""
    param = ready.recipe.pipeline.params[name]
    local = param.is_media and "://" not in text and not text.startswith("sha256:")
    return [name, os.fspath(Path(text).expanduser().absolute()) if local else text]


def _plain(value: Any) -> Any:
    return f"sha256:{value.digest}" if hasattr(value, "digest") else value


def request_again(settings: Settings, past: PastRun) -> Request:
    """Return the request of an earlier run, which waits for all that the recipe's runs left open.

    What was forced is not forced again, as it would be paid for again; but a call that is open is taken up, although
    there is an older result.
    """
    facts = past.view.data
    parts = {name: tuple(facts.get("selection", {}).get(name, ())) for name in _PARTS}
    forced = tuple(call.node for call in past.open if call.node) if facts.get("forced") else ()
    simulated = past.record.realm == "simulated"
    if simulated and facts.get("site"):
        settings = replace(settings, base_url=facts["site"])
    if file := facts.get("catalog", {}).get("file"):
        settings = replace(settings, catalog=Path(file))
    return Request(
        recipe=Path(past.record.recipe),
        settings=settings,
        params=tuple((param, value) for param, value in facts.get("given", [])),
        params_file=Path(facts["params_file"]) if facts.get("params_file") else None,
        simulate=simulated and not facts.get("site"),
        out=Path(facts["out"]) if facts.get("out") else Path("outputs"),
        sweep=tuple((param, values) for param, values in facts.get("sweep", [])),
        batch=Path(facts["batch"]) if facts.get("batch") else None,
        selection=Selection(parts["only"], parts["start"], parts["until"], force=forced),
        jobs=facts.get("jobs"),
        pools=tuple((name, size) for name, size in facts.get("pools", [])),
        allow_unknown_cost=facts.get("allow_unknown_cost", False),
        wait_for_earlier=True,
    )


async def fetch_open(settings: Settings, on_unknown: OnUnknown, *, recipe: str | None = None) -> list[Leftover]:
    """Bring the results of all open calls (of a recipe's runs, or of all) into the store, and run nothing."""
    with Store.open(settings.store) as store:
        calls = left_open(store, recipe=recipe)
        return await at_each_site(settings, store, calls, lambda each: each.collect(wait=True), on_unknown=on_unknown)
