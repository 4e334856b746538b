"""How long a call may take, and under what name that is learnt."""

from __future__ import annotations

from collections.abc import Mapping

from rhflow.core.plan.calls import StepCall
from rhflow.core.values import Artifact, Family

# The service's own programs give up after 10 to 30 minutes, whatever is made.
_PATIENCE: Mapping[Family, float] = {
    "image": 600, "text": 600, "audio": 900, "video": 3600, "model3d": 3600, "file": 3600,
}  # fmt: skip


def patience_of(call: StepCall) -> float:
    """Return for how many seconds of the service a task is waited for: the step's ``timeout``, or by what is made."""
    if call.timeout is not None:
        return call.timeout
    return _PATIENCE[call.model.output if call.model is not None else call.kind.output]


def label_of(call: StepCall) -> str:
    """Return what typical durations are learnt by: the model, and the length of the clip where that is asked for.

    A graph that is saved nowhere goes by its content.
    """
    if call.model is None:
        graph = call.inputs.get("graph")
        return call.subject or (f"graph {graph.digest[:16]}" if isinstance(graph, Artifact) else call.kind.name)
    length = next((call.inputs.get(each.name) for each in call.model.fields if each.alias == "duration"), None)
    return f"{call.model.id} {length}s" if isinstance(length, str | int | float) else call.model.id
