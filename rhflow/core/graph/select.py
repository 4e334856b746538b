"""Which part of a recipe a command is about: some steps, what comes before or after them, and what is made anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rhflow.core.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:  # a selection is part of every request, also of those that need no graph
    from rhflow.core.graph.graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, as typed: ids of steps, or of single items as in ``clip[hero]``.

    ``only`` runs these and nothing else, ``start`` (``--from``) these and what depends on them, ``until`` these and
    what they need. ``force`` makes them anew although their results are there; ``force_all`` everything.
    """

    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    force_all: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing was left out and nothing forced: the usual case."""
        return not (self.only or self.start or self.until or self.force or self.force_all)


EVERYTHING = Selection()


@dataclass(slots=True)
class Selected:
    """The nodes of a graph that a selection is about. Nodes of a loop that grows later follow their loop."""

    graph: Graph
    wanted: frozenset[str] | None = None
    """May run; None stands for all of them."""
    needed: frozenset[str] = frozenset()
    """Give what the wanted ones read; they must have a result already."""
    forced: frozenset[str] = frozenset()
    force_all: bool = False
    exact: dict[str, set[str]] = field(default_factory=dict)
    """Loops of which only some items are wanted, with the ids of those."""

    def runs(self, node: Node) -> bool:
        """Whether the node may run."""
        return self.wanted is None or _covers(self.graph, self.wanted, node, self.exact)

    def reads(self, node: Node) -> bool:
        """Whether the node's earlier result is needed."""
        return _covers(self.graph, self.needed, node, {})

    def forces(self, node: Node) -> bool:
        """Whether the node is made anew."""
        return self.force_all or _covers(self.graph, self.forced, node, self.exact)


def _covers(graph: Graph, names: Collection[str], node: Node, exact: dict[str, set[str]]) -> bool:
    """Whether a node is among ``names``, or came from a loop that is, be it inside of a pipeline that did."""
    if node.id in names:
        return True
    step, item = node.step, node.id.removesuffix("/")
    while True:
        if item != step.id and f"{step.id}[*]" in names:
            return step.id not in exact or item in exact[step.id]
        if (scope := graph.scopes.get(step.scope)) is None:
            return False
        step, item = scope.step, scope.name


def select(graph: Graph, selection: Selection) -> Selected:
    """Return what a selection means for a graph. Raises UsageError for a name that is not in it."""
    exact: dict[str, set[str]] = {}
    only = _nodes(graph, selection.only, exact)
    start = _nodes(graph, selection.start, exact)
    until = _nodes(graph, selection.until, exact)
    forced = frozenset(_nodes(graph, selection.force, exact))
    found = Selected(graph, forced=forced, force_all=selection.force_all, exact=exact)
    if not (only or start or until):
        return found
    wanted = only | _after(graph, start) | _before(graph, until)
    found.wanted = frozenset(wanted)
    found.needed = frozenset(_before(graph, wanted) - wanted)
    return found


def _closure(start: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    """Return all that can be reached from ``start``, itself left in."""
    found, left = set(start), list(start)
    while left:
        new = [each for each in neighbours(left.pop()) if each not in found]
        found.update(new)
        left += new
    return found


def _after(graph: Graph, start: Iterable[str]) -> set[str]:
    """Return ``start`` and all that depends on it, also the loops of which nodes yet to come will."""

    def later(node: str) -> Iterator[str]:
        for each in graph.after[node]:
            yield each
            # What the nodes of a loop will read, its whole already waits for
            if graph.nodes[each].step.id != graph.nodes[node].step.id and f"{each}[*]" in graph.nodes:
                yield f"{each}[*]"

    return _closure(start, later)


def _before(graph: Graph, start: Iterable[str]) -> set[str]:
    """Return ``start`` and all that it depends on, also what nodes yet to come will."""

    def earlier(node: str) -> Iterator[str]:
        yield from graph.before[node]
        if graph.nodes[node].role == "loop":
            step = graph.nodes[node].step.id
            yield from (each for each in graph.before[step] if graph.nodes[each].step.id != step)

    return _closure(start, earlier)


def _nodes(graph: Graph, names: Iterable[str], exact: dict[str, set[str]]) -> set[str]:
    """Return the nodes that names stand for: a step with all its items, or one item."""
    found: set[str] = set()
    for name in names:
        if (scopes := _scopes(graph)) and not name.startswith(tuple(scopes)):  # a step of every variant is meant
            found |= _nodes(graph, [f"{scope}{name}" for scope in scopes], exact)
            continue
        outer, slash, last = name.rpartition("/")
        step, mark, _ = last.partition("[")
        step = f"{outer}{slash}{step}"
        of_step = {node.id for node in graph.nodes.values() if node.step.id == step}
        loop = f"{step}[*]"
        if not of_step:
            steps = dict.fromkeys(node.step.id for node in graph.nodes.values())
            raise UsageError(Problem("unknown-step", f"there is no step `{step}`", hint=did_you_mean(step, steps)))
        if not mark:
            found |= of_step | _inside(graph, of_step)
        elif name in graph.nodes:
            found |= {name} | _inside(graph, {name})
        elif loop in graph.nodes:  # its items are not known yet: the name is taken on trust
            exact.setdefault(step, set()).add(name)
            found |= {loop, name}
        else:
            items = graph.items.get(step, [])
            raise UsageError(Problem("unknown-item", f"there is no `{name}`", hint=did_you_mean(name, items)))
    return found


def _inside(graph: Graph, names: Collection[str]) -> set[str]:
    """Return the nodes inside of those that are pipelines."""
    prefixes = tuple(f"{name}/" for name in names if f"{name}/" in graph.scopes)
    return {node for node in graph.nodes if node.startswith(prefixes)} if prefixes else set()


def _scopes(graph: Graph) -> list[str]:
    """Return the scopes of the variants of a sweep, none where there is no sweep."""
    found = dict.fromkeys(node.step.scope for node in graph.nodes.values())
    return [] if "" in found else [scope for scope in found if scope not in graph.scopes]
