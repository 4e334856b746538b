"""A run taken up again: with its recipe as the same request, without it by fetching what it left open."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rhflow.app.account.open_calls import left_open
from rhflow.app.account.sites import at_each_site
from rhflow.app.past.history import PastRun
from rhflow.app.report import Leftover
from rhflow.app.request import Request
from rhflow.app.runs.asked import PARTS
from rhflow.core.errors import Problem, UsageError
from rhflow.core.graph.select import Selection
from rhflow.core.plan.former import OnUnknown
from rhflow.settings import Settings
from rhflow.store.store import Store


def request_again(settings: Settings, past: PastRun, secrets: Sequence[tuple[str, str]] = ()) -> Request:
    """Return the request of an earlier run, which waits for all that the recipe's runs left open.

    ``secrets`` are its secret parameters, which no run keeps; UsageError for any other. What was forced is not forced
    again, as it would be paid for again; but a call that is open is taken up, although there is an older result.
    """
    facts = past.view.data
    for name, _ in secrets:
        if name not in facts.get("secret", []):
            message = f"`-p {name}=…` is no secret parameter of run `{past.record.id}`, which keeps its other ones"
            hint = f"another value is another run: `rhflow run {shlex.quote(past.record.recipe)} -p {name}=…`"
            raise UsageError(Problem("bad-option", message, hint=hint))
    parts = {name: tuple(facts.get("selection", {}).get(name, ())) for name in PARTS}
    forced = tuple(call.node for call in past.open if call.node) if facts.get("forced") else ()
    simulated = past.record.realm == "simulated"
    if simulated and facts.get("site"):
        settings = replace(settings, base_url=facts["site"])
    if file := facts.get("catalog", {}).get("file"):
        settings = replace(settings, catalog=Path(file))
    return Request(
        recipe=Path(past.record.recipe),
        settings=settings,
        params=tuple((param, value) for param, value in [*facts.get("given", []), *secrets]),
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
