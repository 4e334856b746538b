"""Steps as nodes with edges: who waits for whom. The only module that knows networkx."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import networkx as nx

from rhflow.core.document import Pipeline, Step
from rhflow.core.errors import Problem, RecipeError
from rhflow.core.template import Unresolved, refs_in


@dataclass(frozen=True, slots=True)
class Node:
    """A step to be carried out once; ``id`` is unique in the graph and readable."""

    id: str
    step: Step


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
        self.order: tuple[str, ...] = tuple(order)
        self.before: dict[str, tuple[str, ...]] = {node: tuple(self._digraph.pred[node]) for node in self.nodes}
        self.after: dict[str, tuple[str, ...]] = {node: tuple(self._digraph.succ[node]) for node in self.nodes}

    def __len__(self) -> int:
        return len(self.nodes)

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
            found[node] = rest + seconds(self.nodes[node])
        return found


def step_refs(step: Step) -> Iterator[str]:
    """Yield the ids of the steps that ``step`` reads or needs, with repeats."""
    for value in (*step.inputs.values(), step.model, step.save_as):
        for _, ref in refs_in(value):
            if ref.path[0] == "steps" and len(ref.path) > 1 and isinstance(ref.path[1], str):
                yield ref.path[1]
    yield from step.needs


def expand(pipeline: Pipeline) -> Graph:
    """Return the graph of a pipeline; references to no step count for nothing.

    Raises RecipeError when steps wait for each other in a circle.
    """
    steps = pipeline.steps
    edges = [(earlier, step.id) for step in steps.values() for earlier in step_refs(step) if earlier in steps]
    try:
        return Graph((Node(step.id, step) for step in pipeline.steps.values()), edges)
    except nx.NetworkXUnfeasible:
        raise RecipeError(_circle(pipeline, edges)) from None


def _circle(pipeline: Pipeline, edges: Iterable[tuple[str, str]]) -> Problem:
    digraph: nx.DiGraph[str] = nx.DiGraph(edges)
    circle = [earlier for earlier, *_ in nx.find_cycle(digraph)]
    first = min(circle, key=list(pipeline.steps).index)
    at = circle.index(first)
    ring = [*circle[at:], *circle[:at]]
    shown = " → ".join(f"`{each}`" for each in [*ring, first]) if len(ring) <= 8 else f"{len(ring)} steps"
    message = f"step `{first}` waits for itself: {shown}" if len(ring) > 1 else f"step `{first}` reads itself"
    return pipeline.key_problem("cycle", message, ("steps", first), hint="remove one of the references")


def reads(value: Unresolved, root: str) -> Iterator[str]:
    """Yield the names under ``root`` (``params``, ``steps`` …) that a value reads."""
    for _, ref in refs_in(value):
        if ref.path[0] == root and len(ref.path) > 1 and isinstance(ref.path[1], str):
            yield ref.path[1]


def mermaid(graph: Graph, label: Callable[[Node], str], classes: Mapping[str, str]) -> str:
    """Return the graph as Mermaid text; ``classes`` gives each node a class name."""
    names = {node: f"n{at}" for at, node in enumerate(graph.order)}
    lines = ["flowchart LR"]
    for node in graph.order:
        mark = f":::{classes[node]}" if node in classes else ""
        text = label(graph.nodes[node]).replace('"', "#quot;").replace("\n", "<br/>")
        lines.append(f'  {names[node]}["{text}"]{mark}')
    lines += [f"  {names[earlier]} --> {names[later]}" for earlier, later in graph.edges()]
    return "\n".join(lines)


def dot(graph: Graph, label: Callable[[Node], str], classes: Mapping[str, str]) -> str:
    """Return the graph in Graphviz's DOT; ``classes`` gives each node a ``class`` attribute."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = ["digraph {", "  rankdir=LR;", "  node [shape=box];"]
    for node in graph.order:
        mark = f", class={quoted(classes[node])}" if node in classes else ""
        lines.append(f"  {quoted(node)} [label={quoted(label(graph.nodes[node]))}{mark}];")
    lines += [f"  {quoted(earlier)} -> {quoted(later)};" for earlier, later in graph.edges()]
    return "\n".join([*lines, "}"])
