"""What the inputs of a step read: which may have to wait, which come from outside, which hold a secret."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rhflow.core.document import Pipeline, Step
from rhflow.core.graph import Node
from rhflow.core.template import Path, Unresolved, refs_in


@dataclass(frozen=True, slots=True)
class Reading:
    """What a step's inputs read, worked out once.

    ``late`` are the inputs that may have to wait, ``outside`` those of them that read what earlier steps gave, whatever
    the item is; ``items`` those that read their item, ``secret`` those that hold a secret.
    ``status``: whether its ``if`` looks at the status of steps.
    """

    late: frozenset[str]
    outside: frozenset[str]
    items: frozenset[str]
    secret: frozenset[str]
    status: bool

    @classmethod
    def of(cls, step: Step, hidden: Collection[Path]) -> Reading:
        roots = {name: {ref.path[0] for _, ref in refs_in(value)} for name, value in step.inputs.items()}
        status = any(ref.path[0] == "steps" and ref.path[-1] == "status" for _, ref in refs_in(step.condition))
        return cls(
            late=frozenset(name for name, found in roots.items() if found & {"steps", "item", "prev"}),
            outside=frozenset(name for name, found in roots.items() if found & {"steps", "prev"}),
            items=frozenset(name for name, found in roots.items() if "item" in found),
            secret=frozenset(name for name, value in step.inputs.items() if reads_any(value, hidden)),
            status=status,
        )

    def tainted(self, node: Node) -> frozenset[str]:
        """Return the inputs that hold what a step gave: no text in them is ever taken for a path."""
        binding = node.binding
        if binding is None:
            return self.outside
        written = binding.of is None and isinstance(node.step.loop and node.step.loop.foreach, list | dict)
        from_step = not written or any(ref.path[0] == "steps" for _, ref in refs_in(binding.item))
        return self.outside | self.items if from_step else self.outside


def secrets_of(pipeline: Pipeline) -> set[Path]:
    """Return the parameters that are secret and the variables that hold one, as paths."""
    hidden: set[Path] = {("params", name) for name, param in pipeline.params.items() if param.secret}
    for name, value in pipeline.vars.items():
        if hidden and reads_any(value, hidden):
            hidden.add(("vars", name))
    return hidden


def reads_any(value: Unresolved, paths: Collection[Path]) -> bool:
    """Whether a value reads one of ``paths``, or may read any of them (``params[name]``, ``params`` as a whole)."""
    roots = {path[0] for path in paths}
    for _, ref in refs_in(value):
        if ref.path[:2] in paths or (ref.path[0] in roots and (len(ref.path) < 2 or ref.path[1] is None)):
            return True
    return False
