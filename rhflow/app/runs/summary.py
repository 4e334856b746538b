"""From how nodes ended to the report of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rhflow.app.report import HEAD, NodeRow, RunReport
from rhflow.app.runs.delivery import Delivery
from rhflow.app.runs.telling import Name, text_origin
from rhflow.core.graph.graph import Graph
from rhflow.core.values import Realm
from rhflow.engine.outcome import NodeResult


@dataclass(frozen=True, slots=True)
class Shape:
    """Which run of which graph is summed up."""

    run: str
    realm: Realm
    graph: Graph


def summarize(shape: Shape, results: Sequence[NodeResult], chosen: Delivery, *, folder: Path | None) -> RunReport:
    """Return the report of a run whose files lie in ``folder`` (None: there are none); its status is yet to be told."""
    named = ((artifact.origin, name) for name, artifact in reversed(chosen.files) if artifact.origin is not None)
    where = {origin: str(folder / name) for origin, name in named} if folder else {}
    rows = [_row(shape, each, where) for each in results]
    return RunReport(
        run=shape.run,
        status="succeeded",
        realm=shape.realm,
        count=len(rows),
        folder=None if folder is None else str(folder),
        outputs={label: _rooted(value, folder) for label, value in chosen.outputs.items()},
        head=rows[:HEAD],
        rest=rows[HEAD:],
        currency_totals=_totals(results),
        told=chosen.told[:HEAD],
        values=len(chosen.told),
        empty=sum(each.status == "empty" for each in results),
    )


def _row(shape: Shape, result: NodeResult, where: Mapping[tuple[str, int], str]) -> NodeRow:
    step = shape.graph.nodes[result.node].step.id
    entry = result.entry
    if entry is None:
        return NodeRow(result.node, step, result.status, result.cached)
    files = [(result.node, at) for at in range(len(entry.outputs.files))]
    texts = [text_origin(result.node, at) for at in range(len(entry.outputs.texts))]
    return NodeRow(
        id=result.node,
        step=step,
        status=result.status,
        cached=result.cached,
        model=entry.model,
        cost=None if entry.cost is None else tuple(entry.cost.to_json()),
        seconds=entry.seconds,
        files=tuple([where[each] for each in (*files, *texts) if each in where]),
    )


def _totals(results: Sequence[NodeResult]) -> dict[str, str]:
    """Return what the new calls of a run cost, by currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in results:
        if each.entry is not None and each.entry.cost is not None and not each.cached:
            for part in each.entry.cost.parts:
                sums[part.currency] += part.amount
    return {currency: str(amount) for currency, amount in sums.items()}


def _rooted(value: Any, folder: Path | None) -> Any:
    """Return an output with paths in the place of delivered names."""
    if isinstance(value, Name):
        return str(value) if folder is None else str(folder / value)
    if isinstance(value, list):
        return [_rooted(each, folder) for each in value]
    return {key: _rooted(each, folder) for key, each in value.items()} if isinstance(value, dict) else value
