"""What the service tells of a task, in its three ways: the v2 query, the older outputs, the call of a webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rhflow.core.values import Json
from rhflow.simulator.files import PREFIX
from rhflow.simulator.prompts import Prompt, Prompts
from rhflow.simulator.replies import MESSAGES, Reply, flat, wrapped
from rhflow.simulator.tasks import Failure, Status, Task
from rhflow.simulator.workshop import Product

if TYPE_CHECKING:
    from rhflow.simulator.simulator import Simulator

INTERRUPTED: Mapping[str, Any] = {
    "exception_type": "InterruptProcessingException",
    "exception_message": "the task was cancelled",
    "node_id": "",
    "node_name": "",
    "current_inputs": {},
    "current_outputs": {},
    "traceback": [],
}


def state_of(simulator: Simulator, task: Task, base: str) -> Reply:
    """Return the flat object of the v2 query; links begin with ``base``."""
    status = task.status(simulator.clock())
    reply = flat(task.id, status) | {"clientId": task.ticket.client_id, "promptTips": task.ticket.tips}
    reason: Mapping[str, Any] = {}
    if isinstance(task.outcome, Failure):
        reply |= {"errorCode": task.outcome.code, "errorMessage": task.outcome.message}
        reason = task.outcome.reason
    elif isinstance(task.outcome, Product):
        reply["results"] = _results(simulator, task, task.outcome, base)
    usage = task.usage().written()
    sub_task = {"taskId": int(task.id), "parentTaskId": None, "taskStatus": status, "usage": usage}
    return reply | {"failedReason": dict(reason), "usage": usage, "parentTaskId": None, "taskUsageList": [sub_task]}


def _results(simulator: Simulator, task: Task, product: Product, base: str) -> list[Json]:
    files: list[Json] = []
    for index, name in enumerate(simulator.links_of(task, product)):
        item: dict[str, Json] = {"url": base + PREFIX + name, "outputType": name.rpartition(".")[2], "text": None}
        if task.work.is_graph:
            item["nodeId"] = product.nodes[index]
        files.append(item)
    files.extend({"url": None, "outputType": "txt", "text": text} for text in product.texts)
    return files


def outputs_of(simulator: Simulator, task: Task, base: str, *, socket: str | None = None) -> Reply:
    """Return the reply of the older outputs in any state of the task; ``socket`` is where it tells its progress."""
    status = task.status(simulator.clock())
    if status == "QUEUED":
        return _code("813", None)
    if status == "RUNNING":
        return _code("804", {"netWssUrl": socket})
    if status == "CANCEL":
        return _code("805", {"failedReason": as_texts(INTERRUPTED)})
    if isinstance(task.outcome, Failure):
        words = {"exception_type": "ModelError", "exception_message": task.outcome.message}
        return _code("805", {"failedReason": as_texts(task.outcome.reason or {**INTERRUPTED, **words})})
    assert isinstance(task.outcome, Product)
    return wrapped(_items(simulator, task, task.outcome, base))


def _code(code: str, data: Json) -> Reply:
    return {"code": int(code), "msg": MESSAGES[code], "data": data}


def _items(simulator: Simulator, task: Task, product: Product, base: str) -> list[Json]:
    """Return an item for each file; the cost is that of the task, and repeated on each."""
    nodes = product.nodes or ("",) * len(product.files)
    names = simulator.links_of(task, product)
    costs = task.usage().written()
    files: list[Json] = [
        {"fileUrl": base + PREFIX + name, "fileType": name.rpartition(".")[2], "nodeId": node, **costs}
        for name, node in zip(names, nodes, strict=True)
    ]
    for index, text in enumerate(product.texts):
        name = simulator.text_link(f"{task.id}-{index}", text)
        files.append({"fileUrl": base + PREFIX + name, "fileType": "txt", "nodeId": "", **costs})
    return files


def as_texts(reason: Mapping[str, Any]) -> dict[str, Json]:
    """Return a reason as the older interface has it: everything is text, and what is no text is JSON in a text."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in reason.items()
    }


def event_of(simulator: Simulator, task: Task, base: str) -> Json:
    """Return what a webhook is told: of a graph the outputs as JSON text, of a model the object of the query."""
    if not task.work.is_graph:
        return state_of(simulator, task, base)
    reply = outputs_of(simulator, task, base)
    if isinstance(reply["data"], list):
        reply["data"] = [{**item, "taskCostTime": int(item["taskCostTime"])} for item in reply["data"]]
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))


def accepted(task: Task, status: Status, *, socket: str | None) -> Reply:
    """Return the wrapped reply to an order of the older interface; ``socket`` is told only when it runs already."""
    ticket = task.ticket
    return wrapped(
        {
            "netWssUrl": socket if status == "RUNNING" else None,
            "taskId": task.id,
            "clientId": ticket.client_id,
            "taskStatus": status,
            "promptTips": ticket.tips,
        }
    )


def history_of(prompt: Prompt, prompts: Prompts, now: float) -> Reply:
    """Return what ComfyUI's history tells of a prompt that has ended."""
    task, outputs = prompt.task, {}
    told: list[Json] = [
        _message(prompt, "execution_start", task.submitted + task.queue),
        _message(prompt, "execution_cached", task.submitted + task.queue, nodes=[]),
    ]
    state = task.status(now)
    if isinstance(task.outcome, Product):
        outputs = dict(prompts.outputs_of(prompt, task.outcome))
        told.append(_message(prompt, "execution_success", task.due))
    elif isinstance(task.outcome, Failure):
        told.append(_message(prompt, "execution_error", task.due, **error_facts(task.outcome)))
    else:
        told.append(_message(prompt, "execution_interrupted", now, node_id="", node_type="", executed=[]))
    done = state == "SUCCESS"
    status = {"status_str": "success" if done else "error", "completed": done, "messages": told}
    described = {each: {"node_id": each, "display_node": each, "parent_node": None, "real_node_id": each}
                 for each in outputs}  # fmt: skip
    return {"prompt": prompt.listed(), "outputs": outputs, "status": status, "meta": described}


def _message(prompt: Prompt, name: str, at: float, **data: Any) -> list[Json]:
    return [name, {"prompt_id": prompt.id, **data, "timestamp": int(at * 1000)}]


def error_facts(failure: Failure) -> dict[str, Any]:
    """Return what ComfyUI's event of a failed node says, also where no node did."""
    reason = failure.reason or {**INTERRUPTED, "exception_type": "RuntimeError", "exception_message": failure.message}
    renamed = {"node_type" if name == "node_name" else name: value for name, value in reason.items()}
    return {**renamed, "executed": []}
