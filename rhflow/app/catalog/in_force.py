"""Which catalogue is in force: one named for the moment, else one kept beside the results, else the shipped one.

A kept catalogue was checked and cleaned when it came, so that it loads as fast as the shipped one; a file that is
named is checked every time. The store keeps it, because that is the one place on a machine which all runs share. It
gives way when rhflow comes with a later one: an upgrade must not leave old prices in force.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rhflow
from rhflow.core.errors import Problem, UsageError
from rhflow.settings import Settings

if TYPE_CHECKING:
    from rhflow.catalog.catalog import Catalog
    from rhflow.core.plan.plan import Plan

KEPT = "catalog.json"
SHIPPED = Path(rhflow.__file__).parent / "catalog" / "models.json"


@dataclass(frozen=True, slots=True)
class Update:
    """What another catalogue brings: ids of models, and the places in its file that this rhflow does not know."""

    as_of: str
    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    ignored: tuple[str, ...]
    count: int
    file: Path


def catalog_file(settings: Settings) -> Path | None:
    """Return the file of the catalogue in force, None for the shipped one."""
    if settings.catalog is not None:
        return settings.catalog
    kept = settings.store / KEPT
    return kept if kept.is_file() and _day(kept) >= _day(SHIPPED) else None


def load_catalog(settings: Settings) -> Catalog:
    """Return the catalogue in force. Raises UsageError."""
    from rhflow.catalog.catalog import Catalog  # imported late: an unchanged run needs none

    return Catalog.load(catalog_file(settings), checked=settings.catalog is None)


def _day(path: Path) -> str:
    """Return the day of a catalogue, which stands in its first line; "9" where there is none: loading says why."""
    with path.open("rb") as file:
        found = re.search(rb'"as_of": ?"([-\d]+)"', file.read(200))
    return found[1].decode() if found else "9"


def keep_catalog(settings: Settings, source: Path) -> Update:
    """Check the catalogue in a file and use it from now on. Raises UsageError, and then nothing has changed."""
    from rhflow.catalog.catalog import Catalog

    before, after = load_catalog(settings), Catalog.load(source)
    if after.as_of < (shipped := _day(SHIPPED)):
        message = f"the catalogue `{source}` is of {after.as_of}, older than the shipped one of {shipped}"
        raise UsageError(Problem("catalog-older", message, hint=f"`--catalog {source}` uses it all the same"))
    target = settings.store / KEPT
    _write(target, json.dumps(after.document, ensure_ascii=False))
    old, new = set(before.names()), set(after.names())
    return Update(
        as_of=after.as_of,
        new=tuple(sorted(new - old)),
        gone=tuple(sorted(old - new)),
        changed=tuple(name for name in sorted(old & new) if before.row(name) != after.row(name)),
        ignored=tuple(after.ignored),
        count=len(new),
        file=target,
    )


def _write(target: Path, text: str) -> None:
    """Write a file whole or not at all. Raises UsageError."""
    part = target.with_suffix(f".{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        message = f"`{target}` cannot be written: {error.strerror}"
        raise UsageError(Problem("unwritable", message, hint="`--catalog FILE` uses a file where it lies")) from error


def forget_catalog(settings: Settings) -> bool:
    """Go back to the shipped catalogue; return whether another one was kept."""
    try:
        (settings.store / KEPT).unlink()
    except FileNotFoundError:
        return False
    return True


def pinned(settings: Settings, catalog: Catalog, plan: Plan) -> dict[str, Any]:
    """Return what a run's record keeps of its catalogue: the file that was named, and each row that calls are made by.

    Of the whole and of each row that is a digest: enough to tell later whether it was another.
    """
    from rhflow.core.canonical import digest
    from rhflow.core.plan.plan import InDoubt, Resume, Run, Wait

    used: Iterable[Any] = (
        each.draft.model if isinstance(each, Wait) else each.call.model
        for each in plan.decisions.values()
        if isinstance(each, Run | Resume | InDoubt | Wait)
    )
    ids = sorted({model.id for model in used if model is not None})
    rows = {name: digest("catalogue row", catalog.row(name))[:16] for name in ids}
    file = None if settings.catalog is None else os.fspath(settings.catalog.absolute())
    return {"as_of": catalog.as_of, "file": file, "sha256": catalog.digest, "models": rows}
