"""A ComfyUI workflow of the user's, with some of its values replaced.

The workflow is fetched first, which costs nothing: a value for a node that does not exist is found before anything is
paid. With a graph of one's own the values are put into it here, because the service overlooks them then. A graph alone
is run by RunningHub's gateway, or by a server of the user's own: they take it as it is.
"""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rhflow.core.errors import Problem, StepError, did_you_mean
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Pending
from rhflow.runninghub.native import ComfyServer
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.orders import NodeValue, Order
from rhflow.steps import model, native
from rhflow.steps.context import Report, Tools
from rhflow.steps.machine import is_plus, options_of
from rhflow.steps.once import Once

Graph = Mapping[str, Any]

_MOST_LISTED = 12


class Workflows:
    """Runs workflows; each is fetched once, however many steps use it."""

    def __init__(self) -> None:
        self._graphs: Once[Graph] = Once()

    async def run(self, call: StepCall, report: Report, tools: Tools) -> StepResult:
        """Run a workflow. Raises RhflowError when it failed or its outcome is unknown."""
        if tools.comfyui is not None:
            graph = await self._for_server(call.inputs, tools.comfyui, tools)
            return await native.run(call, graph, tools.comfyui, report, tools)

        async def prepare() -> Order:
            return await self._order(call, tools)

        return await model.carry_out(call, prepare, report, tools, graph=partial(self._graph, call.inputs, tools))

    async def check(self, inputs: Mapping[str, Any], tools: Tools) -> None:
        """Raise StepError for a graph that is none, and for values that the workflow has no place for.

        That is as far as the inputs are known.
        """
        nodes, workflow, source = (inputs.get(each) for each in ("nodes", "workflow", "graph"))
        if any(isinstance(each, Pending) for each in (nodes, workflow, source)):
            return
        if source is not None:
            check_values(await _read_graph(source), nodes or (), where="the graph")
        elif nodes:
            check_values(await self._graph(inputs, tools), nodes, where=f"workflow `{workflow}`")

    async def _graph(self, inputs: Mapping[str, Any], tools: Tools) -> Graph:
        """Return what a step runs: the graph that it gives, or else that of its workflow. Raises RhflowError."""
        if "graph" in inputs:
            return await _read_graph(inputs["graph"])
        workflow = str(inputs["workflow"])
        return await self._graphs.get(workflow, lambda: tools.hub.workflow_graph(workflow))

    async def _for_server(self, inputs: Mapping[str, Any], server: ComfyServer, tools: Tools) -> dict[str, Any]:
        """Return the graph as a server of the user's own runs it."""
        await self.check(inputs, tools)
        graph = await _read_graph(inputs["graph"])
        nodes = [
            NodeValue(*_split(name), await native.value_for(value, server, tools))
            for name, value in inputs.get("nodes", {}).items()
        ]
        return filled(graph, nodes)

    async def _order(self, call: StepCall, tools: Tools) -> Order:
        inputs = call.inputs
        await self.check(inputs, tools)
        if "workflow" not in inputs:
            return await self._prompt(call, tools)
        workflow = str(inputs["workflow"])
        nodes = [await node_value(name, value, tools) for name, value in inputs.get("nodes", {}).items()]
        options, metadata = options_of(inputs), inputs.get("metadata")
        if "graph" not in inputs:
            return orders.workflow(workflow, nodes, options, metadata=metadata)
        graph = filled(await _read_graph(inputs["graph"]), nodes)
        return orders.workflow(workflow, (), options, graph=graph, metadata=metadata)

    async def _prompt(self, call: StepCall, tools: Tools) -> Order:
        """Return the order of a graph that is saved nowhere."""
        plus = is_plus(call.inputs)
        upload = partial(tools.hub.gateway_upload, gate="proxy-plus" if plus else "proxy")

        async def value_for(value: Any) -> Any:
            if not isinstance(value, Artifact):
                return value
            return await (tools.vault.node_name(value) if native.is_lora(value) else native.sent(value, upload, tools))

        given = call.inputs.get("nodes", {}).items()
        nodes = [NodeValue(*_split(name), await value_for(value)) for name, value in given]
        graph = filled(await _read_graph(call.inputs["graph"]), nodes)
        return orders.prompt(graph, plus=plus, client_id=uuid.uuid4().hex)


def _split(name: str) -> tuple[str, str]:
    node, _, field = name.partition(".")
    return node, field


async def node_value(name: str, value: Any, tools: Tools) -> NodeValue:
    """Return a value as it is sent: a file by the name that loader nodes know it by."""
    return NodeValue(*_split(name), await tools.vault.node_name(value) if isinstance(value, Artifact) else value)


async def _read_graph(source: Any) -> dict[str, Any]:
    """Return the graph in a file. Raises StepError for what is not in API format."""
    if not isinstance(source, Artifact) or source.path is None:
        raise _no_graph(f"`{source}` is not a local file", "give a path, or the output of a step")
    text = await asyncio.to_thread(Path(source.path).read_text, "utf-8-sig")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _no_graph(f"`{source.name}` is not JSON: {error}") from error
    nodes = found.values() if isinstance(found, dict) else ()
    if not nodes or not all(isinstance(each, dict) and "class_type" in each for each in nodes):
        hint = "in ComfyUI choose `Export (API)`, not `Save`: rhflow needs the graph in API format"
        raise _no_graph(f"`{source.name}` is not a workflow in API format", hint)
    return dict(found)


def _no_graph(message: str, hint: str | None = None) -> StepError:
    return StepError(Problem("bad-graph", message, hint=hint, input=("graph",)))


def filled(graph: Graph, nodes: Iterable[NodeValue]) -> dict[str, Any]:
    """Return a graph with values put into it."""
    result = copy.deepcopy(dict(graph))
    for each in nodes:
        result[each.node]["inputs"][each.field] = each.value
    return result


def check_values(graph: Graph, values: Iterable[str], *, where: str) -> None:
    """Raise StepError with every value whose node or input a graph does not have."""
    problems = [found for name in values if (found := _trouble(graph, name, where)) is not None]
    if problems:
        raise StepError(problems)


def _trouble(graph: Graph, name: str, where: str) -> Problem | None:
    node, field = _split(name)
    found = graph.get(node)
    if not isinstance(found, Mapping):
        return Problem(
            "unknown-node",
            f"{where} has no node `{node}`, which `{name}` names",
            hint=_node_hint(graph, node, field),
            input=("nodes", name),
        )
    inputs: Mapping[str, Any] = found.get("inputs", {})
    if field not in inputs:
        return Problem(
            "unknown-node-input",
            f"node `{node}` (`{found.get('class_type')}`) of {where} has no input `{field}`",
            hint=did_you_mean(field, inputs, limit=0) or f"it takes {_listed(inputs)}",
            input=("nodes", name),
        )
    if _is_link(graph, inputs[field]):
        return Problem(
            "linked-node-input",
            f"`{name}` comes from node `{inputs[field][0]}` in {where}, so it cannot be set",
            hint=f"set an input of node `{inputs[field][0]}` instead",
            input=("nodes", name),
        )
    return None


def _node_hint(graph: Graph, node: str, field: str) -> str:
    """Name the nodes that have such an input, else all of them."""
    fitting = [f"{each}.{field}" for each, found in graph.items() if field in found.get("inputs", {})]
    if fitting:
        return f"inputs of this name: {_listed(fitting)}"
    return did_you_mean(node, graph, limit=0) or f"its nodes are {_listed(graph)}"


def _is_link(graph: Graph, value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] in graph and isinstance(value[1], int)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _MOST_LISTED} more" if len(shown) > _MOST_LISTED else ""
    return ", ".join(f"`{each}`" for each in shown[:_MOST_LISTED]) + more
