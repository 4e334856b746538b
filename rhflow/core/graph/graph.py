"""Steps as nodes with edges: who waits for whom. The only module that knows networkx.

A step without a loop is one *call* node. A loop is one call node per item and an *all* node with the id of the step,
which ends when every item has: who reads the whole loop waits for it. A loop whose items are not known yet begins as
a *loop* node, which is replaced by its call nodes when they are. A loop over the items of an earlier loop is tied item
by item, so that a long chain need not wait for its slowest sibling; so is who reads one item by a key that is known.

A step that is a pipeline has, in the place of its call node, the nodes of that pipeline between a *gate*, which all of
them wait for, and a *whole*, which waits for them. How nodes come to be is the business of ``expand.py``.

networkx is imported only where steps are written before those they read, to put them in order or to show the circle:
importing it takes longer than planning a small recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rhflow.core.graph.nesting import Scope
from rhflow.core.recipe.document import Step
from rhflow.core.recipe.loops import Binding

Role = Literal["call", "loop", "all", "gate", "whole"]
Edge = tuple[str, str]


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


class CircleError(Exception):
    """Nodes that wait for each other; ``nodes`` in the order in which they do."""

    def __init__(self, nodes: Sequence[str]) -> None:
        super().__init__(" ".join(nodes))
        self.nodes = nodes


class Graph:
    """All nodes of a run and their edges, in a fixed order: dependencies first, else as written.

    ``steps`` are all steps by id, ``scopes`` the uses of pipelines as steps by prefix, ``items`` the nodes of loops.
    Raises CircleError when nodes wait for each other.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        edges: Iterable[Edge],
        *,
        steps: Mapping[str, Step] | None = None,
        scopes: Mapping[str, Scope] | None = None,
    ) -> None:
        self.nodes: dict[str, Node] = {node.id: node for node in nodes}
        self.steps: dict[str, Step] = dict(steps or {node.step.id: node.step for node in self.nodes.values()})
        self.scopes: dict[str, Scope] = dict(scopes or {})
        self.before: dict[str, list[str]] = {node: [] for node in self.nodes}
        self.after: dict[str, list[str]] = {node: [] for node in self.nodes}
        for earlier, later in dict.fromkeys(edges):
            self.before[later].append(earlier)
            self.after[earlier].append(later)
        self.order: list[str] = self._in_order()
        self.items: dict[str, list[str]] = {}
        self._note_items(self.order)

    def _in_order(self) -> list[str]:
        place = {node: at for at, node in enumerate(self.nodes)}
        if all(place[earlier] < at for node, at in place.items() for earlier in self.before[node]):
            return list(self.nodes)
        import networkx as nx

        digraph: nx.DiGraph[str] = nx.DiGraph(self.after)
        try:
            return list(nx.lexicographical_topological_sort(digraph, place.__getitem__))
        except nx.NetworkXUnfeasible:
            found = nx.find_cycle(nx.DiGraph(sorted(digraph.edges)))
            raise CircleError([earlier for earlier, *_ in found]) from None

    def _note_items(self, names: Iterable[str]) -> None:
        for name in names:
            node = self.nodes[name]
            if node.role in ("call", "whole") and node.binding is not None:
                self.items.setdefault(node.step.id, []).append(name)

    def __len__(self) -> int:
        return len(self.nodes)

    def calls(self) -> Iterator[str]:
        """Yield the nodes that people think of: calls, and loops whose items are not known yet, in order."""
        for node in self.order:
            role, step = self.nodes[node].role, self.nodes[node].step
            if role == "call" or (role == "loop" and step.id not in self.items):
                yield node

    def shown(self) -> Iterator[str]:
        """Yield the calls, and in its place every loop that turned out to have no items, in order."""
        calls = set(self.calls())
        return (node for node in self.order if node in calls or self.is_empty(node))

    def is_empty(self, node: str) -> bool:
        """Whether a node stands for a loop that has no items, as far as that is known."""
        step = self.nodes[node].step.id
        known = step in self.items or f"{step}[*]" not in self.nodes
        return self.nodes[node].role == "all" and known and not self.items.get(step)

    def add(self, nodes: Iterable[Node], edges: Iterable[Edge], *, behind: str) -> list[str]:
        """Add nodes, earlier ones first, behind another one in the order; returns those that are new."""
        new = [node for node in nodes if node.id not in self.nodes]
        for node in new:
            self.nodes[node.id] = node
            self.before[node.id], self.after[node.id] = [], []
        fresh = {node.id for node in new}
        for earlier, later in dict.fromkeys(edges):
            if (earlier in fresh or later in fresh) and earlier in self.nodes:
                self.before[later].append(earlier)
                self.after[earlier].append(later)
        added = [node.id for node in new]
        at = self.order.index(behind) + 1
        self.order[at:at] = added
        self._note_items(added)
        return added

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (earlier, later) pairs in order."""
        for node in self.order:
            for later in self.after[node]:
                yield node, later

    def cone(self, node: str) -> set[str]:
        """Return every node that depends on ``node``, itself left out."""
        found, left = set[str](), [node]
        while left:
            new = [each for each in self.after[left.pop()] if each not in found]
            found.update(new)
            left += new
        return found

    def urgency(self, seconds: Callable[[Node], float]) -> dict[str, float]:
        """Return for each node the time from its start to the end of the longest path that leaves it."""
        found: dict[str, float] = {}
        for node in reversed(self.order):
            rest = max((found[each] for each in self.after[node]), default=0.0)
            found[node] = rest + (seconds(self.nodes[node]) if self.nodes[node].role == "call" else 0.0)
        return found
