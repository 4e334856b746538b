"""Hosted models: submit a call, ask its price, ask after a task of any kind."""

from __future__ import annotations

from rhflow.core.kinds import Model
from rhflow.simulator.orders import order_model, price_preview
from rhflow.simulator.replies import RefusalError, Reply, flat
from rhflow.simulator.reports import state_of
from rhflow.simulator.routes.operation import Operation, Visit

_GET_ONLY = frozenset({"queue/status", "api-key/list"})


async def submit(visit: Visit) -> Reply:
    """Begin a call of a hosted model."""
    model = _model(visit)
    with visit.simulator.counted(model.endpoint):
        task = await order_model(visit.simulator, visit.account, model, visit.body, base=visit.base)
    return flat(task.id, task.status(visit.simulator.clock()))


async def preview(visit: Visit) -> Reply:
    """Tell the price of a call without making it."""
    return await price_preview(visit.simulator, _model(visit), visit.body)


def _model(visit: Visit) -> Model:
    endpoint = visit.request.path_params["endpoint"]
    if (model := visit.simulator.model_at(endpoint)) is None:
        raise RefusalError("1009" if endpoint in _GET_ONLY else "1001")
    return model


async def query(visit: Visit) -> Reply:
    """Tell the state of a task."""
    visit.simulator.counts["queries"] += 1
    task_id = visit.body.get("taskId")
    if not isinstance(task_id, str) or not task_id:
        raise RefusalError("1007", "`taskId` is required, as a string")
    if (task := visit.simulator.task(visit.account, task_id)) is None:
        raise RefusalError("1004")
    return state_of(visit.simulator, task, visit.base)


OPERATIONS = (
    Operation("query", "POST", "/openapi/v2/query", query, "flat", "bearer"),
    Operation("price-preview", "POST", "/openapi/v2/price-preview/{endpoint:path}", preview, "bare", "bearer"),
    Operation("submit", "POST", "/openapi/v2/{endpoint:path}", submit, "flat", "bearer"),
)
