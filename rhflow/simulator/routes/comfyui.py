"""ComfyUI's own interface: RunningHub's gateway, with the key in the path, and at the root a server of nobody's.

Replies have ComfyUI's shapes. What concerns the account (a bad key, no money, no room) is said in the wrapped envelope
of the older interface: nobody has written down how the gateway says it. The server at the root is what a ComfyUI on a
user's own machine is: no key, no payment, and one prompt after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response

from rhflow.core.values import Json
from rhflow.simulator.graphs.check import UnfitGraphError, as_graph
from rhflow.simulator.graphs.drawing import MACHINES
from rhflow.simulator.graphs.nodes import node_classes
from rhflow.simulator.graphs.orders import Wish, order_graph
from rhflow.simulator.graphs.work import GraphWork
from rhflow.simulator.prompts import Prompt, in_folder
from rhflow.simulator.replies import RefusalError, Reply
from rhflow.simulator.reports import history_of
from rhflow.simulator.routes.operation import Operation, Visit
from rhflow.simulator.tasks import ENDED

GATEWAY, PLUS = "/proxy/{apiKey}", "/proxy-plus/{apiKey}"
_GIGABYTE = 2**30


async def queue_prompt(visit: Visit) -> Reply | Response:
    """Begin a graph, as far as its nodes can run; one of which none can is refused with what is wrong."""
    given = visit.given or {}
    if "prompt" not in given:
        return _rejected("no_prompt", "No prompt provided", "No prompt provided")
    try:
        with visit.simulator.counted("proxy/prompt"):
            wish = Wish.of_prompt(as_graph(given["prompt"]), machine=_machine(visit), may_wait=_is_own(visit))
            task = order_graph(visit.simulator, visit.account, wish)
    except UnfitGraphError as unfit:
        return JSONResponse({"error": unfit.verdict.error, "node_errors": dict(unfit.verdict.problems)}, 400)
    except RefusalError as refused:
        if refused.code != "433":
            raise
        return _rejected("invalid_prompt", refused.why)
    assert isinstance(task.work, GraphWork)
    client = given.get("client_id")
    prompt = visit.account.prompts.add(task, task.work, client if isinstance(client, str) else "")
    told = json.loads(task.ticket.tips)["node_errors"]
    return {"prompt_id": prompt.id, "number": prompt.number, "node_errors": told}


def _rejected(kind: str, message: str, details: str = "") -> Response:
    error = {"type": kind, "message": message, "details": details, "extra_info": {}}
    return JSONResponse({"error": error, "node_errors": {}}, 400)


def _is_own(visit: Visit) -> bool:
    """Whether it is the server at the root."""
    return visit.account is visit.simulator.local


def _machine(visit: Visit) -> str:
    return "plus" if visit.request.url.path.startswith(PLUS.partition("{")[0]) else "default"


async def queue(visit: Visit) -> Reply:
    """List what runs and what waits."""
    prompts, now = visit.account.prompts, visit.simulator.clock()
    return {
        "queue_running": [each.listed() for each in prompts.in_state(now, "RUNNING")],
        "queue_pending": [each.listed() for each in prompts.in_state(now, "QUEUED")],
    }


async def change_queue(visit: Visit) -> Response:
    """Take prompts out of the queue that wait: some, or all; what runs stays."""
    given, prompts, now = visit.given or {}, visit.account.prompts, visit.simulator.clock()
    listed = given.get("delete")
    unwanted = listed if isinstance(listed, list) else []
    for each in prompts.in_state(now, "QUEUED"):
        if given.get("clear") is True or each.id in unwanted:
            each.task.cancel(now)
            prompts.drop(each.id)
    return Response()


async def interrupt(visit: Visit) -> Response:
    """End what runs; of several the one that is named, where one is."""
    wanted, now = (visit.given or {}).get("prompt_id"), visit.simulator.clock()
    for each in visit.account.prompts.in_state(now, "RUNNING"):
        if wanted in (None, each.id):
            each.task.cancel(now)
    return Response()


async def history(visit: Visit) -> Reply:
    """Tell of all prompts that have ended, or of the last ``max_items``."""
    ended = visit.account.prompts.in_state(visit.simulator.clock(), *ENDED)
    most = str((visit.given or {}).get("max_items", ""))
    return _histories(visit, ended[-int(most) :] if most.isdecimal() and int(most) else ended)


async def history_of_one(visit: Visit) -> Reply:
    """Tell of one prompt, nothing while it waits or runs."""
    visit.simulator.counts["queries"] += 1
    found = visit.account.prompts.find(visit.request.path_params["promptId"])
    over = found is not None and found.task.has_ended(visit.simulator.clock())
    return _histories(visit, [found] if found is not None and over else [])


def _histories(visit: Visit, prompts: list[Prompt]) -> Reply:
    return {each.id: history_of(each, visit.account.prompts, visit.simulator.clock()) for each in prompts}


async def view(visit: Visit) -> Response:
    """Give a file by its name."""
    asked: Mapping[str, str] = visit.request.query_params
    path = in_folder(asked.get("subfolder", ""), asked.get("filename", ""))
    file = visit.account.prompts.file(asked.get("type", "output"), path)
    if file is None:
        return Response(status_code=404 if asked.get("filename") else 400)
    visit.simulator.counts["downloads"] += 1
    return FileResponse(file.path, media_type=file.info.media_type)


async def upload_image(visit: Visit) -> Reply | Response:
    """Take a file into the folder of inputs; the same name means the same file only where it may be overwritten."""
    try:
        async with visit.request.form() as form:
            if not isinstance(part := form.get("image"), UploadFile) or not part.filename:
                return Response(status_code=400)
            given = {name: value for name, value in form.items() if isinstance(value, str)}
            file = await run_in_threadpool(visit.simulator.files.take, part.file, part.filename)
    except HTTPException:  # Starlette's word for a body that is no multipart form
        return Response(status_code=400)
    visit.simulator.counts["uploads"] += 1
    folder, overwrite = given.get("subfolder", ""), given.get("overwrite", "") in ("true", "1")
    name = visit.account.prompts.take(file, part.filename, folder, overwrite=overwrite)
    return {"name": name, "subfolder": folder, "type": given.get("type") or "input"}


async def object_info(visit: Visit) -> Reply:
    """Describe every class of nodes."""
    return {name: known.described(visit.account.prompts.inputs) for name, known in node_classes().items()}


async def object_info_of_one(visit: Visit) -> Reply:
    """Describe one class of nodes, nothing for one that is not known."""
    known = node_classes().get(visit.request.path_params["nodeClass"])
    return {} if known is None else {known.name: known.described(visit.account.prompts.inputs)}


async def system_stats(visit: Visit) -> Reply:
    """Tell of the machine."""
    memory = 24 * _GIGABYTE * MACHINES[_machine(visit)]
    system: dict[str, Json] = {
        "os": "simulated", "ram_total": memory, "ram_free": memory, "comfyui_version": "simulated",
        "python_version": "simulated", "pytorch_version": "none", "embedded_python": False, "argv": ["main.py"],
    }  # fmt: skip
    device: dict[str, Json] = {
        "name": "simulated", "type": "cpu", "index": 0, "vram_total": memory, "vram_free": memory,
        "torch_vram_total": memory, "torch_vram_free": memory,
    }  # fmt: skip
    return {"system": system, "devices": [device]}


_OF_THE_ACCOUNT = (
    ("gateway-prompt", "POST", "/prompt", queue_prompt),
    ("gateway-queue", "GET", "/queue", queue),
    ("gateway-queue-change", "POST", "/queue", change_queue),
    ("gateway-interrupt", "POST", "/interrupt", interrupt),
    ("gateway-history", "GET", "/history", history),
    ("gateway-history-of", "GET", "/history/{promptId}", history_of_one),
    ("gateway-view", "GET", "/view", view),
    ("gateway-upload", "POST", "/upload/image", upload_image),
)
_FOR_ANYBODY = (
    ("gateway-object-info", "GET", "/object_info", object_info),
    ("gateway-object-info-of", "GET", "/object_info/{nodeClass}", object_info_of_one),
    ("gateway-system-stats", "GET", "/system_stats", system_stats),
)
"""The real gateway was seen to answer these whatever the key."""
OPERATIONS = (
    *(Operation(name, method, GATEWAY + path, does, "comfyui", "path") for name, method, path, does in _OF_THE_ACCOUNT),
    *(
        Operation(name, method, GATEWAY + path, does, "comfyui", "any-path")
        for name, method, path, does in _FOR_ANYBODY
    ),
)


def elsewhere() -> Iterator[Operation]:
    """Yield the same operations where else they are: on larger machines, and without a key."""
    for base in (PLUS, ""):
        yield from (replace(each, path=base + each.path.removeprefix(GATEWAY)) for each in OPERATIONS)
