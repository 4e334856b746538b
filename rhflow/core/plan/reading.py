"""What the inputs of a step read: which may have to wait, which come from outside, which hold a secret."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rhflow.core.graph.edges import grows, linked_to
from rhflow.core.graph.graph import Graph
from rhflow.core.recipe.document import Pipeline, Step
from rhflow.core.recipe.template import Path, Ref, Unresolved, refs_in

_OF_LOOP = frozenset({"item", "key", "index", "matrix", "variation"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a step's inputs read, worked out once.

    ``late`` are the inputs that may have to wait, ``outside`` those that read what earlier steps gave, ``looped`` what
    the others read of their loop, ``secret`` those that hold a secret. ``grown``: whether what the loop runs over comes
    from steps. ``statuses`` are the steps whose status the ``if`` looks at.
    """

    late: frozenset[str]
    outside: frozenset[str]
    looped: Mapping[str, tuple[Ref, ...]]
    secret: frozenset[str]
    grown: bool
    statuses: frozenset[str]

    @classmethod
    def of(cls, step: Step, hidden: Collection[Path]) -> Reading:
        plain = not hidden and step.loop is None and step.condition is None
        if plain and _KNOWN.issuperset(ref.path[0] for value in step.inputs.values() for _, ref in refs_in(value)):
            return _PLAIN
        refs = {name: [ref for _, ref in refs_in(value)] for name, value in step.inputs.items()}
        roots = {name: {ref.path[0] for ref in found} for name, found in refs.items() if found}
        looped = {
            name: tuple(ref for ref in refs[name] if ref.path[0] in _OF_LOOP)
            for name, found in roots.items()
            if found & _OF_LOOP
        }
        return cls(
            late=frozenset(name for name, found in roots.items() if found & {"steps", "item", "prev"}),
            outside=frozenset(name for name, found in roots.items() if found & {"steps", "prev"}),
            looped=looped,
            secret=frozenset(_secrets(step, hidden, looped)) if hidden else frozenset(),
            grown=step.loop is not None and grows(step),
            statuses=frozenset(_statuses(step)) if step.condition is not None else frozenset(),
        )


_KNOWN = frozenset({"params", "vars", "env", "run"})
_PLAIN = Reading(frozenset(), frozenset(), {}, frozenset(), False, frozenset())
"""What most steps of a large recipe read: nothing that others give."""


def _secrets(step: Step, hidden: Collection[Path], looped: Collection[str]) -> Iterator[str]:
    """Yield the inputs that hold a secret, be it through what the loop runs over."""
    over = any(reads_any(value, hidden) for value in step.loop_values())
    for name, value in step.inputs.items():
        if reads_any(value, hidden) or (over and name in looped):
            yield name


class Readings(dict[str, Reading]):
    """What the steps of a graph read, by their ids; each is looked at when it is first asked for."""

    def __init__(self, pipeline: Pipeline, graph: Graph) -> None:
        super().__init__()
        self._graph, self._hidden = graph, secrets_of(pipeline)
        self._scopes: set[str] = set()

    def __missing__(self, step: str) -> Reading:
        found = self._graph.steps[step]
        if (scope := self._graph.scopes.get(found.scope)) is not None and found.scope not in self._scopes:
            self._scopes.add(found.scope)
            self._hidden.update(scope.hidden())
        self[step] = Reading.of(found, self._hidden)
        return self[step]


def _statuses(step: Step) -> Iterator[str]:
    """Yield the steps whose status a step's ``if`` looks at, be it through its item or the node before it."""
    for _, ref in refs_in(step.condition):
        match ref.path:
            case ("steps", str(other), *_, "status"):
                yield other
            case ("item", *_, "status") if (linked := linked_to(step)) is not None:
                yield linked
            case ("prev", "status"):
                yield step.id


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
