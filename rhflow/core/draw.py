"""A graph as the text of a drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rhflow.core.graph import Graph, Node


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
