"""Tasks by the older interface: create from a saved workflow or a graph, status, outputs, cancel, the graph itself."""

from __future__ import annotations

import json

from rhflow.simulator.graphs.orders import Wish, order_graph
from rhflow.simulator.replies import RefusalError, Reply, wrapped
from rhflow.simulator.reports import accepted, outputs_of
from rhflow.simulator.routes.operation import Operation, Visit
from rhflow.simulator.routes.progress import socket_of
from rhflow.simulator.tasks import Task


async def create(visit: Visit) -> Reply:
    """Begin a task from a saved workflow, changed by ``nodeInfoList``, or from a whole graph."""
    with visit.simulator.counted("task/openapi/create"):
        workflow_id = visit.text("workflowId")
        wish = Wish.of(visit.body, base=visit.base)
        task = order_graph(visit.simulator, visit.account, wish.of_workflow(visit.simulator.library, workflow_id))
    return begun(visit, task)


def begun(visit: Visit, task: Task) -> Reply:
    """Return the reply to an order of the older interface."""
    status = task.status(visit.simulator.clock())
    return accepted(task, status, socket=socket_of(visit, task))


async def workflow_json(visit: Visit) -> Reply:
    """Give a saved workflow as a graph in JSON text."""
    workflow = visit.simulator.library.workflow(visit.text("workflowId"))
    if workflow is None:
        raise RefusalError("380")
    return wrapped({"prompt": json.dumps(workflow.graph, ensure_ascii=False)}) | {"msg": "SUCCESS"}


async def status(visit: Visit) -> Reply:
    """Tell the state of a task in one word; what was cancelled has failed."""
    state = _task(visit).status(visit.simulator.clock())
    return wrapped("FAILED" if state == "CANCEL" else state) | {"msg": ""}


async def outputs(visit: Visit) -> Reply:
    """Give what a task made, or say why there is nothing."""
    task = _task(visit)
    return outputs_of(visit.simulator, task, visit.base, socket=socket_of(visit, task))


async def cancel(visit: Visit) -> Reply:
    """End a task that waits or runs."""
    _task(visit, counts=False).cancel(visit.simulator.clock())
    return wrapped(None)


def _task(visit: Visit, *, counts: bool = True) -> Task:
    visit.simulator.counts["queries"] += counts
    task_id = visit.text("taskId")
    if task_id.lstrip("-").isdigit() and int(task_id) <= 0:
        raise RefusalError("301", "taskId must be positive")
    if (task := visit.simulator.task(visit.account, task_id)) is None:
        raise RefusalError("807")
    return task


OPERATIONS = (
    Operation("create", "POST", "/task/openapi/create", create),
    Operation("workflow-json", "POST", "/api/openapi/getJsonApiFormat", workflow_json),
    Operation("status", "POST", "/task/openapi/status", status),
    Operation("outputs", "POST", "/task/openapi/outputs", outputs),
    Operation("cancel", "POST", "/task/openapi/cancel", cancel),
)
