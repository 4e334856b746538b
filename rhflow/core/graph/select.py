"""Which part of a recipe a command is about: some steps, what comes before or after them, and what is made anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from rhflow.core.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:  # a selection is part of every request, also of those that need no graph
    from rhflow.core.graph.graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, as typed: ids of steps, or of single items as in ``clip[hero]``.

    ``only`` runs these and nothing else, ``start`` (``--from``) these and what depends on them, ``until`` these and
    what they need; ``start`` and ``until`` together what lies between them. ``force`` makes them anew although their
    results are there, ``force_all`` everything that runs.
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
class Part:
    """Some nodes of a graph. Nodes of a loop that grows later follow their loop.

    ``items`` are loops of which only some items are meant, with the ids of those.
    """

    nodes: Set[str] = frozenset()
    items: Mapping[str, Set[str]] = field(default_factory=dict)

    def __or__(self, other: Part) -> Part:
        """Return the nodes of either; a loop is whole where one of them has it so."""
        items = {
            step: self.items.get(step, set()) | other.items.get(step, set())
            for step in (*self.items, *other.items)
            if not (self._has_whole(step) or other._has_whole(step))
        }
        return Part(self.nodes | other.nodes, items)

    def __and__(self, other: Part) -> Part:
        """Return the nodes of both."""
        items = dict(self.items)
        for step, ids in other.items.items():
            items[step] = items[step] & ids if step in items else ids
        none_left = {f"{step}[*]" for step, ids in items.items() if not ids}
        return Part((self.nodes & other.nodes) - none_left, items)

    def _has_whole(self, step: str) -> bool:
        return f"{step}[*]" in self.nodes and step not in self.items

    def covers(self, graph: Graph, node: Node) -> bool:
        """Whether a node is one of these, or came from a loop that is, be it inside of a pipeline that did."""
        if node.id in self.nodes:
            return True
        step, item = node.step, node.id.removesuffix("/")
        while True:
            if item != step.id and f"{step.id}[*]" in self.nodes:
                return step.id not in self.items or item in self.items[step.id]
            if (scope := graph.scopes.get(step.scope)) is None:
                return False
            step, item = scope.step, scope.name


@dataclass(slots=True)
class Selected:
    """The nodes of a graph that a selection is about."""

    graph: Graph
    wanted: Part | None = None
    """May run; None stands for all of them."""
    needed: Part = field(default_factory=Part)
    """Give what the wanted ones read; they must have a result already."""
    forced: Part = field(default_factory=Part)
    force_all: bool = False

    def runs(self, node: Node) -> bool:
        """Whether the node may run."""
        return self.wanted is None or self.wanted.covers(self.graph, node)

    def reads(self, node: Node) -> bool:
        """Whether the node's earlier result is needed."""
        return self.needed.covers(self.graph, node)

    def forces(self, node: Node) -> bool:
        """Whether the node is made anew: what is only read never is."""
        return (self.force_all or self.forced.covers(self.graph, node)) and self.runs(node)


def select(graph: Graph, selection: Selection) -> Selected:
    """Return what a selection means for a graph.

    Raises UsageError for a name that is not in it, and for names that leave nothing to run.
    """
    find = _Finder(graph)
    only = find.all_of(selection.only)
    start = find.all_of(selection.start, partial(_after, graph))
    until = find.all_of(selection.until, partial(_before, graph))
    found = Selected(graph, forced=find.all_of(selection.force), force_all=selection.force_all)
    if not (selection.only or selection.start or selection.until):
        return found
    between = start & until if selection.start and selection.until else start | until
    if not between.nodes and not (selection.only and not selection.start):
        raise UsageError(_nothing_between(selection, swapped=_lie_between(find, selection.until, selection.start)))
    found.wanted = only | between
    found.needed = Part(_before(graph, found.wanted.nodes) - found.wanted.nodes)
    for name in selection.force:
        if not (find.part(name) & found.wanted).nodes:
            message = f"`--force {name}` makes nothing anew: `{name}` is not among the steps that run"
            raise UsageError(Problem("not-selected", message, hint=f"leave it out, or add `--only {name}`"))
    return found


def _lie_between(find: _Finder, start: Iterable[str], until: Iterable[str]) -> bool:
    after = find.all_of(start, partial(_after, find.graph))
    return bool((after & find.all_of(until, partial(_before, find.graph))).nodes)


def _nothing_between(selection: Selection, *, swapped: bool) -> Problem:
    first, last = (" ".join(f"`{name}`" for name in names) for names in (selection.start, selection.until))
    needs = "needs" if len(selection.until) == 1 else "need"
    message = f"nothing lies between `--from` and `--until`: {last} {needs} nothing of what comes from {first}"
    hint = "leave one of the two out, or name single steps with `--only`"
    if swapped:
        turned = [f"--from {name}" for name in selection.until] + [f"--until {name}" for name in selection.start]
        hint = f"the other way round there is: `{' '.join(turned)}`"
    return Problem("nothing-selected", message, hint=hint)


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


class _Finder:
    """Finds what names stand for: a step with all its items, or one item; in a sweep that of every variant."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._scopes = _scopes(graph)
        self._of_step: dict[str, set[str]] = {}
        for node in graph.nodes.values():
            self._of_step.setdefault(node.step.id, set()).add(node.id)

    def all_of(self, names: Iterable[str], closure: Callable[[Set[str]], Set[str]] | None = None) -> Part:
        """Return what several names stand for, with what ``closure`` adds to each."""
        found = Part()
        for name in names:
            part = self.part(name)
            found |= part if closure is None else Part(closure(part.nodes), part.items)
        return found

    def part(self, name: str) -> Part:
        """Return what a name stands for. Raises UsageError."""
        if not self._scopes or name.startswith(tuple(self._scopes)):
            return self._one(name)
        found, items = set[str](), dict[str, Set[str]]()
        for scope in self._scopes:  # a step of every variant is meant
            part = self._one(f"{scope}{name}")
            found |= part.nodes
            items |= part.items
        return Part(found, items)

    def _one(self, name: str) -> Part:
        graph = self.graph
        outer, slash, last = name.rpartition("/")
        step, mark, _ = last.partition("[")
        step = f"{outer}{slash}{step}"
        loop = f"{step}[*]"
        if step not in self._of_step:
            hint = did_you_mean(step, self._of_step)
            raise UsageError(Problem("unknown-step", f"there is no step `{step}`", hint=hint))
        if not mark:
            return Part(self._of_step[step] | _inside(graph, self._of_step[step]))
        if name in graph.nodes:
            return Part({name} | _inside(graph, {name}))
        if loop in graph.nodes:  # its items are not known yet: the name is taken on trust
            return Part({loop}, {step: {name}})
        items = graph.items.get(step, [])
        raise UsageError(Problem("unknown-item", f"there is no `{name}`", hint=did_you_mean(name, items)))


def _inside(graph: Graph, names: Collection[str]) -> set[str]:
    """Return the nodes inside of those that are pipelines."""
    prefixes = tuple(f"{name}/" for name in names if f"{name}/" in graph.scopes)
    return {node for node in graph.nodes if node.startswith(prefixes)} if prefixes else set()


def _scopes(graph: Graph) -> list[str]:
    """Return the scopes of the variants of a sweep, none where there is no sweep."""
    found = dict.fromkeys(node.step.scope for node in graph.nodes.values())
    return [] if "" in found else [scope for scope in found if scope not in graph.scopes]
