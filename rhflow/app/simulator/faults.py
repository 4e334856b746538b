"""Plans of faults from files, and a run under one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rhflow.app.recipes.load import read_text
from rhflow.app.request import Request
from rhflow.core.errors import Problem, Source, UsageError
from rhflow.core.text.source import read
from rhflow.simulator.fault_plan import FaultPlan, read_plan


def load_faults(path: Path | None) -> FaultPlan:
    """Return the plan at ``path``, or one of no faults. Raises UsageError, RecipeError with every problem."""
    if path is None:
        return FaultPlan()
    hint = "name a file with `faults: 1` and a list of `rules`"
    return read_plan(read(Source(str(path), read_text(path, otherwise=hint))))


def with_faults(request: Request, path: Path) -> Request:
    """Return a request whose simulator lets things go wrong. Raises RhflowError, also where it asks for none."""
    if not request.simulate:
        hint = "add `--simulate`: only a simulator can let things go wrong"
        raise UsageError(Problem("faults-live", "`--faults` needs a simulated run", hint=hint))
    if request.settings.loopback:
        message = f"`--faults` is for a simulator of this run, and it asks the one at `{request.settings.base_url}`"
        hint = f"start that one with `rhflow simulate --faults {path}`, or unset RUNNINGHUB_BASE_URL"
        raise UsageError(Problem("faults-elsewhere", message, hint=hint))
    return replace(request, faults=load_faults(path))
