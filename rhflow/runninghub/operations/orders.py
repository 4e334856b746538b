"""Everything that can be ordered and has to be paid: where the request goes and what it says, nothing sent yet.

There are two calls that run a workflow and two that run an AI app. rhflow takes the one that the service's own pages
describe: the older ``create`` for workflows, whose newer twin is known from other programs only; the newer ``run`` for
AI apps, which is what the site's own example calls. All tasks are asked about by the one newer query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rhflow.runninghub.operations.graphs import written

InstanceType = Literal["default", "plus", "ultra"]


@dataclass(frozen=True, slots=True)
class Order:
    """One paid request: ``endpoint`` and ``payload`` as ``RunningHub.submit`` takes them; the key is not among them.

    ``tells``: the call takes a ``webhookUrl``. ``mark`` is something of it that no other call has and that the service
    shows with its task ("" where there is no such thing).
    """

    endpoint: str
    payload: Mapping[str, Any]
    tells: bool = True
    mark: str = ""


@dataclass(frozen=True, slots=True)
class NodeValue:
    """A value for one input of one node. ``told`` are further members that a call example has for it."""

    node: str
    field: str
    value: Any
    told: Mapping[str, Any] | None = None

    def item(self) -> dict[str, Any]:
        """Return it as an item of ``nodeInfoList``."""
        return {**(self.told or {}), "nodeId": self.node, "fieldName": self.field, "fieldValue": self.value}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a workflow or app is run; None leaves a choice to the service.

    ``instance_type`` is the machine's memory: ``default`` 24 GB, ``plus`` 48, ``ultra`` 84. ``personal_queue`` waits in
    the queue of rented machines. ``retain_seconds`` (10 to 180, charged) keeps the machine warm.
    """

    instance_type: InstanceType | None = None
    personal_queue: bool | None = None
    retain_seconds: int | None = None
    password: str | None = None

    def members(self) -> dict[str, Any]:
        """Return the members of the request that say so."""
        members = {
            "instanceType": self.instance_type,
            "usePersonalQueue": self.personal_queue,
            "retainSeconds": self.retain_seconds,
            "accessPassword": self.password,
        }
        return {name: value for name, value in members.items() if value is not None}


_NO_OPTIONS = RunOptions()


def model(endpoint: str, inputs: Mapping[str, Any]) -> Order:
    """Call a hosted model with inputs by its own names; ``endpoint`` is relative to ``/openapi/v2/``."""
    return Order(endpoint, inputs)


def workflow(
    workflow_id: str,
    nodes: Iterable[NodeValue] = (),
    options: RunOptions = _NO_OPTIONS,
    *,
    graph: Mapping[str, Any] | None = None,
    metadata: bool | None = None,
) -> Order:
    """Run a saved workflow with some values replaced, or ``graph`` (API format) in its name.

    ``metadata`` says whether pictures carry the workflow they were made by. With a graph the service may well overlook
    ``nodes``: put the values into the graph.
    """
    return Order("/task/openapi/create", {"workflowId": workflow_id, **_workflow(nodes, options, graph, metadata)})


def workflow_v2(
    workflow_id: str,
    nodes: Iterable[NodeValue] = (),
    options: RunOptions = _NO_OPTIONS,
    *,
    graph: Mapping[str, Any] | None = None,
    metadata: bool | None = None,
) -> Order:
    """Do the same by the newer call, which always wants a list of values."""
    return Order(f"run/workflow/{workflow_id}", {"nodeInfoList": [], **_workflow(nodes, options, graph, metadata)})


def _workflow(
    nodes: Iterable[NodeValue], options: RunOptions, graph: Mapping[str, Any] | None, metadata: bool | None
) -> dict[str, Any]:
    members: dict[str, Any] = options.members()
    if items := [each.item() for each in nodes]:
        members["nodeInfoList"] = items
    if graph is not None:
        members["workflow"] = written(graph)
    if metadata is not None:
        members["addMetadata"] = metadata
    return members


def prompt(graph: Mapping[str, Any], *, plus: bool = False, client_id: str = "") -> Order:
    """Run a graph (API format) that is saved nowhere, by the gateway; ``plus`` on a machine of 48 GB.

    ``client_id`` names who listens to its progress; one of its own makes the prompt known again (``prompt_of``).
    """
    payload = {"prompt": graph, "client_id": client_id}
    return Order(f"/{'proxy-plus' if plus else 'proxy'}/prompt", payload, tells=False, mark=client_id)


def app(app_id: str, nodes: Iterable[NodeValue], options: RunOptions = _NO_OPTIONS) -> Order:
    """Run an AI app with values for its inputs."""
    return Order(f"run/ai-app/{app_id}", {"nodeInfoList": [each.item() for each in nodes], **options.members()})


def app_v1(app_id: str, nodes: Iterable[NodeValue], options: RunOptions = _NO_OPTIONS) -> Order:
    """Do the same by the older call."""
    items = [each.item() for each in nodes]
    return Order("/task/openapi/ai-app/run", {"webappId": app_id, "nodeInfoList": items, **options.members()})


def quick_create(app_id: str, code: str, nodes: Iterable[NodeValue]) -> Order:
    """Run a ready-made module of the site; ``code`` is what its call example names, such as ``002``."""
    items = [each.item() for each in nodes]
    payload = {"webappId": app_id, "quickCreateCode": code, "nodeInfoList": items}
    return Order("/task/openapi/quick-ai-app/run", payload, tells=False)
