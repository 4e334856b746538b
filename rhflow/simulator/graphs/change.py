"""A saved graph with other values: those of a ``nodeInfoList``, and fresh seeds."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rhflow.core.values import Json
from rhflow.simulator.graphs.check import number_in
from rhflow.simulator.graphs.nodes import Graph, input_of, link_of
from rhflow.simulator.replies import RefusalError

Place: TypeAlias = tuple[str, str]
"""A node and one of its inputs."""
_SEEDS = ("seed", "noise_seed")
_MOST = 2**50


@dataclass(frozen=True, slots=True)
class Change:
    """One item of a ``nodeInfoList``."""

    node: str
    field: str
    value: Json

    @property
    def place(self) -> Place:
        """What it is about."""
        return self.node, self.field


def read_changes(listed: Json, *, newer: bool) -> tuple[Change, ...]:
    """Return the items of a ``nodeInfoList``. Raises RefusalError (803, or 1101 where ``newer``)."""
    wrong = "1101" if newer else "803"
    if not isinstance(listed, list):
        raise RefusalError(wrong, "`nodeInfoList` must be a list")
    return tuple(_change(item, wrong) for item in listed)


def _change(item: Any, wrong: str) -> Change:
    if not isinstance(item, dict):
        raise RefusalError(wrong, "an item of `nodeInfoList` must be an object")
    node, field = item.get("nodeId"), item.get("fieldName")
    if isinstance(node, int) and not isinstance(node, bool):
        node = str(node)
    if not isinstance(node, str) or not node or not isinstance(field, str) or not field:
        raise RefusalError(wrong, "an item of `nodeInfoList` needs `nodeId` and `fieldName`")
    if item.get("fieldValue") is None:
        raise RefusalError("803", f"node {node} `{field}`: `fieldValue` is null")
    return Change(node, field, item["fieldValue"])


def changed(graph: Graph, changes: Collection[Change], *, newer: bool, seed: str) -> Graph:
    """Return ``graph`` with its values replaced; seeds that nobody set are drawn from ``seed``.

    Raises RefusalError for a node or an input that is not there, or is linked.
    """
    wrong = "1101" if newer else "803"
    nodes = {name: {**node, "inputs": dict(node["inputs"])} for name, node in graph.items()}
    for change in changes:
        if (node := nodes.get(change.node)) is None:
            raise RefusalError(wrong, f"there is no node {change.node}")
        if change.field not in node["inputs"]:
            raise RefusalError(wrong, f"node {change.node} has no input `{change.field}`")
        if link_of(node["inputs"][change.field]) is not None:
            raise RefusalError(wrong, f"node {change.node} `{change.field}` is linked to another node")
        node["inputs"][change.field] = _fitting(node, change)
    dice = random.Random(seed)
    for name, field in seeds_in(nodes):
        drawn = dice.randrange(_MOST)
        if (name, field) not in {change.place for change in changes}:
            nodes[name]["inputs"][field] = drawn
    return nodes


def _fitting(node: Mapping[str, Any], change: Change) -> Json:
    """Return the value in the type that the input has: a number may come as text."""
    takes = input_of(node, change.field)
    value = change.value
    if takes is not None and takes.type in ("INT", "FLOAT"):
        number = number_in(value, whole=takes.type == "INT")
        return value if number is None else number
    if takes is not None and takes.type == "BOOLEAN" and value in ("true", "false"):
        return value == "true"
    return value


def seeds_in(graph: Graph) -> Iterator[Place]:
    """Yield the inputs that hold a seed."""
    for name, node in graph.items():
        for field in _SEEDS:
            if isinstance(node["inputs"].get(field), int):
                yield name, field
