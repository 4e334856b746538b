"""What a run notes of its request when it begins: enough to make it again (``app/past/resume.py`` does)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rhflow.app.runs.prepare import Prepared

PARTS = ("only", "start", "until")


def told_of(ready: Prepared) -> dict[str, Any]:
    """Return the request of a run as data. Secrets stay out."""
    request, pipeline = ready.request, ready.recipe.pipeline
    shown = {name: _plain(value) for name, value in ready.params.items() if not pipeline.params[name].secret}
    return {
        "pipeline": pipeline.name,
        "recipe": os.fspath(request.recipe.absolute()),
        "realm": request.realm,
        "params": shown,
        "given": [_portable(ready, *each) for each in request.params if not pipeline.params[each[0]].secret],
        "secret": [name for name, param in pipeline.params.items() if param.secret],
        "site": request.settings.base_url if request.settings.loopback else None,
        "params_file": None if request.params_file is None else os.fspath(request.params_file.absolute()),
        "out": os.fspath(request.out.absolute()),
        "sweep": [list(each) for each in request.sweep],
        "batch": None if request.batch is None else os.fspath(request.batch.absolute()),
        "nodes": len(ready.graph),
        "selection": {name: list(getattr(request.selection, name)) for name in PARTS},
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
