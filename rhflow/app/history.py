"""Earlier runs, from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rhflow.app.request import Request
from rhflow.core.errors import Problem, UsageError
from rhflow.core.events import RunView
from rhflow.settings import Settings
from rhflow.store.journal import RunRecord
from rhflow.store.store import Store


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with all that is known of its nodes."""

    record: RunRecord
    view: RunView


def request_again(settings: Settings, name: str, on_unknown: Literal["fail", "resubmit"]) -> Request:
    """Return the request of an earlier run. Raises UsageError when its recipe is gone."""
    past = find_run(settings, name)
    facts = past.view.data
    recipe = Path(past.record.recipe)
    if not recipe.exists():
        hint = "put it back, or run the recipe where it is now: tasks in flight are found by what they do"
        raise UsageError(Problem("no-such-file", f"the recipe `{recipe}` is not there any more", hint=hint))
    simulated = past.record.realm == "simulated"
    if simulated and facts.get("site"):
        settings = replace(settings, base_url=facts["site"])
    return Request(
        recipe=recipe,
        settings=settings,
        params=tuple((param, value) for param, value in facts.get("given", [])),
        params_file=Path(facts["params_file"]) if facts.get("params_file") else None,
        simulate=simulated and not facts.get("site"),
        out=Path(facts["out"]) if facts.get("out") else Path("outputs"),
        sweep=tuple((param, values) for param, values in facts.get("sweep", [])),
        batch=Path(facts["batch"]) if facts.get("batch") else None,
        on_unknown=on_unknown,
    )


def list_runs(settings: Settings, limit: int) -> Sequence[RunRecord]:
    """Return the latest runs, the newest first."""
    with Store.open(settings.store) as store:
        return store.journal.runs(limit)


def find_run(settings: Settings, name: str) -> PastRun:
    """Return the run whose id begins with ``name``, or the latest. Raises UsageError."""
    with Store.open(settings.store) as store:
        record = store.journal.find_run(name)
        return PastRun(record, RunView.of(record.id, store.journal.events(record.id)))
