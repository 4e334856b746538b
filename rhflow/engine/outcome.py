"""How a node, a call and a whole run ended, as the journal and the report are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rhflow.core.cost import Estimate
from rhflow.core.errors import RhflowError
from rhflow.core.learnt import label_of
from rhflow.core.plan.calls import StepCall
from rhflow.core.values import Entry

NodeStatus = Literal["succeeded", "failed", "unknown", "skipped", "not-run", "empty"]
RunStatus = Literal["succeeded", "failed", "unknown", "interrupted", "over-budget"]


@dataclass(frozen=True, slots=True)
class NodeResult:
    """How one node ended; ``entry`` where it succeeded, ``error`` where it did not; ``empty`` is a loop of no items."""

    node: str
    status: NodeStatus
    cached: bool = False
    entry: Entry | None = None
    error: RhflowError | None = None


def told_of(call: StepCall, price: Estimate) -> dict[str, Any]:
    """Return what it takes to keep the result of a paid call when its recipe is no longer there."""
    model = call.subject
    told = {"kind": call.kind.name, "model": model, "ingredients": dict(call.ingredients), "price": str(price)}
    label = label_to_learn(call, price)
    return told if label is None else told | {"label": label}


def label_to_learn(call: StepCall, price: Estimate) -> str | None:
    """Return by what the bill of a call is kept, None where its price is on the list."""
    return None if price.basis == "list" else label_of(call.kind, call.model, call.inputs, price.currency)


def facts_of(entry: Entry, label: str | None) -> dict[str, Any]:
    """Return what is recorded of a call that succeeded; ``label`` is what its bill teaches something about."""
    facts = {
        "key": entry.key,
        "seconds": entry.seconds,
        "cost": None if entry.cost is None else entry.cost.to_json(),
        "files": [each.name for each in entry.outputs.files],
    }
    return facts if label is None else facts | {"label": label}


def status_of(results: Sequence[NodeResult], *, interrupted: bool, over_budget: bool = False) -> RunStatus:
    """Return how the run as a whole ended."""
    found = {each.status for each in results}
    if "unknown" in found:
        return "unknown"
    if "failed" in found:
        return "failed"
    if over_budget:
        return "over-budget"
    return "interrupted" if interrupted and found & {"not-run"} else "succeeded"
