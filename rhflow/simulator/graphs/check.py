"""Whether a graph can run, in the words of ComfyUI: what is wrong with which node, and which outputs can be made."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rhflow.core.values import Json
from rhflow.simulator.graphs.nodes import Graph, Input, Node, input_of, is_output, link_of, links_of, node_classes
from rhflow.simulator.replies import RefusalError

_MOST_NODES = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a graph: the outputs that can be made, the order of the nodes they need, and what is wrong.

    ``problems`` maps a node to its errors as ComfyUI writes them.
    """

    outputs: tuple[str, ...]
    order: tuple[str, ...]
    problems: Mapping[str, Json]

    @property
    def result(self) -> bool:
        """Whether anything can be made."""
        return bool(self.outputs)

    @property
    def error(self) -> dict[str, Json] | None:
        """What is wrong with the graph as a whole."""
        if self.result:
            return None
        kind = "prompt_outputs_failed_validation" if self.problems else "prompt_no_outputs"
        words = "Prompt outputs failed validation" if self.problems else "Prompt has no outputs"
        return {"type": kind, "message": words, "details": "", "extra_info": {}}

    def tips(self) -> str:
        """Return it as the JSON text that replies carry."""
        told = {"result": self.result, "error": self.error, "outputs_to_execute": list(self.outputs)}
        return json.dumps({**told, "node_errors": dict(self.problems)}, ensure_ascii=False)


class UnfitGraphError(RefusalError):
    """A graph that cannot run at all is refused; ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("433", verdict.tips())
        self.verdict = verdict


def as_graph(data: Any) -> Graph:
    """Return a graph in the API's format. Raises RefusalError (433) with what is wrong with its form."""
    if not isinstance(data, dict) or not data:
        raise RefusalError("433", "the workflow must be an object of nodes")
    if "nodes" in data and isinstance(data["nodes"], list):
        raise RefusalError("433", "the workflow is in the editor's format; export it in the API's format")
    if len(data) > _MOST_NODES:
        raise RefusalError("433", f"the workflow has more than {_MOST_NODES} nodes")
    for name, node in data.items():
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise RefusalError("433", f"Cannot execute because a node is missing the class_type property: {name}")
        if not isinstance(node.get("inputs"), dict):
            raise RefusalError("433", f"node {name} has no inputs")
    return data


def judge(graph: Graph, files: Collection[str]) -> Verdict:
    """Return the verdict on a graph; ``files`` are the names that loaders can find."""
    outputs = [name for name, node in graph.items() if is_output(node)]
    wrong = {name: errors for name, node in graph.items() if (errors := list(_errors(graph, node, files)))}
    good, order, problems = [], dict[str, None](), dict[str, Json]()
    for output in outputs:
        needed = _needed(graph, output)
        bad = [name for name in needed or () if name in wrong]
        if needed is None:
            cycle = _error("dependency_cycle", "Dependency cycle detected", output, {})
            problems[output] = _told(graph[output], [cycle], [output])
        elif bad:
            problems |= {name: _told(graph[name], wrong[name], [output]) for name in bad}
        else:
            good.append(output)
            order |= dict.fromkeys(needed)
    return Verdict(tuple(good), tuple(order), problems)


def _needed(graph: Graph, output: str) -> list[str] | None:
    """Return the nodes that ``output`` needs, each after those it reads and itself at the end; None for a circle."""
    order: dict[str, None] = {}
    under_way: set[str] = set()
    stack = [(output, False)]
    while stack:
        name, left = stack.pop()
        if left:
            under_way.discard(name)
            order[name] = None
        elif name in under_way:
            return None
        elif name not in order:
            under_way.add(name)
            stack.append((name, True))
            stack.extend((each, False) for each in links_of(graph[name]) if each in graph and each not in order)
    return list(order)


def _told(node: Node, errors: list[Json], outputs: list[str]) -> dict[str, Json]:
    return {"errors": errors, "dependent_outputs": list(outputs), "class_type": node["class_type"]}


def _errors(graph: Graph, node: Node, files: Collection[str]) -> Iterator[Json]:
    known = node_classes().get(node["class_type"])
    for name, takes in (known.inputs if known else {}).items():
        if takes.required and name not in node["inputs"]:
            yield _error("required_input_missing", "Required input is missing", name, {"input_name": name})
    for name, value in node["inputs"].items():
        link = link_of(value)
        if link is not None and link[0] not in graph:
            words = f"node {link[0]} does not exist"
            yield _error("bad_linked_input", "Bad linked input, the node does not exist", words, {"input_name": name})
        elif link is None and (takes_it := input_of(node, name)) is not None:
            yield from _problems(takes_it, value, files)


def _problems(takes: Input, value: Any, files: Collection[str]) -> Iterator[Json]:
    extra = {"input_name": takes.name, "received_value": value}
    if takes.type in ("INT", "FLOAT"):
        yield from _problems_of_number(takes, value, extra)
    elif takes.is_file and not (isinstance(value, str) and value in files):
        yield _error("custom_validation_failed", "Custom validation failed for node", f"Invalid file: {value}", extra)
    elif takes.name == "lora_name" and not (isinstance(value, str) and value in files):
        yield _error("value_not_in_list", "Value not in list", f"lora_name: '{value}' not in list", extra)
    elif takes.type == "COMBO" and not takes.is_file:
        if value not in takes.choices and not (takes.is_open and isinstance(value, str) and value):
            words = f"{takes.name}: '{value}' not in {list(takes.choices)}"
            yield _error("value_not_in_list", "Value not in list", words, extra)
    elif _cannot_be(takes, value):
        yield _unfit(takes, extra)


def _cannot_be(takes: Input, value: Any) -> bool:
    """Whether a value is no text where one belongs, or stands where only another node can give something."""
    if takes.type == "STRING":
        return not isinstance(value, str | int | float)
    return takes.type not in ("BOOLEAN", "COMBO", "*")


def _problems_of_number(takes: Input, value: Any, extra: dict[str, Json]) -> Iterator[Json]:
    number = number_in(value, whole=takes.type == "INT")
    if number is None:
        yield _unfit(takes, extra)
        return
    facts = takes.facts or {}
    if "min" in facts and number < facts["min"]:
        words = f"Value {value} smaller than min of {facts['min']}"
        yield _error("value_smaller_than_min", words, takes.name, extra)
    if "max" in facts and number > facts["max"]:
        yield _error("value_bigger_than_max", f"Value {value} bigger than max of {facts['max']}", takes.name, extra)


def number_in(value: Any, *, whole: bool = False) -> int | float | None:
    """Return the number that a value is, or that it spells as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
        return (int(value) if isinstance(value, int) else int(number)) if whole else _finite(number)
    except (ValueError, OverflowError):
        return None


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _unfit(takes: Input, extra: dict[str, Json]) -> Json:
    words = f"Failed to convert an input value to a {takes.type} value"
    return _error("invalid_input_type", words, f"{takes.name}, {extra['received_value']}", extra)


def _error(kind: str, message: str, details: str, extra: Mapping[str, Json]) -> Json:
    return {"type": kind, "message": message, "details": details, "extra_info": dict(extra)}
