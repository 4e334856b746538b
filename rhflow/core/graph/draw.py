"""A graph as the text of a drawing: a box for each step, a double one where it is a loop, whatever it runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rhflow.core.graph.graph import Graph, Node


def _steps(graph: Graph) -> list[Node]:
    """Return the node that stands for each step, in order."""
    return [node for name in graph.order if (node := graph.nodes[name]).id == node.step.id]


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    nodes = graph.nodes
    between = (
        (nodes[earlier].step.id, nodes[later].step.id)
        for earlier, later in graph.edges()
        if nodes[earlier].role != "gate"
    )
    return ((earlier, later) for earlier, later in dict.fromkeys(between) if earlier != later)


def mermaid(graph: Graph, label: Callable[[Node], str], classes: Mapping[str, str]) -> str:
    """Return the graph as Mermaid text; ``classes`` gives each node a class name."""
    names = {node.id: f"n{at}" for at, node in enumerate(_steps(graph))}
    lines = ["flowchart LR"]
    for node in _steps(graph):
        mark = f":::{classes[node.id]}" if node.id in classes else ""
        text = label(node).replace('"', "#quot;").replace("\n", "<br/>")
        box = f'["{text}"]' if node.role == "call" else f'[["{text}"]]'
        lines.append(f"  {names[node.id]}{box}{mark}")
    lines += [f"  {names[earlier]} --> {names[later]}" for earlier, later in _edges(graph)]
    return "\n".join(lines)


def dot(graph: Graph, label: Callable[[Node], str], classes: Mapping[str, str]) -> str:
    """Return the graph in Graphviz's DOT; ``classes`` gives each node a ``class`` attribute."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = ["digraph {", "  rankdir=LR;", "  node [shape=box];"]
    for node in _steps(graph):
        mark = f", class={quoted(classes[node.id])}" if node.id in classes else ""
        twice = "" if node.role == "call" else ", peripheries=2"
        lines.append(f"  {quoted(node.id)} [label={quoted(label(node))}{twice}{mark}];")
    lines += [f"  {quoted(earlier)} -> {quoted(later)};" for earlier, later in _edges(graph)]
    return "\n".join([*lines, "}"])
