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
    names = dict(chosen.files)
    where = {artifact.digest: str(folder / name) for name, artifact in reversed(chosen.files)} if folder else {}
    rows = [_row(shape, each, where) for each in results]
    return RunReport(
        run=shape.run,
        status="succeeded",
        realm=shape.realm,
        count=len(rows),
        folder=None if folder is None else str(folder),
        outputs={label: _rooted(value, folder, names) for label, value in chosen.outputs.items()},
        head=rows[:HEAD],
        rest=rows[HEAD:],
        currency_totals=_totals(results),
    )


def _row(shape: Shape, result: NodeResult, where: Mapping[str, str]) -> NodeRow:
    step = shape.graph.nodes[result.node].step.id
    entry = result.entry
    if entry is None:
        return NodeRow(result.node, step, result.status, result.cached)
    return NodeRow(
        id=result.node,
        step=step,
        status=result.status,
        cached=result.cached,
        model=entry.model,
        cost=None if entry.cost is None else (str(entry.cost.amount), entry.cost.currency),
        seconds=entry.seconds,
        files=tuple(where[each.digest] for each in entry.outputs.files if each.digest in where),
    )


def _totals(results: Sequence[NodeResult]) -> dict[str, str]:
    """Return what the new calls of a run cost, by currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in results:
        if each.entry is not None and each.entry.cost is not None and not each.cached:
            sums[each.entry.cost.currency] += each.entry.cost.amount
    return {currency: str(amount) for currency, amount in sums.items()}


def _rooted(value: Any, folder: Path | None, names: Mapping[str, Any]) -> Any:
    """Return an output with paths in the place of delivered names."""
    if isinstance(value, str):
        return str(folder / value) if folder is not None and value in names else value
    if isinstance(value, list):
        return [_rooted(each, folder, names) for each in value]
    return {key: _rooted(each, folder, names) for key, each in value.items()} if isinstance(value, dict) else value
