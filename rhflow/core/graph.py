"""Steps as nodes with edges: who waits for whom. The only module that knows networkx.

A step without a loop is one *call* node. A loop is one call node per item and an *all* node with the id of the step,
which ends when every item has: who reads the whole loop waits for it. A loop whose items are not known yet begins as
a *loop* node, and ``grow`` adds its call nodes when they are; no other code adds nodes. A loop over the items of an
earlier loop is tied item by item, so that a long chain need not wait for its slowest sibling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx

from rhflow.core.document import Pipeline, Step
from rhflow.core.errors import Problem, RecipeError
from rhflow.core.expr.bounds import SandboxError
from rhflow.core.loops import Binding, LoopError, combine, items_of, takes_of
from rhflow.core.source import Reader
from rhflow.core.statics import NotKnownError
from rhflow.core.tables import TableError, read_source, source_of
from rhflow.core.template import Template, Unresolved, refs_in, resolve

Role = Literal["call", "loop", "all"]


@dataclass(frozen=True, slots=True)
class Node:
    """Something to be carried out or waited for; ``id`` is unique in the graph and readable.

    ``prev`` is the node before it in a chain.
    """

    id: str
    step: Step
    role: Role = "call"
    binding: Binding | None = None
    prev: str | None = None


class Graph:
    """All nodes of a run and their edges, in a fixed order: dependencies first, else as written."""

    def __init__(self, nodes: Iterable[Node], edges: Iterable[tuple[str, str]]) -> None:
        self.nodes: dict[str, Node] = {node.id: node for node in nodes}
        self._digraph: nx.DiGraph[str] = nx.DiGraph()
        self._digraph.add_nodes_from(self.nodes)
        self._digraph.add_edges_from(edges)
        place = {node: at for at, node in enumerate(self.nodes)}
        as_written = all(place[earlier] < place[later] for earlier, later in self._digraph.edges)
        order = self.nodes if as_written else nx.lexicographical_topological_sort(self._digraph, place.__getitem__)
        self.order: list[str] = list(order)
        self.before: dict[str, list[str]] = {node: list(self._digraph.pred[node]) for node in self.nodes}
        self.after: dict[str, list[str]] = {node: list(self._digraph.succ[node]) for node in self.nodes}
        self.items: dict[str, list[str]] = {}
        for node in self.order:
            if self.nodes[node].role == "call" and self.nodes[node].binding is not None:
                self.items.setdefault(self.nodes[node].step.id, []).append(node)

    def __len__(self) -> int:
        return len(self.nodes)

    def calls(self) -> Iterator[str]:
        """Yield the nodes that people think of: calls, and loops whose items are not known yet, in order."""
        for node in self.order:
            role, step = self.nodes[node].role, self.nodes[node].step
            if role == "call" or (role == "loop" and step.id not in self.items):
                yield node

    def grow(self, loop: str, bindings: Sequence[Binding]) -> list[str]:
        """Add the call nodes of a loop whose items have become known, and return those that are new."""
        step = self.nodes[loop].step
        at = self.order.index(loop) + 1
        added: list[str] = []
        for node, edges in call_nodes(step, bindings):
            if node.id in self.nodes:
                continue
            self._add(node, [(loop, node.id), *edges, (node.id, step.id)])
            added.append(node.id)
        self.order[at:at] = added
        self.items.setdefault(step.id, []).extend(added)
        return added

    def _add(self, node: Node, edges: Iterable[tuple[str, str]]) -> None:
        self.nodes[node.id] = node
        self._digraph.add_node(node.id)
        self.before[node.id], self.after[node.id] = [], []
        for earlier, later in dict.fromkeys(edges):
            self._digraph.add_edge(earlier, later)
            self.before[later].append(earlier)
            self.after[earlier].append(later)

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (earlier, later) pairs in order."""
        for node in self.order:
            for later in self.after[node]:
                yield node, later

    def cone(self, node: str) -> set[str]:
        """Return every node that depends on ``node``, itself left out."""
        return set(nx.descendants(self._digraph, node))

    def urgency(self, seconds: Callable[[Node], float]) -> dict[str, float]:
        """Return for each node the time from its start to the end of the longest path that leaves it."""
        found: dict[str, float] = {}
        for node in reversed(self.order):
            rest = max((found[each] for each in self.after[node]), default=0.0)
            found[node] = rest + (seconds(self.nodes[node]) if self.nodes[node].role == "call" else 0.0)
        return found


def step_refs(step: Step) -> Iterator[str]:
    """Yield the ids of the steps that ``step`` reads or needs, with repeats."""
    for value in (*step.values(), *step.loop_values()):
        yield from reads(value, "steps")
    yield from step.needs


def linked_to(step: Step) -> str | None:
    """Return the step whose items a loop runs over one by one (``foreach: ${{ steps.x.items }}``), if any."""
    over = step.loop.foreach if step.loop is not None else None
    if isinstance(over, Template) and over.exact and over.parts is not None:
        match over.refs[0].path:
            case ("steps", str(earlier), "items"):
                return earlier
    return None


def _shared(step: Step) -> Iterator[str]:
    """Yield the steps that every node of a step reads or needs."""
    for value in step.values():
        yield from reads(value, "steps")
    yield from step.needs


def call_nodes(step: Step, bindings: Sequence[Binding]) -> Iterator[tuple[Node, list[tuple[str, str]]]]:
    """Yield the call node of each binding with the edges that lead to it."""
    shared = list(_shared(step))
    chain = step.loop is not None and step.loop.chain
    prev: str | None = None
    for binding in bindings:
        node = Node(f"{step.id}[{binding.key}]", step, "call", binding, prev if chain else None)
        earlier = [*shared, *reads(binding.item, "steps")]
        if binding.of is not None:
            earlier.append(binding.of)
        if node.prev is not None:
            earlier.append(node.prev)
        yield node, [(each, node.id) for each in dict.fromkeys(earlier)]
        prev = node.id


def expand(
    pipeline: Pipeline,
    names: Mapping[str, Any] | None = None,
    *,
    scopes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Graph:
    """Return the graph of a pipeline; references to no step count for nothing.

    ``names`` are what loops may read now (``params``, ``vars``), ``scopes`` the same for each variant of a sweep.
    Raises RecipeError for a loop that cannot be spread out, or when steps wait for each other in a circle.
    """
    builder = _Builder(pipeline, scopes or {"": names or {}})
    for step in pipeline.steps.values():
        builder.add(step)
    if builder.problems:
        raise RecipeError(builder.problems)
    edges = [each for each in builder.edges if each[0] in builder.nodes]
    try:
        return Graph(builder.nodes.values(), edges)
    except nx.NetworkXUnfeasible:
        raise RecipeError(_circle(pipeline, edges)) from None


class _Builder:
    """Collects nodes and edges of a pipeline."""

    def __init__(self, pipeline: Pipeline, scopes: Mapping[str, Mapping[str, Any]]) -> None:
        self._pipeline, self._scopes = pipeline, scopes
        self._bindings: dict[str, list[Binding] | None] = {}
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.problems: list[Problem] = []

    def add(self, step: Step) -> None:
        """Add all nodes of a step."""
        if step.loop is None:
            self.nodes[step.id] = Node(step.id, step)
            self.edges += [(earlier, step.id) for earlier in dict.fromkeys(step_refs(step))]
            return
        bindings = self._of(step)
        if bindings is None:
            self._add_unknown(step)
        else:
            for node, edges in call_nodes(step, bindings):
                self.nodes[node.id] = node
                self.edges += [*edges, (node.id, step.id)]
        self.nodes[step.id] = Node(step.id, step, "all")

    def _add_unknown(self, step: Step) -> None:
        loop = Node(f"{step.id}[*]", step, "loop")
        self.nodes[loop.id] = loop
        self.edges.append((loop.id, step.id))
        linked = linked_to(step)
        for value in step.loop_values():
            self.edges += [
                (f"{each}[*]" if each == linked and self._is_unknown(each) else each, loop.id)
                for each in reads(value, "steps")
            ]
        # What its nodes will read the whole waits for too: so a circle is seen, and a way from there to here
        self.edges += [(earlier, step.id) for earlier in dict.fromkeys(_shared(step))]

    def _is_unknown(self, step: str) -> bool:
        found = self._pipeline.steps.get(step)
        return found is not None and found.loop is not None and self._of(found) is None

    def _of(self, step: Step) -> list[Binding] | None:
        """Return the bindings of a loop, or None while they are not known."""
        for each in reversed(self._links(step)):
            self._bindings[each.id] = None  # a loop over itself is not known, and a circle besides
            try:
                self._bindings[each.id] = self._spread(each)
            except LoopError as error:
                self.problems.append(loop_problem(self._pipeline, each, error))
            except (NotKnownError, RecipeError):
                pass  # what is wrong with a value is told where values are checked
        return self._bindings[step.id]

    def _links(self, step: Step) -> list[Step]:
        """Return the loops that a loop is tied to and that were not looked at yet, itself first."""
        found: dict[str, Step] = {}
        link: Step | None = step
        while link is not None and link.loop is not None and link.id not in self._bindings and link.id not in found:
            found[link.id] = link
            link = self._pipeline.steps.get(linked_to(link) or "")
        return list(found.values())

    def _spread(self, step: Step) -> list[Binding] | None:
        linked = linked_to(step)
        earlier = self._pipeline.steps.get(linked) if linked is not None else None
        if earlier is not None and earlier.loop is not None:
            theirs = self._of(earlier)
            if theirs is None or grows(step, linked=True):
                return None
            return spread(step, self._scopes[step.scope], over=follow(earlier.id, theirs))
        return None if grows(step) else spread(step, self._scopes[step.scope], reader=self._pipeline.located.reader)


def _is_written(over: Unresolved) -> bool:
    """Whether a recipe spells the items out; each may then hold templates of its own."""
    return isinstance(over, list) or (isinstance(over, dict) and set(over) != {"range"} and source_of(over) is None)


def grows(step: Step, *, linked: bool = False) -> bool:
    """Whether the number of nodes depends on what steps give; items of a written list may read them all the same.

    ``linked``: the items are those of an earlier loop, and known.
    """
    over, *others = list(step.loop_values()) or [None]
    known = linked or _is_written(over)
    return any(True for value in (others if known else [over, *others]) for _ in reads(value, "steps"))


def follow(step: str, bindings: Sequence[Binding]) -> list[Binding]:
    """Return bindings that take the items of an earlier loop one by one."""
    return [Binding(each.key, item=each.item, of=f"{step}[{each.key}]") for each in bindings]


def spread(
    step: Step, names: Mapping[str, Any], *, over: Sequence[Binding] | None = None, reader: Reader | None = None
) -> list[Binding]:
    """Return a binding per node of a loop; ``reader`` serves ``glob``, ``csv`` and ``jsonl``.

    Raises LoopError, RecipeError, or NotKnownError.
    """
    assert step.loop is not None
    loop = step.loop
    if over is None and loop.foreach is not None:
        written = _is_written(loop.foreach)
        value: Any = _known_of(loop.foreach, names) if written else resolve(loop.foreach, names)
        over = items_of(value if source_of(loop.foreach) is None else _read(value, reader))
    matrix = None if loop.matrix is None else resolve(dict(loop.matrix), names)
    takes = None if loop.variations is None else takes_of(resolve(loop.variations, names))
    return combine(over, matrix, takes)


def _read(spec: Mapping[str, Any], reader: Reader | None) -> list[Any]:
    name = source_of(spec)
    if reader is None or name is None:
        raise LoopError("no-files", "foreach", "no file can be read here")
    try:
        return read_source(spec, reader)
    except TableError as error:
        message = f"line {error.line} of `{spec[name]}`: {error.message}"
        raise LoopError("bad-table", ("foreach", name), message, error.hint) from None
    except SandboxError as error:
        raise LoopError(error.code, ("foreach", name), error.message, error.hint) from None


def _known_of(value: Unresolved, names: Mapping[str, Any]) -> Unresolved:
    """Return written items with all that is known now; what reads a step is rendered for its own node, later."""
    if isinstance(value, list):
        return [_known_of(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _known_of(each, names) for key, each in value.items()}
    if not isinstance(value, Template) or any(True for _ in reads(value, "steps")):
        return value
    try:
        return resolve(value, names)  # type: ignore[no-any-return]
    except NotKnownError:
        return value


def loop_problem(pipeline: Pipeline, step: Step, error: LoopError) -> Problem:
    """Return the problem of a loop at the key it is about."""
    message = f"step `{step.id}`: {error.message}"
    return pipeline.problem(error.code, message, (*step.pointer, *error.part), hint=error.hint)


def _circle(pipeline: Pipeline, edges: Iterable[tuple[str, str]]) -> Problem:
    found = nx.find_cycle(nx.DiGraph(sorted(edges)))
    circle = list(dict.fromkeys(earlier.partition("[")[0] for earlier, *_ in found))
    first = min(circle, key=list(pipeline.steps).index)
    at = circle.index(first)
    ring = [*circle[at:], *circle[:at]]
    shown = " → ".join(f"`{each}`" for each in [*ring, first]) if len(ring) <= 8 else f"{len(ring)} steps"
    message = f"step `{first}` waits for itself: {shown}" if len(ring) > 1 else f"step `{first}` reads itself"
    pointer = pipeline.steps[first].pointer
    return pipeline.key_problem("cycle", message, pointer, hint="remove one of the references")


def reads(value: Unresolved, root: str) -> Iterator[str]:
    """Yield the names under ``root`` (``params``, ``steps`` …) that a value reads."""
    for _, ref in refs_in(value):
        if ref.path[0] == root and len(ref.path) > 1 and isinstance(ref.path[1], str):
            yield ref.path[1]
