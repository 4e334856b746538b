"""A run answered from an earlier one: when nothing it depends on changed, it is not planned at all.

This is the fastest path of the program, so it imports next to nothing and its time does not grow with the run: the
recipe is hashed, not parsed; local inputs are compared by their stat; and every delivered folder by its own time stamp,
which changes whenever a file in it appears, vanishes or is renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rhflow
from rhflow.app.catalog.in_force import SHIPPED, catalog_file
from rhflow.app.report import HEAD, NodeRow, RunReport, Told
from rhflow.app.request import Request
from rhflow.store.database import open_reader
from rhflow.store.deliver import FileDamagedError, deliver_all, point_latest, read_latest
from rhflow.store.digest import Sighting
from rhflow.store.memo import Memos
from rhflow.store.store import Store
from rhflow.store.submissions import any_open

_FORM = 6  # of what is kept: an older one is not read


def memo_key(request: Request) -> str | None:
    """Return the hash of all that a run depends on and that is known before reading; None when it cannot be told."""
    try:
        recipe = request.recipe.read_bytes()
        params = b"" if request.params_file is None else request.params_file.read_bytes()
        batch = b"" if request.batch is None else request.batch.read_bytes()
        file = catalog_file(request.settings) or SHIPPED
        catalog = file.stat()
    except OSError:
        return None  # the long way round says what is wrong
    parts = {
        "rhflow": [rhflow.__version__, _FORM],
        "catalog": [os.fspath(file.absolute()), catalog.st_size, catalog.st_mtime_ns],
        "recipe": [os.fspath(request.recipe.absolute()), hashlib.sha256(recipe).hexdigest()],
        "params": sorted(request.params),
        "params_file": [os.fspath(request.params_file or ""), hashlib.sha256(params).hexdigest()],
        "sweep": [request.sweep, hashlib.sha256(batch).hexdigest()],
        "folder": os.fspath(Path.cwd()),
        "out": os.fspath(request.out.absolute()),
        "realm": request.realm,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def answer(request: Request, *, whole: bool) -> RunReport | None:
    """Return the report of an earlier run that still answers this one, or None.

    ``whole`` also fetches the nodes beyond the first few.
    """
    key = memo_key(request)
    database = open_reader(request.settings.store) if key is not None else None
    if key is None or database is None:
        return None
    with database:
        memos = Memos(database)
        document = memos.get(key)
        if document is None or not all(_unchanged(each) for each in document["inputs"]):
            return None
        if any_open(database, os.fspath(request.recipe.absolute())):
            return None  # an earlier run paid for something that is still to be fetched
        if any(_size(path) not in (None, size) for path, size in document["sizes"].items()):
            return None  # a file that would be shown is damaged
        if any(_fingerprint(os.environ.get(name, "")) != seen for name, seen in document["env"].items()):
            return None
        rest = memos.nodes(key)["rest"] if whole and document["count"] > HEAD else []
        untouched = all(_stamp(folder) == stamp for folder, stamp in document["stamps"])
        nodes = {} if untouched else memos.nodes(key)
    try:
        restored = 0 if untouched else _restore(request, document["folder"], nodes)
    except FileDamagedError:
        return None  # the long way round says what it costs to make it anew
    if document["folder"] is not None:
        _point_latest(Path(document["folder"]))
    return RunReport(
        run=document["run"],
        status="succeeded",
        realm=request.realm,
        count=document["count"],
        folder=document["folder"],
        outputs=document["outputs"],
        head=[_row(each) for each in document["head"]],
        rest=[_row(each) for each in rest],
        reused=True,
        restored=restored,
        currency_totals=document["totals"],
        told=[Told(*each) for each in document["told"]],
        values=document["values"],
        empty=document["empty"],
    )


def _row(data: list[Any]) -> NodeRow:
    name, step, status, model, cost, seconds, files = data
    cached = status == "succeeded"
    return NodeRow(name, step, status, cached, model, tuple(cost) if cost else None, seconds, tuple(files))


def _dump(row: NodeRow) -> list[Any]:
    return [row.id, row.step, row.status, row.model, row.cost, row.seconds, row.files]


def sightings(paths: Iterable[Path]) -> list[list[Any]] | None:
    """Return what local inputs look like from outside; None when one is too fresh to be trusted, or gone."""
    found: list[list[Any]] = []
    for path in sorted(paths):
        try:
            sighting = Sighting.of(path)
        except OSError:
            return None
        if sighting.racy:
            return None
        found.append([os.fsdecode(sighting.path), *sighting.identity()])
    return found


def _unchanged(seen: list[Any]) -> bool:
    path, *identity = seen
    try:
        return list(Sighting.of(Path(path)).identity()) == identity
    except OSError:
        return False


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _stamps(folder: str, files: Iterable[tuple[str, str]]) -> list[list[Any]]:
    """Return every folder that holds delivered files, a variant's for example, with its time stamp."""
    folders = dict.fromkeys(os.path.dirname(os.path.join(folder, name)) for name, _ in files)  # noqa: PTH118, PTH120
    return [[each, _stamp(each)] for each in folders]


def _stamp(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 (no Path on this path)
    except OSError:
        return None


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 (no Path on this path)
    except OSError:
        return None


def _restore(request: Request, folder: str, nodes: dict[str, Any]) -> int:
    """Put back what is missing from a delivered folder, from the store."""
    from rhflow.store.blobs import Blobs

    files = ((digest, Path(folder) / name) for name, digest in nodes["files"])
    texts = {digest: text.encode() for digest, text in nodes["texts"].items()}
    return deliver_all(Blobs(request.settings.store), files, texts)


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer rests on: the store's generation when planned, variables, local inputs, what was delivered."""

    generation: int
    env: Mapping[str, str]
    inputs: Iterable[Path]
    files: Iterable[tuple[str, str]]
    """Pairs of name and digest."""
    texts: Mapping[str, bytes]
    """The contents of those that are texts, by digest."""


def _point_latest(folder: Path) -> None:
    if read_latest(folder.parent) != folder:
        point_latest(folder)


def keep(store: Store, request: Request, report: RunReport, basis: Basis) -> None:
    """Remember a finished run, so that the same request is answered from it. Keeps nothing when in doubt."""
    key = memo_key(request)
    seen = sightings(basis.inputs)
    if key is None or seen is None:
        return
    document = {
        "run": report.run,
        "count": report.count,
        "folder": report.folder,
        "stamps": [] if report.folder is None else _stamps(report.folder, basis.files),
        "outputs": report.outputs,
        "inputs": seen,
        "env": {name: _fingerprint(value) for name, value in basis.env.items()},
        "sizes": {path: _size(path) for each in report.head for path in each.files},
        "head": [_dump(each) for each in report.head],
        "totals": report.currency_totals,
        "told": [[each.label, each.text, each.size, each.file] for each in report.told],
        "values": report.values,
        "empty": report.empty,
    }
    nodes: dict[str, Any] = {
        "rest": [_dump(each) for each in report.rest],
        "files": [list(each) for each in basis.files],
    }
    nodes["texts"] = {digest: content.decode() for digest, content in basis.texts.items()}
    store.memos.put(key, document, generation=basis.generation, nodes=nodes)
